"""What becomes of a model file: smidgen's reference and C beside TensorFlow Lite Micro."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import SmidgenError
from smidgen.emulate.proof import FLOAT_TOLERANCE, compare, random_samples
from smidgen.frontends.load import load_model
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Board, MemoryRegion, board
from smidgen.targets.toolchain import compile_host_library
from support.oracle import MicroOracle, OracleRefused

# Generated code for a core without special instructions is portable C, which this computer runs.
PORTABLE = "esp32-c3"


@dataclass(frozen=True)
class Outcome:
    """Whether the file was taken, and how it compared; "" stands for agreement."""

    file: str
    refused: str = ""
    reference_against_micro: str = ""
    c_against_reference: str = ""
    inputs: int = 0

    @property
    def good(self) -> bool:
        """Whether the file was taken and everything agreed."""
        return not (self.refused or self.reference_against_micro or self.c_against_reference)


def ample_board(name: str) -> Board:
    """A board's core and addresses with more memory than any model needs."""
    base = board(name)
    flash = MemoryRegion("flash", base.flash[0].address, 16 << 20, 0)
    ram = MemoryRegion("ram", base.ram[0].address, 8 << 20, 0)
    return replace(base, flash=(flash,), ram=(ram,))


def outcome_of(path: Path, inputs: int, seed: int = 0) -> Outcome:
    """Run the model in Micro, in the reference and in C on this computer, and compare."""
    try:
        graph = load_model(path)
        artifact = compile_graph(graph, ample_board(PORTABLE), "model")
    except SmidgenError as problem:
        return Outcome(path.name, refused=str(problem))
    samples = random_samples(graph, inputs, seed)
    reference = Reference(graph)
    expected = [tuple(reference.run(sample)) for sample in samples]
    return Outcome(
        path.name,
        "",
        _against_micro(path, graph, samples, expected),
        _against_c(artifact, samples, expected),
        inputs,
    )


def _against_micro(
    path: Path,
    graph: Graph,
    samples: Sequence[Sequence[np.ndarray]],
    expected: Sequence[tuple[np.ndarray, ...]],
) -> str:
    try:
        oracle = MicroOracle(path.read_bytes())
        theirs = [tuple(oracle.run(sample)) for sample in samples]
    except OracleRefused:
        return "Micro refuses it"
    shaped = [
        tuple(
            np.asarray(y).reshape(graph.tensors[name].shape)
            for name, y in zip(graph.outputs, ys, strict=True)
        )
        for ys in theirs
    ]
    return _difference(expected, shaped)


def _against_c(
    artifact: Artifact,
    samples: Sequence[Sequence[np.ndarray]],
    expected: Sequence[tuple[np.ndarray, ...]],
) -> str:
    host = HostModel(artifact)
    return _difference(expected, [host.run(sample) for sample in samples])


def _difference(
    expected: Sequence[tuple[np.ndarray, ...]], found: Sequence[tuple[np.ndarray, ...]]
) -> str:
    proof = compare(expected, found)
    if not proof.mismatches:
        return ""
    worst = proof.largest_float_error
    size = f", float error {worst:.1e} above {FLOAT_TOLERANCE:.0e}" if worst else ""
    return f"{proof.mismatches} of {proof.bytes_compared} bytes differ{size}"


class HostModel:
    """A portable artifact, compiled for this computer."""

    def __init__(self, artifact: Artifact) -> None:
        self._manifest = artifact.manifest
        self._library = ctypes.CDLL(str(compile_host_library(dict(artifact.files))))
        words = self._manifest.arena_bytes // 8 + 2
        self._arena = (ctypes.c_uint64 * words)(*[0xA5A5A5A5A5A5A5A5] * words)
        self._start = (ctypes.addressof(self._arena) + 15) & ~15
        self.reset()

    def reset(self) -> None:
        """Put the state back to its initial values."""
        self._call("init")

    def run(self, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """One inference."""
        for port, given in zip(self._manifest.inputs, inputs, strict=True):
            ctypes.memmove(self._start + port.offset, given.tobytes(), given.nbytes)
        self._call("run")
        return tuple(
            np.frombuffer(
                ctypes.string_at(self._start + port.offset, port.nbytes), port.element.numpy
            ).reshape(port.shape)
            for port in self._manifest.outputs
        )

    def _call(self, verb: str) -> None:
        getattr(self._library, f"{self._manifest.prefix}_{verb}")(ctypes.c_void_p(self._start))
