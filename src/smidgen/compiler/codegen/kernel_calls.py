"""Spells kernel calls: parameters as structs, constants as tables, operands as pointers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from smidgen.compiler.codegen.calls import called
from smidgen.compiler.codegen.literals import LINE_WIDTH, floating, integer
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.sharing import Parameter, SharedFunctions, numbered
from smidgen.compiler.codegen.tables import Tables, table_type
from smidgen.compiler.sharing import Style
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Argument, CArray, CStruct, CValue, InputArg, KernelCall, OutputArg
from smidgen.ops.registry import marked_text
from smidgen.ops.spaces import FLAT, Marks, Spaces, marked_fields, marked_parameters

FROM_ROM = "smg_rom.h"
"""The header with `smg_from_rom`, for cores whose loads do not reach the flash."""
Address = Callable[[Argument], str]
"""The C expression for where an operand that is no constant lies, a `uint8_t *`."""


@dataclass(slots=True)
class CallWriter:
    """Collects the headers, constant tables and shared functions that calls need."""

    names: Names
    headers: list[str] = field(default_factory=list)
    shared: SharedFunctions = field(default_factory=SharedFunctions)
    spaces: Spaces = FLAT
    tables: Tables = field(init=False)

    def __post_init__(self) -> None:
        self.tables = Tables(self.spaces.rom)

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
        self.need(call.header)
        own = style is Style.OWN
        params, name = self._params(node, call, "" if own else self.spaces.rom, known)
        fetched, name = ("", name) if own or not self.spaces.rom else self._fetched(call, name)
        arguments = [f"&{name}"] if name else []
        arguments += [
            self._operand(graph, node, each, address, anywhere)
            for each, anywhere in zip(call.arguments, _anywhere(call), strict=True)
        ]
        return params, fetched + called(
            call.function if own else self._shared(graph, node, call, style), arguments
        )

    def need(self, header: str) -> None:
        """Includes `header`."""
        if header not in self.headers:
            self.headers.append(header)

    def _fetched(self, call: KernelCall, name: str) -> tuple[str, str]:
        """What brings the parameters `name` from flash to RAM, for one call, and their name."""
        if call.params is None:
            return "", ""
        self.need(FROM_ROM)
        return (
            f"    {call.params.type_name} op;\n    smg_from_rom(&op, &{name}, sizeof op);\n",
            "op",
        )

    def _shared(self, graph: Graph, node: Node, call: KernelCall, style: Style) -> str:
        """The function that calls the kernel for all layers that share its code."""
        given = [Parameter(f"const {call.params.type_name} *", "op")] if call.params else []
        given += [
            Parameter(_type(graph, node, argument), _role(argument)) for argument in call.arguments
        ]
        return self.shared.of(call.function, numbered(given), style, self.names)

    def _params(
        self, node: Node, call: KernelCall, space: str, known: dict[str, str]
    ) -> tuple[str, str]:
        if call.params is None:
            return "", ""
        name = self.names.fresh(node.name)
        fields = self._struct(name, call.header, call.params)
        kind = f"static const {space}{call.params.type_name}"
        if f"{kind} {fields}" in known:
            return "", known[f"{kind} {fields}"]
        known[f"{kind} {fields}"] = name
        return f"{kind} {name} = {{\n{fields}\n}};\n\n", name

    def _struct(self, owner: str, header: str, struct: CStruct, depth: int = 1) -> str:
        lines: list[str] = []
        line = "    " * depth
        marks = marked_fields(marked_text(header), struct.type_name)
        for name, value in struct.fields:
            item = f".{name} = {self._value(owner, header, name, value, marks, depth)}, "
            if len(line) + len(item.rstrip()) > LINE_WIDTH and line.strip():
                lines.append(line.rstrip())
                line = "    " * depth
            line += item
        return "\n".join([*lines, line.rstrip()])

    def _value(
        self, owner: str, header: str, field_name: str, value: CValue, marks: Marks, depth: int
    ) -> str:
        if value is None:
            return self.spaces.null if field_name in marks.rom else "NULL"
        if isinstance(value, CArray):
            wanted = self.names.fresh(owner.removeprefix(self.names.prefix + "_"), field_name)
            anywhere = field_name in marks.anywhere
            in_rom = anywhere or field_name in marks.rom
            table, _ = self.tables.add(wanted, value.dtype, value.data, value.comment, in_rom)
            return self.spaces.anywhere(table, table_type(value.dtype)) if anywhere else table
        if isinstance(value, CStruct):
            inner = self._struct(f"{owner}_{field_name}", header, value, depth + 1)
            return f"{{\n{inner}\n{'    ' * depth}}}"
        return floating(value) if isinstance(value, float) else integer(value)

    def _operand(
        self, graph: Graph, node: Node, argument: Argument, address: Address, anywhere: bool
    ) -> str:
        if isinstance(argument, InputArg):
            tensor = graph.tensors[node.inputs[argument.index]]
            if tensor.is_constant:
                return self._constant(tensor, anywhere)
        elif not isinstance(argument, OutputArg):
            return address(argument)
        return f"({_type(graph, node, argument)})({address(argument)})"

    def _constant(self, tensor: Tensor, anywhere: bool) -> str:
        wanted = self.names.fresh(tensor.name)
        table, _ = self.tables.add(wanted, tensor.dtype, tensor.values, "", anywhere)
        return self.spaces.anywhere(table, table_type(tensor.dtype)) if anywhere else table


def _anywhere(call: KernelCall) -> tuple[bool, ...]:
    """Which arguments the kernel takes from flash as well as from RAM."""
    marked = marked_parameters(marked_text(call.header), call.function)
    return marked[bool(call.params) :] if marked else (False,) * len(call.arguments)


def _type(graph: Graph, node: Node, argument: Argument) -> str:
    if isinstance(argument, InputArg):
        return f"const {table_type(graph.tensors[node.inputs[argument.index]].dtype)} *"
    if isinstance(argument, OutputArg):
        return f"{table_type(graph.tensors[node.outputs[argument.index]].dtype)} *"
    return "uint8_t *"


def _role(argument: Argument) -> str:
    if isinstance(argument, InputArg):
        return "x"
    return "y" if isinstance(argument, OutputArg) else "scratch"
