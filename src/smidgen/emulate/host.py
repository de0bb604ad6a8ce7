"""A model on this computer: the same C, compiled for the processor that we run on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from smidgen.compiler.artifact import Artifact
from smidgen.core.dtypes import Array
from smidgen.core.errors import EmulationError
from smidgen.emulate.ports import check_inputs, read_port, to_bytes
from smidgen.targets.toolchain import compile_host_library

_RUNNER = Path(__file__).with_name("host_runner.py")
_SECONDS_LIMIT = 600


class HostDevice:
    """This computer, holding one model; state lasts from run to run.

    It shows that the C computes what the reference does, and nothing of the board: neither its
    memory nor its time nor its compiler.

    Raises ToolchainError when the C is not for this computer (kernels in a core's own assembly).
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._prefix = artifact.manifest.prefix
        self._library = compile_host_library(artifact.files)
        self._arena = self._call("init", b"\xa5" * artifact.manifest.arena_bytes)

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """One inference; raises ArrayError for unfit inputs, EmulationError for a crash."""
        manifest = self.artifact.manifest
        check_inputs(manifest, inputs)
        arena = bytearray(self._arena)
        for port, given in zip(manifest.inputs, inputs, strict=True):
            arena[port.offset : port.offset + port.nbytes] = to_bytes(port, given)
        self._arena = self._call("run", bytes(arena))
        return [
            read_port(port, self._arena[port.offset : port.offset + port.nbytes])
            for port in manifest.outputs
        ]

    def _call(self, function: str, arena: bytes) -> bytes:
        with tempfile.TemporaryDirectory(prefix="smidgen-") as folder:
            place = Path(folder) / "arena"
            place.write_bytes(arena)
            symbol, parts = f"{self._prefix}_{function}", self.artifact.manifest.arenas
            starts = [str(part.start) for part in parts] or ["0"]
            command = [sys.executable, str(_RUNNER), str(self._library), str(place), symbol]
            ended = subprocess.run([*command, *starts], check=False, timeout=_SECONDS_LIMIT)
            if ended.returncode:
                raise EmulationError(
                    f"{self._prefix}_{function} on this computer",
                    f"ended with status {ended.returncode}",
                    "this is a bug in smidgen",
                )
            return place.read_bytes()
