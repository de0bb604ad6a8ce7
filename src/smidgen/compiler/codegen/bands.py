"""Writes layers that run in bands: a function for each, which knows its bands, and their loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from smidgen.compiler.artifact import Layer
from smidgen.compiler.bands.call import BandLoop, BandStep, Case, Keep, Pointer, Turns
from smidgen.compiler.codegen.arenas import Arenas
from smidgen.compiler.codegen.kernel_calls import CallWriter
from smidgen.compiler.codegen.layers import layer_of, macs_of, operands, shapes_of
from smidgen.compiler.program import Program, Step
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Argument, InputArg, OutputArg


@dataclass(frozen=True, slots=True)
class WrittenLoop:
    """The C functions of the layers of a loop, what reports say of them, and the loop itself."""

    functions: str
    layers: tuple[Layer, ...]
    loop: str


@dataclass(slots=True)
class BandWriter:
    """Writes one loop: `base` is the arena offset of its row buffers and scratch memory."""

    program: Program
    calls: CallWriter
    step: Step
    loop: BandLoop

    def write(self) -> WrittenLoop:
        """Every layer, and what moves the rows that are kept."""
        texts, layers = [], []
        for each in self.loop.steps:
            text, layer = self._layer(each)
            texts.append(text)
            layers.append(layer)
        if self.loop.keeps:
            text, layer = self._keep_rows()
            texts.append(text)
            layers.append(layer)
        given = self.arenas.arguments
        inner = "\n".join(f"        {layer.symbol}({given}, band);" for layer in layers)
        loop = (
            f"    /* {self.loop.body.name}, {self.loop.pace_text}. */\n"
            f"    for (int32_t band = 0; band < {self.loop.bands}; ++band) {{\n{inner}\n    }}"
        )
        return WrittenLoop("\n".join(texts), tuple(layers), loop)

    def _layer(self, each: BandStep) -> tuple[str, Layer]:
        body, node = self.loop.body, each.node
        before, known = self.calls.tables.nbytes, dict[str, str]()
        written = []
        for case in each.cases:
            place = partial(self._operand, each, case)
            written.append(self.calls.write(body, node, case.call, case.style, place, known))
        symbol = self.calls.names.fresh("run", node.name)
        cases = [(case.turns, text) for case, (_, text) in zip(each.cases, written, strict=True)]
        text = (
            f"{''.join(params for params, _ in written)}/* {self._remark(each)} */\n"
            f"{self._function(symbol, _in_cases(cases, self.loop.bands))}"
        )
        scratch = max(case.call.scratch_bytes for case in each.cases)
        kernel = each.cases[0].call.kernel
        weights = self.calls.tables.nbytes - before
        return text, layer_of(body, node, kernel, symbol, weights, scratch)

    def _operand(self, each: BandStep, case: Case, argument: Argument) -> str:
        """Where an operand lies in the bands of `case`."""
        if isinstance(argument, InputArg):
            pointer = case.inputs[argument.index]
            assert pointer is not None
            return self._place(pointer, case.turns)
        if isinstance(argument, OutputArg):
            return self._place(case.output, case.turns)
        assert each.scratch_offset is not None
        return self.arenas.at(self._base + each.scratch_offset)

    @property
    def arenas(self) -> Arenas:
        """The pointers to the arena."""
        return Arenas(self.program.arenas)

    @property
    def _base(self) -> int:
        return self.step.scratch_offset or 0

    def _start(self, name: str) -> int:
        """The arena offset of a tensor, or of the buffer of its rows."""
        inside = self.loop.places.get(name)
        return self.program.offsets[name] if inside is None else self._base + inside

    def _place(self, pointer: Pointer, turns: Turns) -> str:
        """The pointer as a function of `band`."""
        start = self._start(pointer.tensor) + pointer.offset
        if not pointer.step:
            return self.arenas.at(start)
        turn = f"(band - {turns.first})" if turns.first else "band"
        if turns.every > 1:
            turn = f"({turn} / {turns.every})"
        return f"{self.arenas.at(start)} + {pointer.step} * {turn}"

    def _remark(self, each: BandStep) -> str:
        body, node = self.loop.body, each.node
        moving, results = operands(body, node)
        return (
            f"{node.name}, in bands: {shapes_of(body, node)}\n"
            f" * {self._ranges(moving)} -> {self._ranges(results)}{macs_of(body, node)}"
        )

    def _ranges(self, tensors: Sequence[Tensor]) -> str:
        return ", ".join(self.arenas.span(self._start(t.name), self._bytes(t)) for t in tensors)

    def _bytes(self, tensor: Tensor) -> int:
        return self.loop.row_buffer_bytes.get(tensor.name, tensor.nbytes)

    def _keep_rows(self) -> tuple[str, Layer]:
        symbol = self.calls.names.fresh("keep", "rows")
        moves = "\n".join(self._moves())
        text = (
            "/* The rows that the next band reads again move to the start of their buffers. */\n"
            f"{self._function(symbol, moves)}"
        )
        name = f"{self.step.node.name} keep rows"
        moved = sum(keep.nbytes for keep in self.loop.keeps)
        return text, Layer(name, "row_bands", "memmove", symbol, 0, 0, 0, moved, (), ())

    def _moves(self) -> Iterator[str]:
        """Each tensor's moves, of which one at most is due in a band."""
        for _, group in groupby(self.loop.keeps, lambda keep: keep.tensor):
            moves = [(keep.turns, self._move(keep)) for keep in group]
            yield _in_cases(moves, self.loop.bands)

    def _function(self, symbol: str, content: str) -> str:
        parameters = self.arenas.parameters("uint8_t")
        return (
            f"SMG_NOINLINE static void {symbol}({parameters}, int32_t band) {{\n"
            f"{self.arenas.unused(content, ('band',))}{content}\n}}\n"
        )

    def _move(self, keep: Keep) -> str:
        start = self._start(keep.tensor)
        source = self.arenas.at(start + keep.offset)
        return f"    memmove({self.arenas.at(start)}, {source}, {keep.nbytes});"


def _in_cases(cases: Sequence[tuple[Turns, str]], bands: int) -> str:
    """The statements that are due in `band`, one of the cases at most."""
    whole = Turns(0, bands - 1)
    if len(cases) == 1 and cases[0][0] == whole:
        return cases[0][1]
    branches = []
    for turns, statement in cases:
        inner = statement.replace("\n", "\n    ")
        branches.append(f"if ({_condition(turns, bands)}) {{\n    {inner}\n    }}")
    return "    " + " else ".join(branches)


def _condition(turns: Turns, bands: int) -> str:
    if turns.first == turns.last:
        return f"band == {turns.first}"
    since = f"(band - {turns.first})" if turns.first else "band"
    limits = [f"band >= {turns.first}"] if turns.first else []
    limits += [f"band <= {turns.last}"] if turns.last + turns.every < bands else []
    limits += [f"{since} % {turns.every} == 0"] if turns.every > 1 else []
    return " && ".join(limits) or "true"
