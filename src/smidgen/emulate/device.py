"""A model on its board: an Artifact, compiled, linked and running on the emulated core."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.compiler.artifact import Artifact, Manifest, Port
from smidgen.compiler.codegen.arenas import MAIN, Arenas, declare_arenas
from smidgen.core.dtypes import Array
from smidgen.emulate.emulators import open_machine
from smidgen.emulate.ports import check_inputs, read_port, to_bytes
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.stack.bound import StackBound, stack_bound
from smidgen.emulate.timing.cycles import Counts
from smidgen.targets.catalogue import Board

ARENA = "smg_arena"

# What a user's firmware has around a model, and nothing else, so that sizes are the model's own.
_HARNESS = """#include "{prefix}.h"

{arenas}"""


def model_program(artifact: Artifact) -> FirmwareSources:
    """The model with a static arena, to be linked for a board."""
    manifest = artifact.manifest
    prefix = manifest.prefix
    arenas = declare_arenas(prefix, manifest.arenas, "uint8_t", ARENA)
    harness = _HARNESS.format(prefix=prefix, arenas=arenas)
    return FirmwareSources(
        {**artifact.files, "smg_firmware.c": harness},
        entry_symbols=(f"{prefix}_run", f"{prefix}_init", *_arena_symbols(manifest)),
        optimise=next(flag for flag in manifest.compile_flags if flag.startswith("-O")),
        made_for=manifest.core,
    )


def _arena_symbols(manifest: Manifest) -> tuple[str, ...]:
    return tuple(ARENA + name.removeprefix(MAIN) for name in Arenas(manifest.arenas).names)


class Device:
    """One emulated board that holds one model; state lasts from run to run until `reset`.

    `emulator` is the name of another emulator than the one that the board's core asks for.
    Raises DoesNotFit, ToolchainError, EmulationError.
    """

    def __init__(self, artifact: Artifact, board: Board, emulator: str = "") -> None:
        self.artifact = artifact
        self.machine = open_machine(model_program(artifact), board, emulator)
        self._prefix = artifact.manifest.prefix
        symbols = [self.machine.symbol(name) for name in _arena_symbols(artifact.manifest)]
        self._arenas = [address for address, _ in symbols]
        self._arena_bytes = [nbytes for _, nbytes in symbols]
        layers = tuple(layer.symbol for layer in artifact.manifest.layers)
        self.machine.set_regions(f"{self._prefix}_run", layers)
        self.reset()

    def reset(self) -> None:
        """Power the board up again: memory as at start, model state initial, counts cleared.

        The arena is filled with a pattern, so that code which reads what it never wrote shows.
        """
        self.machine.reset()
        for address, nbytes in zip(self._arenas, self._arena_bytes, strict=True):
            self.machine.write(address, b"\xa5" * nbytes)
        self.machine.call(f"{self._prefix}_init", *self._arenas)
        self.machine.clear_counts()

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """One inference; raises ArrayError for unfit inputs, EmulationError for a fault."""
        manifest = self.artifact.manifest
        check_inputs(manifest, inputs)
        for port, given in zip(manifest.inputs, inputs, strict=True):
            self.machine.write(self._arenas[0] + port.offset, to_bytes(port, given))
        self.machine.call(f"{self._prefix}_run", *self._arenas)
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
        return read_port(port, self.machine.read(self._arenas[0] + port.offset, port.nbytes))
