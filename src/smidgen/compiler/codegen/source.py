"""Writes the .c file: parameters, one function a layer, and the functions that the user calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from smidgen.compiler.artifact import Layer
from smidgen.compiler.bands.call import BandedCall, BandLoop
from smidgen.compiler.codegen.arenas import Arenas
from smidgen.compiler.codegen.bands import BandWriter
from smidgen.compiler.codegen.kernel_calls import FROM_ROM, CallWriter
from smidgen.compiler.codegen.layers import layer_of, macs_of, operands, shapes_of
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.sharing import SharedFunctions
from smidgen.compiler.codegen.tables import Tables
from smidgen.compiler.program import Program, Step
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Argument, InputArg, OutputArg
from smidgen.ops.spaces import FLAT, Spaces


@dataclass(slots=True)
class SourceWriter:
    """Writes the parts of one model.

    `layers`, `tables`, `headers` and `shared` fill as `body` is written, and belong before it.
    """

    program: Program
    names: Names
    shared: SharedFunctions = field(default_factory=SharedFunctions)
    spaces: Spaces = FLAT
    layers: list[Layer] = field(default_factory=list)
    calls: CallWriter = field(init=False)
    _runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.calls = CallWriter(self.names, shared=self.shared, spaces=self.spaces)

    @property
    def arenas(self) -> Arenas:
        """The pointers to the arena."""
        return Arenas(self.program.arenas)

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
        self._runs.append(f"    {symbol}({self.arenas.arguments});")
        return (
            f"{params}/* {self._remark(step)} */\n"
            f"SMG_NOINLINE static void {symbol}({self.arenas.parameters('uint8_t')}) {{\n"
            f"{self.arenas.unused(statement)}{statement}\n}}\n"
        )

    def _address(self, step: Step, argument: Argument) -> str:
        if isinstance(argument, InputArg):
            return self.arenas.at(self.program.offsets[step.node.inputs[argument.index]])
        if isinstance(argument, OutputArg):
            return self.arenas.at(self.program.offsets[step.node.outputs[argument.index]])
        assert step.scratch_offset is not None
        return self.arenas.at(step.scratch_offset)

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
        return ", ".join(self.arenas.span(offsets[t.name], t.nbytes) for t in tensors)

    def _init(self) -> str:
        lines = []
        for tensor in self.program.graph.states:
            wanted = self.names.fresh(tensor.name, "initial")
            table, _ = self.tables.add(wanted, tensor.dtype, tensor.values, f"state {tensor.name}")
            at = self.arenas.at(self.program.offsets[tensor.name], "(uint8_t *)")
            lines.append(f"    {self._copy}({at}, {table}, {tensor.nbytes});")
        return self._function("init", lines)

    @property
    def _copy(self) -> str:
        """The function that copies constants to RAM."""
        if not self.spaces.rom:
            return "memcpy"
        self.calls.need(FROM_ROM)
        return "smg_from_rom"

    def _run(self) -> str:
        return self._function("run", self._runs)

    def _function(self, name: str, lines: Sequence[str]) -> str:
        content = "\n".join(lines)
        text = f"{self.arenas.unused(content)}{content}".rstrip("\n")
        parameters = self.arenas.parameters("void")
        return f"void {self.names.prefix}_{name}({parameters}) {{\n{text}\n}}\n"
