"""Sums of what calls on QEMU ran, by layer and by function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from smidgen.emulate.linked.firmware import Firmware
from smidgen.emulate.qemu.waits import SimulatedWaits
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import ROOT, Counts, RegionCounts, Share, count
from smidgen.targets.catalogue import Board

_MONITOR = "smg_monitor_"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call ran: its instructions exactly; its blocks, where QEMU can tell."""

    instructions: int
    blocks: tuple[Block, ...] | None


class Tally:
    """The calls of a root function, and of the layers that it consists of.

    `waits` tell what blocks waited for the board's memory, if that is simulated.
    """

    def __init__(
        self,
        layers: tuple[str, ...],
        image: Firmware,
        board: Board,
        waits: SimulatedWaits,
    ) -> None:
        self._layers, self._image, self._board = layers, image, board
        self._waits = waits
        self._total = 0
        self._by_layer = [0] * len(layers)
        self._runs = _Runs()
        self._has_clocks = bool(board.core.cycle_model)

    def add_call(self, symbol: str, whole: Ran, parts: Mapping[int, Ran]) -> None:
        """Adds a call of `symbol`, and what layer i ran of it, by itself, as `parts[i]`."""
        self._total += whole.instructions
        for index, part in parts.items():
            self._by_layer[index] += part.instructions
        if whole.blocks is None:
            self._has_clocks = False
            return
        blocks = tuple(self._by_region(whole, parts))
        self._runs.add(blocks)
        self._waits.ran(symbol, blocks)

    def counts(self) -> Counts:
        """All sums; instructions of functions are those of the blocks."""
        if not self._has_clocks:
            rows = tuple(RegionCounts(name, number, None) for name, number in self._rows())
            return Counts(rows, (), self._total, None)
        found = count(self.blocks(), self._layers, self._image, self._board.core)
        exact = (instructions for _, instructions in self._rows())
        layers = tuple(
            replace(row, instructions=instructions)
            for row, instructions in zip(found.layers, exact, strict=True)
        )
        counts = replace(found, layers=layers, instructions=self._total)
        return counts if self._knows_waits else _without_waits(counts)

    @property
    def _knows_waits(self) -> bool:
        """Memory without wait states need not be simulated."""
        return self._waits.are_simulated or not self._board.waits_for_memory

    def blocks(self) -> Iterator[Block]:
        """What ran, by region, with what it waited."""
        return map(self._waits.added_to, self._runs.blocks())

    def _by_region(self, whole: Ran, parts: Mapping[int, Ran]) -> Iterator[Block]:
        """What layers ran, and in region 0 what remains of the whole."""
        outside = _Runs()
        outside.add(self._own(whole))
        for index, part in parts.items():
            own = tuple(self._own(part))
            outside.take_away(own)
            yield from (replace(block, region=index + 1) for block in own)
        yield from outside.blocks()

    def _own(self, ran: Ran) -> Iterator[Block]:
        """The blocks of the firmware itself, without the monitor's."""
        for block in ran.blocks or ():
            function = self._image.function_at(block.address)
            if function and not function.name.startswith(_MONITOR):
                yield block

    def _rows(self) -> Iterator[tuple[str, int]]:
        outside = self._total - sum(self._by_layer)
        yield from zip((ROOT, *self._layers), (outside, *self._by_layer), strict=True)


class _Runs:
    """Runs of blocks, added up."""

    def __init__(self) -> None:
        self._executions: Counter[Block] = Counter()
        self._taken: Counter[Block] = Counter()

    def add(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._add(block, block.executions, block.taken)

    def take_away(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._add(block, -block.executions, -block.taken)

    def blocks(self) -> Iterator[Block]:
        for block, executions in self._executions.items():
            taken = self._taken[block]
            if executions or taken:
                yield replace(block, executions=executions, taken=taken)

    def _add(self, block: Block, executions: int, taken: int) -> None:
        key = replace(block, executions=0, taken=0, simulated=0, waits=0)
        self._executions[key] += executions
        self._taken[key] += taken


def _without_waits(counts: Counts) -> Counts:
    def known(row: RegionCounts) -> RegionCounts:
        return replace(row, wait_cycles=None)

    def share(each: Share) -> Share:
        return replace(each, wait_cycles=None)

    return replace(
        counts,
        layers=tuple(map(known, counts.layers)),
        functions=tuple(map(known, counts.functions)),
        shares=tuple(map(share, counts.shares)),
        wait_cycles=None,
    )
