"""Spells kernel calls: parameters as structs, constants as tables, operands as pointers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from smidgen.compiler.codegen.calls import called
from smidgen.compiler.codegen.literals import LINE_WIDTH, floating, integer
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.sharing import Parameter, SharedFunctions, numbered
from smidgen.compiler.codegen.tables import Tables
from smidgen.compiler.sharing import Style
from smidgen.core.dtypes import DType
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Argument, CArray, CStruct, CValue, InputArg, KernelCall, OutputArg

Address = Callable[[Argument], str]
"""The C expression for where an operand that is no constant lies, a `uint8_t *`."""


@dataclass(slots=True)
class CallWriter:
    """Collects the headers, constant tables and shared functions that calls need."""

    names: Names
    tables: Tables = field(default_factory=Tables)
    headers: list[str] = field(default_factory=list)
    shared: SharedFunctions = field(default_factory=SharedFunctions)

    def write(
        self,
        graph: Graph,
        node: Node,
        call: KernelCall,
        style: Style,
        address: Address,
        known: dict[str, str],
    ) -> tuple[str, str]:
        """The definition of the call's parameters ("" without any), and the call.

        `known` are definitions that there are already, with their names: none is written twice.
        """
        if call.header not in self.headers:
            self.headers.append(call.header)
        params, name = self._params(node, call, known)
        arguments = [f"&{name}"] if name else []
        arguments += [self._operand(graph, node, each, address) for each in call.arguments]
        own = style is Style.OWN
        return params, called(
            call.function if own else self._shared(graph, node, call, style), arguments
        )

    def _shared(self, graph: Graph, node: Node, call: KernelCall, style: Style) -> str:
        """The function that calls the kernel for all layers that share its code."""
        given = [Parameter(f"const {call.params.type_name} *", "op")] if call.params else []
        given += [
            Parameter(_type(graph, node, argument), _role(argument)) for argument in call.arguments
        ]
        return self.shared.of(call.function, numbered(given), style, self.names)

    def _params(self, node: Node, call: KernelCall, known: dict[str, str]) -> tuple[str, str]:
        if call.params is None:
            return "", ""
        name = self.names.fresh(node.name)
        fields = self._struct(name, call.params)
        kind = f"static const {call.params.type_name}"
        if f"{kind} {fields}" in known:
            return "", known[f"{kind} {fields}"]
        known[f"{kind} {fields}"] = name
        return f"{kind} {name} = {{\n{fields}\n}};\n\n", name

    def _struct(self, owner: str, struct: CStruct, depth: int = 1) -> str:
        lines: list[str] = []
        line = "    " * depth
        for name, value in struct.fields:
            item = f".{name} = {self._value(owner, name, value, depth)}, "
            if len(line) + len(item.rstrip()) > LINE_WIDTH and line.strip():
                lines.append(line.rstrip())
                line = "    " * depth
            line += item
        return "\n".join([*lines, line.rstrip()])

    def _value(self, owner: str, field_name: str, value: CValue, depth: int) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, CArray):
            wanted = self.names.fresh(owner.removeprefix(self.names.prefix + "_"), field_name)
            return self.tables.add(wanted, value.dtype, value.data, value.comment)[0]
        if isinstance(value, CStruct):
            inner = self._struct(f"{owner}_{field_name}", value, depth + 1)
            return f"{{\n{inner}\n{'    ' * depth}}}"
        return floating(value) if isinstance(value, float) else integer(value)

    def _operand(self, graph: Graph, node: Node, argument: Argument, address: Address) -> str:
        if isinstance(argument, InputArg):
            tensor = graph.tensors[node.inputs[argument.index]]
            if tensor.is_constant:
                return self._constant(tensor)
        elif not isinstance(argument, OutputArg):
            return address(argument)
        return f"({_type(graph, node, argument)})({address(argument)})"

    def _constant(self, tensor: Tensor) -> str:
        wanted = self.names.fresh(tensor.name)
        return self.tables.add(wanted, tensor.dtype, tensor.values, "")[0]


def _type(graph: Graph, node: Node, argument: Argument) -> str:
    if isinstance(argument, InputArg):
        return f"const {_element(graph.tensors[node.inputs[argument.index]])} *"
    if isinstance(argument, OutputArg):
        return f"{_element(graph.tensors[node.outputs[argument.index]])} *"
    return "uint8_t *"


def _role(argument: Argument) -> str:
    if isinstance(argument, InputArg):
        return "x"
    return "y" if isinstance(argument, OutputArg) else "scratch"


def _element(tensor: Tensor) -> str:
    return "uint8_t" if tensor.dtype is DType.INT4 else tensor.dtype.c_type
