"""What is compiled for an emulated board: C files, what must be kept, and how to optimise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smidgen.targets.catalogue import Board
from smidgen.targets.toolchain import compile_firmware


@dataclass(frozen=True, slots=True)
class FirmwareSources:
    """C files by name, and the functions and objects that are used from outside.

    `rests_in` is the function in which the core waits between calls, if there is one.
    """

    files: Mapping[str, str]
    entry_symbols: tuple[str, ...]
    optimise: str = "-O2"
    defines: tuple[str, ...] = ()
    rests_in: str = ""

    def link(self, board: Board) -> bytes:
        """The ELF file for `board`, without start-up code; raises DoesNotFit, ToolchainError."""
        return compile_firmware(
            self.files,
            board,
            optimise=self.optimise,
            entry_symbols=self.entry_symbols,
            defines=self.defines,
        )
