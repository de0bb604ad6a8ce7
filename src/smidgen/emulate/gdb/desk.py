"""The place where a debugger sits: what it is told of stops, and what it wants done then."""

from __future__ import annotations

import socket
from collections.abc import Callable

from smidgen.emulate.gdb.control import Go, Reason, Stop
from smidgen.emulate.gdb.server import GdbServer
from smidgen.emulate.gdb.stub import Ending, Stub, Target
from smidgen.emulate.remote.requests import Killed, PowerCycle


class Desk:
    """A debugger's place at `target`, which it reaches through the port `listener`.

    `go` is how the core is to run on; `rest` has it stand where it waits for calls.
    """

    def __init__(self, listener: socket.socket, target: Target, rest: Callable[[], None]) -> None:
        self.go = Go()
        self._server = GdbServer(listener)
        self._target, self._stub = target, Stub(target)
        self._rest = rest
        self._starts_halted = False

    @property
    def handle(self) -> int:
        """What is to be watched for a debugger that wants something."""
        return self._server.handle

    def is_called(self) -> bool:
        """Whether the debugger wants something."""
        return self._server.is_called()

    def close(self) -> None:
        """Lets the debugger go, and gives the port back."""
        self._server.close()

    def consult(self, stop: Stop) -> None:
        """Tells of `stop` and does what is asked for until the core is to run on.

        Raises PowerCycle and Killed where the debugger says so.
        """
        then = self._server.talk(self._stub, stop)
        self.go = then if isinstance(then, Go) else Go()
        if not isinstance(then, Ending):
            return
        if then is Ending.RESET:
            self._starts_halted = True
            self._rest()
            raise PowerCycle
        self._target.control.clear()
        if then is Ending.KILL:
            raise Killed

    def stop_at_start(self, address: int) -> Stop | None:
        """The stop before the first instruction of a call, at `address`."""
        if self._starts_halted:
            self._starts_halted = False
            return Stop(Reason.NONE)
        if self.go.is_step:
            return Stop(Reason.STEPPED)
        if self._target.control.has_breakpoint(address):
            return Stop(Reason.BREAKPOINT)
        return Stop(Reason.INTERRUPTED) if self.is_called() else None

    def stop_at_end(self, address: int) -> Stop | None:
        """The stop of a call that has returned to `address`; a step or breakpoint may end there."""
        if self._target.control.has_breakpoint(address):
            return Stop(Reason.BREAKPOINT)
        ends_step = self.go.is_step and address not in self.go.span
        return Stop(Reason.STEPPED) if ends_step else None


class Debugged:
    """What those who run a machine with a debugger's desk ask of it."""

    _desk: Desk

    @property
    def debug_handle(self) -> int:
        """What is to be watched for a debugger that wants `attend`."""
        return self._desk.handle

    @property
    def attend_every_s(self) -> float | None:
        """Only when there is something to read."""
        return None

    def attend(self) -> None:
        """Serves the debugger, if it wants something, while nothing is being called."""
        if self._desk.is_called():
            self._desk.consult(Stop(Reason.INTERRUPTED))
            self._run_what_the_debugger_calls()

    def close(self) -> None:
        """Lets the debugger go, and gives the port back."""
        self._desk.close()

    def _run_what_the_debugger_calls(self) -> None:
        """It may have set the program counter, as GDB does for `print f(1)`."""
        raise NotImplementedError
