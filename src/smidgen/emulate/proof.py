"""The proof: the emulated board's output bytes beside the reference's, for every input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.emulate.samples import draw_inputs
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph

FLOAT_TOLERANCE = 1e-4
"""How far a float output may lie from the reference, relative to its largest value (at least 1)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How many output bytes were compared, and how many differed; `outputs` are the board's.

    Integer outputs must be equal, byte for byte. Float outputs, whose reference is computed in
    float64, must lie within `FLOAT_TOLERANCE`; an element outside of it counts as its four bytes,
    and `largest_float_error` is the worst one met (None without float outputs).
    """

    inputs: int
    bytes_compared: int
    mismatches: int
    largest_float_error: float | None
    outputs: tuple[tuple[Array, ...], ...]
    reference_outputs: tuple[tuple[Array, ...], ...]

    @property
    def holds(self) -> bool:
        """Whether something was compared and nothing differed."""
        return self.bytes_compared > 0 and self.mismatches == 0


class Runner(Protocol):
    """What runs a model: a board, or this computer."""

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """One inference."""


def ignore_progress(done: int) -> None:
    """For callers who do not watch."""
    del done


def prove(
    graph: Graph,
    device: Runner,
    samples: Iterable[Sequence[Array]],
    progress: Callable[[int], None] = ignore_progress,
) -> Proof:
    """Run every sample (one array for each input) in the reference and on the board, and compare.

    State carries over from sample to sample on both sides. `progress` gets the count so far.
    """
    reference = Reference(graph)
    expected, found = [], []
    for done, sample in enumerate(samples, start=1):
        expected.append(tuple(reference.run(sample)))
        found.append(tuple(device.run(sample)))
        progress(done)
    return compare(expected, found)


def compare(expected: Sequence[tuple[Array, ...]], found: Sequence[tuple[Array, ...]]) -> Proof:
    """The proof that outputs `found` are those that are `expected`, sample by sample."""
    pairs = [
        (ours, theirs)
        for wanted, given in zip(expected, found, strict=True)
        for ours, theirs in zip(wanted, given, strict=True)
    ]
    errors = [float_errors(ours, theirs) for ours, theirs in pairs if ours.dtype.kind == "f"]
    outside = sum(int((error > FLOAT_TOLERANCE).sum()) for error in errors)
    differing = sum(differing_bytes(*pair) for pair in pairs if pair[0].dtype.kind != "f")
    worst = max((float(error.max(initial=0.0)) for error in errors), default=None)
    return Proof(
        len(found),
        sum(ours.nbytes for ours, _ in pairs),
        differing + 4 * outside,
        worst,
        tuple(found),
        tuple(expected),
    )


def differing_bytes(a: Array, b: Array) -> int:
    """In how many bytes two arrays of one size differ."""
    left, right = (np.frombuffer(np.ascontiguousarray(x).tobytes(), np.uint8) for x in (a, b))
    return int((left != right).sum())


def float_errors(expected: Array, found: Array) -> Array:
    """The error of each element, relative to the largest expected magnitude, or to 1 if smaller.

    Two infinities of one sign, and two NaNs, agree.
    """
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    finite = expected[np.isfinite(expected)]
    scale = max(1.0, float(np.abs(finite).max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        apart = np.abs(expected.astype(np.float64) - found) / scale
    errors: Array = np.where(same, 0.0, np.where(np.isfinite(apart), apart, np.inf))
    return errors


def random_samples(graph: Graph, count: int, seed: int = 0) -> list[list[Array]]:
    """Inputs that exercise a graph; see `draw_inputs`."""
    types = [graph.tensors[name].type for name in graph.inputs]
    return draw_inputs(types, count, seed)
