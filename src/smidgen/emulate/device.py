"""A model on its board: an Artifact, compiled, linked and running on the emulated core."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.compiler.artifact import Artifact, Port
from smidgen.core.dtypes import Array
from smidgen.emulate.cycles import Counts
from smidgen.emulate.emulators import open_machine
from smidgen.emulate.ports import check_inputs, read_port, to_bytes
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.stack import StackBound, stack_bound
from smidgen.targets.catalogue import Board

ARENA = "smg_arena"

# What a user's firmware has around a model, and nothing else, so that sizes are the model's own.
_HARNESS = """#include "{prefix}.h"

uint8_t {arena}[{upper}_ARENA_BYTES] __attribute__((aligned({upper}_ARENA_ALIGNMENT)));
"""


def model_program(artifact: Artifact) -> FirmwareSources:
    """The model with a static arena, to be linked for a board."""
    manifest = artifact.manifest
    prefix = manifest.prefix
    harness = _HARNESS.format(prefix=prefix, upper=prefix.upper(), arena=ARENA)
    return FirmwareSources(
        {**artifact.files, "smg_firmware.c": harness},
        entry_symbols=(f"{prefix}_run", f"{prefix}_init", ARENA),
        optimise=next(flag for flag in manifest.compile_flags if flag.startswith("-O")),
    )


class Device:
    """One emulated board that holds one model; state lasts from run to run until `reset`.

    `emulator` is the name of another emulator than the one that the board's core asks for.
    Raises DoesNotFit, ToolchainError, EmulationError.
    """

    def __init__(self, artifact: Artifact, board: Board, emulator: str = "") -> None:
        self.artifact = artifact
        self.machine = open_machine(model_program(artifact), board, emulator)
        self._prefix = artifact.manifest.prefix
        self._arena, _ = self.machine.symbol(ARENA)
        layers = tuple(layer.symbol for layer in artifact.manifest.layers)
        self.machine.set_regions(f"{self._prefix}_run", layers)
        self.reset()

    def reset(self) -> None:
        """Power the board up again: memory as at start, model state initial, counts cleared.

        The arena is filled with a pattern, so that code which reads what it never wrote shows.
        """
        self.machine.reset()
        self.machine.write(self._arena, b"\xa5" * self.artifact.manifest.arena_bytes)
        self.machine.call(f"{self._prefix}_init", self._arena)
        self.machine.clear_counts()

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """One inference; raises ArrayError for unfit inputs, EmulationError for a fault."""
        manifest = self.artifact.manifest
        check_inputs(manifest, inputs)
        for port, given in zip(manifest.inputs, inputs, strict=True):
            self.machine.write(self._arena + port.offset, to_bytes(port, given))
        self.machine.call(f"{self._prefix}_run", self._arena)
        return [self._read(port) for port in manifest.outputs]

    def take_counts(self) -> Counts:
        """What ran since the last take (or reset): the counts start again."""
        counts = self.machine.counts()
        self.machine.clear_counts()
        return counts

    def stack_bound(self) -> StackBound:
        """The deepest stack of start and run that the call graph allows."""
        machine = self.machine
        entries = (f"{self._prefix}_init", f"{self._prefix}_run")
        return stack_bound(machine.firmware, machine.board.core, entries)

    def _read(self, port: Port) -> Array:
        return read_port(port, self.machine.read(self._arena + port.offset, port.nbytes))
