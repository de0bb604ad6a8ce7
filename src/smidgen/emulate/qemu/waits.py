"""Which calls on QEMU are simulated with their board's memory, and what their blocks waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from smidgen.emulate.timing.blocks import Block

_Key = tuple[int, int, int]


class SimulatedWaits:
    """Simulated are the first `calls` of each function, and the next call after one that ran code
    which never was; what the latest of them waited is taken for all others.
    """

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._before: Counter[str] = Counter()
        self._again: set[str] = set()
        self._known: dict[_Key, Block] = {}
        self._covered: set[int] = set()

    @property
    def are_simulated(self) -> bool:
        """Whether any call is simulated."""
        return self._calls > 0

    def wants(self, symbol: str) -> bool:
        """Whether the call of `symbol` that is about to start is to be simulated."""
        wanted = self._before[symbol] < self._calls or symbol in self._again
        self._again.discard(symbol)
        self._before[symbol] += 1
        return wanted and self.are_simulated

    def learn(self, blocks: Iterable[Block]) -> None:
        """Notes what `blocks` waited; of others the last simulation is kept."""
        for block in blocks:
            self._known[_key(block)] = block
            self._covered.update(range(block.address, block.address + block.bytes, 2))

    def forget(self) -> None:
        """For other regions."""
        self._known.clear()
        self._covered.clear()

    def ran(self, symbol: str, blocks: Iterable[Block]) -> None:
        """Has `symbol` simulated once more if the code of any of its `blocks` never was.

        Now and then QEMU ends a block early, for its clock; what follows is not new.
        """
        starts = (block.address for block in blocks)
        if self.are_simulated and not self._covered.issuperset(starts):
            self._again.add(symbol)

    def added_to(self, block: Block) -> Block:
        """`block` with its simulated waits, as far as there are any."""
        known = self._known.get(_key(block))
        if known is None:
            return block
        return replace(block, simulated=known.simulated, waits=known.waits)


def _key(block: Block) -> _Key:
    return (block.region, block.address, block.bytes)
