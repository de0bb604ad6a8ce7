"""Graphs with layers in bands of rows, for tests that compare them with whole ones."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from smidgen.compiler.bands.extents import plan_bands
from smidgen.compiler.bands.op import RowBands, cut_out, with_bands
from smidgen.graph.graph import Graph

PACES = (Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(5))


def in_bands(graph: Graph, first: int, end: int, pace: Fraction) -> Graph | None:
    """`graph` with nodes `first` to `end` - 1 in bands; None where they cannot be."""
    body = cut_out(graph, first, end)
    if body is None or plan_bands(body, pace) is None:
        return None
    return with_bands(graph, first, end, RowBands(body, pace))


def longest_bands(graph: Graph, seed: int) -> Graph | None:
    """`graph` with the longest run of layers that can be in bands, at some pace."""
    rng = np.random.default_rng(seed)
    count = len(graph.nodes)
    runs = [(first, end) for first in range(count) for end in range(first + 1, count + 1)]
    for first, end in sorted(runs, key=lambda run: run[0] - run[1]):
        banded = in_bands(graph, first, end, PACES[rng.integers(len(PACES))])
        if banded is not None:
            return banded
    return None
