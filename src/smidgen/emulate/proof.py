"""The proof: the emulated board's output bytes beside the reference's, for every input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.emulate.device import Device
from smidgen.emulate.samples import draw_inputs
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph


@dataclass(frozen=True, slots=True)
class Proof:
    """How many output bytes were compared, and how many differed; `outputs` are the board's."""

    inputs: int
    bytes_compared: int
    mismatches: int
    outputs: tuple[tuple[Array, ...], ...]
    reference_outputs: tuple[tuple[Array, ...], ...]

    @property
    def holds(self) -> bool:
        """Whether something was compared and nothing differed."""
        return self.bytes_compared > 0 and self.mismatches == 0


def ignore_progress(done: int) -> None:
    """For callers who do not watch."""
    del done


def prove(
    graph: Graph,
    device: Device,
    samples: Iterable[Sequence[Array]],
    progress: Callable[[int], None] = ignore_progress,
) -> Proof:
    """Run every sample (one array for each input) in the reference and on the board, and compare.

    State carries over from sample to sample on both sides. `progress` gets the count so far.
    """
    reference = Reference(graph)
    expected, found = [], []
    compared = mismatches = 0
    for done, sample in enumerate(samples, start=1):
        expected.append(tuple(reference.run(sample)))
        found.append(tuple(device.run(sample)))
        for ours, theirs in zip(expected[-1], found[-1], strict=True):
            compared += ours.nbytes
            mismatches += differing_bytes(ours, theirs)
        progress(done)
    return Proof(len(found), compared, mismatches, tuple(found), tuple(expected))


def differing_bytes(a: Array, b: Array) -> int:
    """In how many bytes two arrays of one size differ."""
    left, right = (np.frombuffer(np.ascontiguousarray(x).tobytes(), np.uint8) for x in (a, b))
    return int((left != right).sum())


def random_samples(graph: Graph, count: int, seed: int = 0) -> list[list[Array]]:
    """Inputs that exercise a graph; see `draw_inputs`."""
    types = [graph.tensors[name].type for name in graph.inputs]
    return draw_inputs(types, count, seed)
