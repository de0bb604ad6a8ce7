"""Blocks of code as the emulators count them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """Straight-line code that the emulator ran in one piece.

    `taken` of the `executions` were followed by code elsewhere than right behind the block.
    `region` is 0 in the root function and what it calls itself, and i + 1 in layer i.
    `waits` are the clocks that its latest `simulated` executions with simulated memory waited.
    """

    region: int
    address: int
    bytes: int
    instructions: int
    executions: int
    taken: int
    simulated: int = 0
    waits: int = 0

    @property
    def modelled_waits(self) -> float:
        """Clocks that all executions waited, taken to have waited like the simulated ones."""
        return self.executions * self.waits / self.simulated if self.simulated else 0.0
