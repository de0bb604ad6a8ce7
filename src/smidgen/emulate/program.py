"""What is compiled for an emulated board: C files, what must be kept, and how to optimise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smidgen.core.errors import ArtifactError, ToolchainError
from smidgen.targets.catalogue import Board
from smidgen.targets.toolchain import compile_firmware


@dataclass(frozen=True, slots=True)
class FirmwareSources:
    """C files by name, and the functions and objects that are used from outside.

    `rests_in` is the function in which the core waits between calls, if there is one; `made_for`
    names the core that the C was generated for.
    """

    files: Mapping[str, str]
    entry_symbols: tuple[str, ...]
    optimise: str = "-O2"
    defines: tuple[str, ...] = ()
    rests_in: str = ""
    made_for: str = ""

    def link(self, board: Board) -> bytes:
        """The ELF file for `board`, without start-up code.

        Raises DoesNotFit, ToolchainError, and ArtifactError for C of another core that does not
        compile for this one.
        """
        try:
            return compile_firmware(
                self.files,
                board,
                optimise=self.optimise,
                entry_symbols=self.entry_symbols,
                defines=self.defines,
            )
        except ToolchainError as problem:
            if self.made_for in ("", board.core.name):
                raise
            raise ArtifactError(
                f"build for {self.made_for}",
                f"its C does not compile for {board.core.name}",
                f"compile the model anew with --board {board.name}",
            ) from problem
