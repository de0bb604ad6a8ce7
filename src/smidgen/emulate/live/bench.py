"""Devices side by side in one process, each with its own memory, timer and line."""

from __future__ import annotations

import selectors
from collections.abc import Sequence

from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.live.lines import Line

_MOST_WAITING_BYTES = 4096


class Station:
    """A device and its line, with flow control both ways."""

    def __init__(self, device: LiveDevice, line: Line) -> None:
        self.device = device
        self.line = line
        self._unsent = b""
        self._watched: dict[int, int] = {}

    @property
    def wants_turn(self) -> bool:
        """Whether the device has something to do, and room for what it will say."""
        return not self.device.is_idle and not self._unsent

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
        """One thing that the device does."""
        self._say(self.device.turn())

    def settle(self) -> None:
        """Tells the line once all is answered."""
        if self.device.is_idle and not self._unsent:
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


def serve(stations: Sequence[Station]) -> None:
    """Runs the devices until it is interrupted, each in turn; raises EmulationError for a fault."""
    with selectors.DefaultSelector() as selector:
        while True:
            _serve_once(stations, selector)


def _serve_once(stations: Sequence[Station], selector: selectors.BaseSelector) -> None:
    # In two rounds: a handle that one station has closed may already be another's.
    for station in stations:
        station.settle()
        station.unwatch(selector)
    for station in stations:
        station.watch(selector)
    busy = [station for station in stations if station.wants_turn]
    ready = selector.select(0 if busy else _patience(stations))
    for key, events in ready:
        key.data.exchange(key.fd, events)
    if not busy and not ready:
        for station in stations:
            station.attend()
    for station in busy:
        if station.wants_turn:
            station.turn()


def _patience(stations: Sequence[Station]) -> float | None:
    """How long to wait for characters before debuggers are attended to; None: without end."""
    intervals = [station.device.attend_every_s for station in stations]
    return min((each for each in intervals if each is not None), default=None)
