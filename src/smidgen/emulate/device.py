"""A model on its board: an Artifact, compiled, linked and running on the emulated core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.compiler.artifact import Artifact, Port
from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ArrayError
from smidgen.emulate.counter import Block
from smidgen.emulate.machine import Machine
from smidgen.targets.catalogue import Board
from smidgen.targets.toolchain import compile_firmware

ARENA = "smg_arena"

# What a user's firmware has around a model, and nothing else, so that sizes are the model's own.
_HARNESS = """#include "{prefix}.h"

uint8_t {arena}[{upper}_ARENA_BYTES] __attribute__((aligned({upper}_ARENA_ALIGNMENT)));
"""


def build_firmware(artifact: Artifact, board: Board) -> bytes:
    """The ELF image of the model with a static arena; raises DoesNotFit, ToolchainError."""
    manifest = artifact.manifest
    prefix = manifest.prefix
    harness = _HARNESS.format(prefix=prefix, upper=prefix.upper(), arena=ARENA)
    level = next(flag for flag in manifest.compile_flags if flag.startswith("-O"))
    return compile_firmware(
        {**artifact.files, "smg_firmware.c": harness},
        board,
        optimise=level,
        entry_symbols=(f"{prefix}_run", f"{prefix}_init", ARENA),
    )


class Device:
    """One emulated board that holds one model; state lasts from run to run until `reset`."""

    def __init__(self, artifact: Artifact, board: Board) -> None:
        self.artifact = artifact
        self.machine = Machine(build_firmware(artifact, board), board)
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
        ports = self.artifact.manifest.inputs
        if len(inputs) != len(ports):
            raise ArrayError(
                f"model {self.artifact.manifest.name!r}",
                f"got {len(inputs)} input arrays, takes {len(ports)}",
            )
        for port, given in zip(ports, inputs, strict=True):
            self.machine.write(self._arena + port.offset, _to_bytes(port, given))
        self.machine.call(f"{self._prefix}_run", self._arena)
        return [self._read(port) for port in self.artifact.manifest.outputs]

    def take_blocks(self) -> tuple[Block, ...]:
        """What ran since the last take (or reset): the counts start again."""
        blocks = self.machine.blocks()
        self.machine.clear_counts()
        return blocks

    def _read(self, port: Port) -> Array:
        raw = self.machine.read(self._arena + port.offset, port.nbytes)
        return np.frombuffer(raw, port.element.numpy).reshape(port.shape)


def _to_bytes(port: Port, given: Array) -> bytes:
    wanted = port.element
    if given.dtype != wanted.numpy or given.shape != port.shape:
        raise ArrayError(
            f"input {port.name!r}",
            f"got {given.dtype}{list(given.shape)}, takes {wanted.label}{list(port.shape)}",
            "convert or reshape the array",
        )
    assert wanted is not DType.INT4
    return given.astype(wanted.numpy.newbyteorder("<"), copy=False).tobytes()
