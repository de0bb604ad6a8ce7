"""Sums of what calls on QEMU ran, by layer and by function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from smidgen.emulate.linked.firmware import Firmware
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import ROOT, Counts, RegionCounts, count, table_cycles
from smidgen.targets.catalogue import Board

_MONITOR = "smg_monitor_"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call ran: its instructions exactly; its blocks, where QEMU can tell."""

    instructions: int
    blocks: tuple[Block, ...] | None


class Tally:
    """The calls of a root function, and of the layers that it consists of."""

    def __init__(self, layers: tuple[str, ...], image: Firmware, board: Board) -> None:
        self._layers, self._image, self._board = layers, image, board
        self._total = 0
        self._by_layer = [0] * len(layers)
        self._clocks_by_layer = [0.0] * len(layers)
        self._blocks: Counter[Block] = Counter()
        self._layer_blocks: list[Block] = []
        self._has_clocks = bool(board.core.cycle_model)

    def add_call(self, ran: Ran) -> None:
        """Adds a whole call."""
        self._total += ran.instructions
        self._has_clocks &= ran.blocks is not None
        self._blocks.update(self._own(ran.blocks or ()))

    def add_layer(self, index: int, ran: Ran) -> None:
        """Adds what layer `index` ran by itself."""
        self._by_layer[index] += ran.instructions
        if self._has_clocks:
            own = [replace(block, region=index + 1) for block in self._own(ran.blocks or ())]
            self._clocks_by_layer[index] += sum(map(self._clocks, own))
            self._layer_blocks += own

    def counts(self) -> Counts:
        """All sums; instructions of functions are those of the blocks."""
        if not self._has_clocks:
            return self._without_clocks()
        blocks = [
            replace(block, executions=block.executions * times, taken=block.taken * times)
            for block, times in self._blocks.items()
        ]
        by_function = count(blocks, (), self._image, self._board.core)
        waits = None if self._board.waits_for_memory else 0  # they are not simulated here
        total = by_function.modelled_cycles or 0
        outside = total - round(sum(self._clocks_by_layer))
        clocks = (outside, *map(round, self._clocks_by_layer))
        return Counts(
            layers=tuple(
                RegionCounts(name, instructions, cycles, waits)
                for (name, instructions), cycles in zip(self._rows(), clocks, strict=True)
            ),
            functions=tuple(replace(row, wait_cycles=waits) for row in by_function.functions),
            instructions=self._total,
            modelled_cycles=total,
            wait_cycles=waits,
            shares=tuple(
                replace(share, wait_cycles=waits)
                for share in count(
                    self._layer_blocks, self._layers, self._image, self._board.core
                ).shares
            ),
        )

    def _without_clocks(self) -> Counts:
        layers = (RegionCounts(name, instructions, None) for name, instructions in self._rows())
        return Counts(tuple(layers), (), self._total, None)

    def _rows(self) -> Iterator[tuple[str, int]]:
        outside = self._total - sum(self._by_layer)
        yield from zip((ROOT, *self._layers), (outside, *self._by_layer), strict=True)

    def _own(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks of the firmware itself, without the monitor's."""
        for block in blocks:
            function = self._image.function_at(block.address)
            if function and not function.name.startswith(_MONITOR):
                yield block

    def _clocks(self, block: Block) -> float:
        return table_cycles(block, self._image, self._board.core)
