"""Writes the .c file: parameters, one function a layer, and the functions that the user calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from smidgen.compiler.artifact import Layer
from smidgen.compiler.bands.call import BandedCall, BandLoop
from smidgen.compiler.codegen.bands import BandWriter
from smidgen.compiler.codegen.kernel_calls import CallWriter
from smidgen.compiler.codegen.layers import layer_of, macs_of, operands, shapes_of
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.sharing import SharedFunctions
from smidgen.compiler.codegen.tables import Tables
from smidgen.compiler.program import Program, Step
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Argument, InputArg, OutputArg


@dataclass(slots=True)
class SourceWriter:
    """Writes the parts of one model.

    `layers`, `tables`, `headers` and `shared` fill as `body` is written, and belong before it.
    """

    program: Program
    names: Names
    shared: SharedFunctions = field(default_factory=SharedFunctions)
    layers: list[Layer] = field(default_factory=list)
    calls: CallWriter = field(init=False)
    _runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.calls = CallWriter(self.names, shared=self.shared)

    @property
    def tables(self) -> Tables:
        """The constant tables."""
        return self.calls.tables

    @property
    def headers(self) -> list[str]:
        """The kernel headers that the layers need."""
        return self.calls.headers

    def body(self) -> str:
        """Parameters and layer functions, then init and run."""
        parts = [self._step(step) for step in self.program.steps]
        return "\n".join([*(part for part in parts if part), self._init(), self._run()])

    def _step(self, step: Step) -> str:
        if isinstance(step.call, BandedCall):
            return self._banded(step, step.call.loop)
        return "" if step.call.is_free else self._layer(step)

    def _banded(self, step: Step, loop: BandLoop) -> str:
        written = BandWriter(self.program, self.calls, step, loop).write()
        self.layers += written.layers
        self._runs.append(written.loop)
        return written.functions

    def _layer(self, step: Step) -> str:
        graph, node, call = self.program.graph, step.node, step.call
        before = self.tables.nbytes
        params, statement = self.calls.write(
            graph, node, call, step.style, partial(self._address, step), {}
        )
        symbol = self.names.fresh("run", node.name)
        weight_bytes = self.tables.nbytes - before
        self.layers.append(
            layer_of(graph, node, call.kernel, symbol, weight_bytes, call.scratch_bytes)
        )
        self._runs.append(f"    {symbol}(arena);")
        return (
            f"{params}/* {self._remark(step)} */\n"
            f"SMG_NOINLINE static void {symbol}(uint8_t *arena) {{\n"
            f"{_unused_arena(statement)}{statement}\n}}\n"
        )

    def _address(self, step: Step, argument: Argument) -> str:
        if isinstance(argument, InputArg):
            return f"arena + {self.program.offsets[step.node.inputs[argument.index]]}"
        if isinstance(argument, OutputArg):
            return f"arena + {self.program.offsets[step.node.outputs[argument.index]]}"
        return f"arena + {step.scratch_offset}"

    def _remark(self, step: Step) -> str:
        """``conv_0: 49x10x1 -> 25x5x64, weights 64x10x4x1``, its arena ranges and its MACs."""
        graph, node = self.program.graph, step.node
        moving, results = operands(graph, node)
        return (
            f"{node.name}: {shapes_of(graph, node)}\n"
            f" * {self._ranges(moving)} -> {self._ranges(results)}{macs_of(graph, node)}"
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
        content = "\n".join(self._runs) or "    (void)arena;"
        return f"void {self.names.prefix}_run(void *arena) {{\n{content}\n}}\n"


def _unused_arena(call: str) -> str:
    return "" if "arena" in call else "    (void)arena;\n"
