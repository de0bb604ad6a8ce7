"""The clock of a live device, and how it is held back to the speed of its board."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from smidgen.emulate.emulators import EmulatedMachine
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import table_cycles
from smidgen.emulate.unicorn.machine import Machine

_MICROSECONDS = 1_000_000


class Clock:
    """The modelled clocks of `machine` as they pass; instructions where clocks are not modelled.

    `Machine.counts` values everything by what the latest simulation of the memory found, so its sum
    may move for code that ran long ago, which a clock must not. Here what ran between two readings
    is valued once; on an emulator that tells no blocks, the clock only never goes back.
    """

    def __init__(self, machine: EmulatedMachine) -> None:
        self._machine = machine
        self.restart()

    def restart(self) -> None:
        """From zero, as the machine's counts."""
        self._clocks = 0.0
        self._seen: dict[tuple[int, int, int], Block] = {}
        self.latest_us = 0
        """What was read last."""

    def read_us(self) -> int:
        """Microseconds of the board's time."""
        self.latest_us = self._read() * _MICROSECONDS // self._machine.board.clock_hz
        return self.latest_us

    def _read(self) -> int:
        if isinstance(self._machine, Machine):
            self._advance(self._machine.blocks())
            return round(self._clocks)
        counts = self._machine.counts()
        clocks = counts.modelled_cycles
        self._clocks = max(self._clocks, counts.instructions if clocks is None else clocks)
        return round(self._clocks)

    def _advance(self, blocks: Iterable[Block]) -> None:
        firmware, core = self._machine.firmware, self._machine.board.core
        for block in blocks:
            key = (block.region, block.address, block.bytes)
            ran = _since(block, self._seen.get(key))
            if ran.executions or ran.taken:
                self._clocks += table_cycles(ran, firmware, core) + ran.modelled_waits
                self._seen[key] = block


def _since(block: Block, earlier: Block | None) -> Block:
    if earlier is None:
        return block
    return replace(
        block,
        executions=block.executions - earlier.executions,
        taken=block.taken - earlier.taken,
    )


class Pace:
    """How long a device that works is to be held back, so that it is no faster than its board.

    Time runs from when the work began, because the device's clock stands still while it waits.
    `clock` is the device's; `now_s` tells this computer's time in seconds.
    """

    _INTERVAL_S = 0.02
    """So often the device's clock is read, which takes milliseconds."""

    def __init__(self, clock: Clock, now_s: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._now_s = clock, now_s
        self._began: tuple[float, int] | None = None
        self._read_at_s = 0.0

    def begin(self) -> None:
        """Work begins, unless it has begun already."""
        if self._began is None:
            self._read_at_s = self._now_s()
            self._began = self._read_at_s, self._clock.read_us()

    def end(self) -> None:
        """The device waits."""
        self._began = None

    def ahead_s(self, is_last: bool) -> float:
        """By how much the device is ahead of its board, as far as is known; `is_last`: exactly."""
        if self._began is None:
            return 0.0
        now_s = self._now_s()
        if is_last or now_s - self._read_at_s >= self._INTERVAL_S:
            self._clock.read_us()
            self._read_at_s = now_s
        began_s, began_us = self._began
        return (self._clock.latest_us - began_us) / _MICROSECONDS - (now_s - began_s)
