"""Which training series are held out: class by class, by a seed."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError


def hold_out(y: Array, fraction: float, seed: int) -> Array:
    """Mark `fraction` of each class, bool [n]; each class keeps a series to learn from.

    Raises:
        ArrayError: No class has two series, so that none can be held out.
    """
    rng = np.random.default_rng(seed)
    marked = np.zeros(len(y), dtype=bool)
    for number in np.unique(y):
        places = rng.permutation(np.flatnonzero(y == number))
        marked[places[: min(max(1, round(len(places) * fraction)), len(places) - 1)]] = True
    if not marked.any():
        raise ArrayError(
            "y", "too few series to hold some out", "set validation_fraction to 0, or record more"
        )
    return marked


def folds(y: Array, number: int, seed: int) -> Array:
    """The fold of each series, int [n], each class spread evenly over folds 0 to number - 1.

    Raises:
        ArrayError: Fewer than two folds, or a class with fewer than two series.
    """
    counts = np.bincount(y)
    if number < 2 or counts[counts > 0].min() < 2:
        raise ArrayError(
            "y",
            f"{number} folds of classes with {counts[counts > 0].min()} series or more",
            "cross-validation needs two folds and two series of each class",
        )
    rng = np.random.default_rng(seed)
    fold = np.zeros(len(y), dtype=np.int64)
    for start, label in enumerate(np.unique(y)):
        places = rng.permutation(np.flatnonzero(y == label))
        # Each class begins at another fold, so that small classes do not pile up in the first.
        fold[places] = (np.arange(len(places)) + start) % number
    return fold
