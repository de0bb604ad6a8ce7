"""Writes the .c file: parameters, one function a layer, and the functions that the user calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from smidgen.compiler.artifact import Layer
from smidgen.compiler.codegen.calls import called
from smidgen.compiler.codegen.literals import LINE_WIDTH, floating, integer
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.sharing import Parameter, SharedFunctions, numbered
from smidgen.compiler.codegen.tables import Tables
from smidgen.compiler.program import Program, Step
from smidgen.compiler.sharing import Style
from smidgen.core.dtypes import DType
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Argument, CArray, CStruct, CValue, InputArg, OutputArg


@dataclass(slots=True)
class SourceWriter:
    """Writes the parts of one model.

    `layers`, `tables`, `headers` and `shared` fill as `body` is written, and belong before it.
    """

    program: Program
    names: Names
    tables: Tables = field(default_factory=Tables)
    layers: list[Layer] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    shared: SharedFunctions = field(default_factory=SharedFunctions)

    def body(self) -> str:
        """Parameters and layer functions, then init and run."""
        parts = [self._step(step) for step in self.program.steps]
        return "\n".join([*(part for part in parts if part), self._init(), self._run()])

    def _step(self, step: Step) -> str:
        if step.call.is_free:
            return ""
        if step.call.header not in self.headers:
            self.headers.append(step.call.header)
        before = self.tables.nbytes
        params, params_name = self._params(step)
        arguments = [f"&{params_name}"] if params_name else []
        arguments += [self._pointer(step, argument) for argument in step.call.arguments]
        symbol = self.names.fresh("run", step.node.name)
        self.layers.append(self._layer(step, symbol, self.tables.nbytes - before))
        function = step.call.function if step.style is Style.OWN else self._shared(step)
        call = called(function, arguments)
        return (
            f"{params}/* {self._remark(step)} */\n"
            f"SMG_NOINLINE static void {symbol}(uint8_t *arena) {{\n"
            f"{_unused_arena(call)}{call}\n}}\n"
        )

    def _layer(self, step: Step, symbol: str, weight_bytes: int) -> Layer:
        node, signature = step.node, self.program.graph.signature(step.node)
        activations = [t for t in signature.inputs if t is not None and not t.is_constant]
        return Layer(
            node.name,
            node.op.kind,
            step.call.kernel,
            symbol,
            node.op.macs(signature),
            weight_bytes,
            step.call.scratch_bytes,
            sum(tensor.nbytes for tensor in (*activations, *signature.outputs)),
            tuple(tensor.shape for tensor in activations),
            tuple(tensor.shape for tensor in signature.outputs),
        )

    def _params(self, step: Step) -> tuple[str, str]:
        if step.call.params is None:
            return "", ""
        name = self.names.fresh(step.node.name)
        fields = self._struct(name, step.call.params)
        text = f"static const {step.call.params.type_name} {name} = {{\n{fields}\n}};\n\n"
        return text, name

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

    def _shared(self, step: Step) -> str:
        """The function that calls the kernel of `step` for all layers that share its code."""
        params = step.call.params
        given = [Parameter(f"const {params.type_name} *", "op")] if params else []
        given += [
            Parameter(self._type(step, argument), _role(argument))
            for argument in step.call.arguments
        ]
        return self.shared.of(step.call.function, numbered(given), step.style, self.names)

    def _type(self, step: Step, argument: Argument) -> str:
        graph = self.program.graph
        if isinstance(argument, InputArg):
            return f"const {_element(graph.tensors[step.node.inputs[argument.index]])} *"
        if isinstance(argument, OutputArg):
            return f"{_element(graph.tensors[step.node.outputs[argument.index]])} *"
        return "uint8_t *"

    def _pointer(self, step: Step, argument: Argument) -> str:
        if isinstance(argument, InputArg):
            name = step.node.inputs[argument.index]
            tensor = self.program.graph.tensors[name]
            if tensor.is_constant:
                return self._constant(tensor)
        elif isinstance(argument, OutputArg):
            name = step.node.outputs[argument.index]
        else:
            return f"arena + {step.scratch_offset}"
        return f"({self._type(step, argument)})(arena + {self.program.offsets[name]})"

    def _constant(self, tensor: Tensor) -> str:
        wanted = self.names.fresh(tensor.name)
        return self.tables.add(wanted, tensor.dtype, tensor.values, "")[0]

    def _remark(self, step: Step) -> str:
        """``conv_0: 49x10x1 -> 25x5x64, weights 64x10x4x1``, its arena ranges and its MACs."""
        graph, node = self.program.graph, step.node
        given = [graph.tensors[name] for name in node.inputs if name]
        moving = [tensor for tensor in given if not tensor.is_constant]
        results = [graph.tensors[name] for name in node.outputs]
        still = [tensor for tensor in given[1:2] if tensor.is_constant]
        weights = "".join(f", weights {_shape(tensor)}" for tensor in still)
        macs = node.op.macs(graph.signature(node))
        return (
            f"{node.name}: {_shapes(moving)} -> {_shapes(results)}{weights}\n"
            f" * {self._ranges(moving)} -> {self._ranges(results)}"
            + (f" | {macs} MAC" if macs else "")
        )

    def _ranges(self, tensors: Sequence[Tensor]) -> str:
        offsets = self.program.offsets
        return ", ".join(
            f"arena[{offsets[t.name]}..{offsets[t.name] + max(t.nbytes, 1) - 1}]" for t in tensors
        )

    def _init(self) -> str:
        lines = []
        for tensor in self.program.graph.states:
            wanted = self.names.fresh(tensor.name, "initial")
            table, _ = self.tables.add(wanted, tensor.dtype, tensor.values, f"state {tensor.name}")
            at = self.program.offsets[tensor.name]
            lines.append(f"    memcpy((uint8_t *)arena + {at}, {table}, {tensor.nbytes});")
        content = "\n".join(lines) or "    (void)arena;"
        return f"void {self.names.prefix}_init(void *arena) {{\n{content}\n}}\n"

    def _run(self) -> str:
        calls = [f"    {layer.symbol}(arena);" for layer in self.layers]
        content = "\n".join(calls) or "    (void)arena;"
        return f"void {self.names.prefix}_run(void *arena) {{\n{content}\n}}\n"


def _role(argument: Argument) -> str:
    if isinstance(argument, InputArg):
        return "x"
    return "y" if isinstance(argument, OutputArg) else "scratch"


def _unused_arena(call: str) -> str:
    return "" if "arena" in call else "    (void)arena;\n"


def _element(tensor: Tensor) -> str:
    return "uint8_t" if tensor.dtype is DType.INT4 else tensor.dtype.c_type


def _shape(tensor: Tensor) -> str:
    return "x".join(str(extent) for extent in tensor.shape) or "scalar"


def _shapes(tensors: Sequence[Tensor]) -> str:
    return " and ".join(_shape(tensor) for tensor in tensors) or "nothing"
