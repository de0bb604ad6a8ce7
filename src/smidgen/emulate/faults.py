"""What stopped an emulated core, as an error that names place and probable cause."""

from __future__ import annotations

from dataclasses import dataclass

from smidgen.core.errors import EmulationError
from smidgen.emulate.linked.firmware import Firmware
from smidgen.targets.catalogue import Board


@dataclass(frozen=True, slots=True)
class Fault:
    """What stopped the core at `pc`; `number` is the emulator's exception number, if any."""

    pc: int
    why: str
    number: int | None = None

    def error(self, symbol: str, board: Board, firmware: Firmware) -> EmulationError:
        """The error to raise for a fault during a call of `symbol`."""
        function = firmware.function_at(self.pc)
        place = f"{function.name}+{self.pc - function.address:#x}" if function else "no function"
        why = self.why or f"exception {self.number} of the emulated core"
        return EmulationError(
            f"{symbol} on {board.name}", f"{why}, at pc {self.pc:#010x} in {place}", _hint(why)
        )


def _hint(why: str) -> str:
    if why.startswith("stack overflow"):
        return "reserve more stack (reserve_stack_bytes), or keep less on it"
    if why.startswith("ran more than"):
        return "raise instruction_limit if the code is meant to take this long"
    return ""
