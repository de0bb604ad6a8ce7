"""Devices side by side in one process, each with its own memory, timer and line."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence

from smidgen.emulate.live.clock import Pace
from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.live.lines import Line

_MOST_WAITING_BYTES = 4096


class Station:
    """A device and its line, with flow control both ways; `pace` holds the device back."""

    def __init__(self, device: LiveDevice, line: Line, pace: Pace | None = None) -> None:
        self.device = device
        self.line = line
        self._pace = pace
        self._held = b""
        self._due_s: float | None = None
        self._unsent = b""
        self._watched: dict[int, int] = {}

    @property
    def wants_turn(self) -> bool:
        """Whether the device has something to do, and room for what it will say."""
        return not self.device.is_idle and not self._unsent and self._due_s is None

    @property
    def wait_s(self) -> float | None:
        """How long what the device did last is still held back; None: it is not."""
        return None if self._due_s is None else max(self._due_s - time.monotonic(), 0.0)

    def unwatch(self, selector: selectors.BaseSelector) -> None:
        """Takes back what this station no longer waits for."""
        wanted = self._interests()
        for handle, events in list(self._watched.items()):
            if wanted.get(handle) != events:
                selector.unregister(handle)
                del self._watched[handle]

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Registers what this station waits for now and did not before."""
        for handle, events in self._interests().items():
            if handle not in self._watched:
                selector.register(handle, events, self)
                self._watched[handle] = events

    def exchange(self, handle: int, events: int) -> None:
        """Moves characters between line and device, as far as `handle` is ready."""
        if handle == self.device.debug_handle:
            self.attend()
            return
        if events & selectors.EVENT_WRITE:
            self._unsent = self._unsent[self.line.write(self._unsent) :]
        if events & selectors.EVENT_READ:
            self.device.send(self.line.read())

    def attend(self) -> None:
        """Lets a debugger at the device."""
        self._say(self.device.attend())

    def turn(self) -> None:
        """One thing that the device does, held back until its board would have done it."""
        if self._pace is None:
            self._say(self.device.turn())
            return
        self._pace.begin()
        self._held = self.device.turn()
        self._due_s = time.monotonic() + self._pace.ahead_s(self.device.is_idle)

    def release(self) -> None:
        """Says what was held back for long enough."""
        if self.wait_s != 0.0:
            return
        held, self._held, self._due_s = self._held, b"", None
        self._say(held)
        if self._pace and self.device.is_idle:
            self._pace.end()

    def settle(self) -> None:
        """Tells the line once all is answered."""
        if self.device.is_idle and not self._unsent and self._due_s is None:
            self.line.settle()

    def _say(self, said: bytes) -> None:
        if said:
            self._unsent += said
            self._unsent = self._unsent[self.line.write(self._unsent) :]

    def _interests(self) -> dict[int, int]:
        interests: dict[int, int] = {}
        if self.device.debug_handle >= 0:
            interests[self.device.debug_handle] = selectors.EVENT_READ
        if self.device.waiting_bytes < _MOST_WAITING_BYTES and self.line.readable >= 0:
            interests[self.line.readable] = selectors.EVENT_READ
        if self._unsent and self.line.writable >= 0:
            interests[self.line.writable] = (
                interests.get(self.line.writable, 0) | selectors.EVENT_WRITE
            )
        return interests


def serve(stations: Sequence[Station], is_over: Callable[[], bool] = lambda: False) -> None:
    """Runs the devices, each in turn, until it is over; raises EmulationError for a fault."""
    with selectors.DefaultSelector() as selector:
        while not is_over():
            _serve_once(stations, selector)


def _serve_once(stations: Sequence[Station], selector: selectors.BaseSelector) -> None:
    # In two rounds: a handle that one station has closed may already be another's.
    for station in stations:
        station.release()
        station.settle()
        station.unwatch(selector)
    for station in stations:
        station.watch(selector)
    busy = [station for station in stations if station.wants_turn]
    ready = selector.select(0 if busy else _patience(stations))
    for key, events in ready:
        key.data.exchange(key.fd, events)
    if not busy and not ready and not any(station.wait_s is not None for station in stations):
        for station in stations:
            station.attend()
    for station in busy:
        if station.wants_turn:
            station.turn()


def _patience(stations: Sequence[Station]) -> float | None:
    """How long to wait for characters before there is something else to do; None: without end."""
    intervals = [station.device.attend_every_s for station in stations]
    intervals += [station.wait_s for station in stations]
    return min((each for each in intervals if each is not None), default=None)
