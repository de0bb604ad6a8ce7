"""Splits that keep a group (a subject, a session) on one side, and windows cut after that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError
from smidgen.data.dataset import Dataset, Split, class_numbers
from smidgen.data.recording import Recording

MAX_WINDOWS = 1_000_000


def split_by_group(dataset: Dataset, test_fraction: float, seed: int) -> Dataset:
    """Assign whole groups to train and test, as evenly over the classes as the groups allow.

    Groups are taken into the test side one at a time, in an order shuffled by `seed`, each time
    the one that brings the share of every class nearest to `test_fraction` (least squares), and
    never one that would leave the training side without a class. An earlier split is forgotten.

    Args:
        dataset: Recordings, all of them labelled.
        test_fraction: The share to test on, between 0 and 1, both excluded.
        seed: Decides between groups that would do equally well.

    Raises:
        DatasetError: The fraction is out of range, or a label comes from one group only and so
            cannot be both trained on and tested.
    """
    if not 0 < test_fraction < 1:
        raise DatasetError(
            f"dataset {dataset.name!r}",
            f"test_fraction is {test_fraction}",
            "choose a share between 0 and 1, such as 0.25",
        )
    groups = sorted({recording.own_group for recording in dataset.recordings})
    counts = _count_by_group(dataset, groups)
    _check_divisible(dataset, counts)
    chosen = _choose_groups(counts, test_fraction, seed)
    held_out = {group for group, taken in zip(groups, chosen, strict=True) if taken}
    _check_tested(dataset, counts, chosen)
    splits: tuple[Split, ...] = tuple(
        "test" if recording.own_group in held_out else "train" for recording in dataset.recordings
    )
    return replace(dataset, splits=splits)


def cut_windows(
    recordings: Sequence[Recording], window_samples: int, hop_samples: int
) -> list[Recording]:
    """Cut recordings into windows of equal length; what is left over at an end is dropped.

    Windows of one recording keep its group (or take its name as one), so that overlapping
    windows cannot be separated by a later split.

    Raises:
        DatasetError: The window or the hop is below 1, no recording is long enough, or there
            would be more than `MAX_WINDOWS` windows.
    """
    if window_samples < 1 or hop_samples < 1:
        raise DatasetError(
            "windows",
            f"window of {window_samples} and hop of {hop_samples} samples",
            "both must be at least 1",
        )
    number = sum(1 + max(-1, len(r.samples) - window_samples) // hop_samples for r in recordings)
    if number > MAX_WINDOWS:
        raise DatasetError("windows", f"there would be {number}", "choose a larger hop")
    windows = [w for r in recordings for w in _windows_of(r, window_samples, hop_samples)]
    if not windows:
        longest = max((len(r.samples) for r in recordings), default=0)
        raise DatasetError(
            "windows",
            f"no recording has {window_samples} samples; the longest has {longest}",
            "choose a shorter window",
        )
    return windows


def _windows_of(recording: Recording, window: int, hop: int) -> list[Recording]:
    starts = range(0, len(recording.samples) - window + 1, hop)
    return [
        replace(
            recording,
            name=f"{recording.name}@{start:07d}",
            samples=recording.samples[start : start + window],
            group=recording.own_group,
        )
        for start in starts
    ]


def _count_by_group(dataset: Dataset, groups: list[str]) -> Array:
    """Recordings per group and class, int64 [groups, classes]."""
    place = {group: index for index, group in enumerate(groups)}
    counts: Array = np.zeros((len(groups), len(dataset.classes)), dtype=np.int64)
    classes = class_numbers(dataset.recordings, dataset.classes).tolist()
    for recording, number in zip(dataset.recordings, classes, strict=True):
        counts[place[recording.own_group], number] += 1
    return counts


def _check_divisible(dataset: Dataset, counts: Array) -> None:
    for label, groups in zip(dataset.classes, (counts > 0).sum(axis=0), strict=True):
        if groups < 2:
            raise DatasetError(
                f"dataset {dataset.name!r}",
                f"label {label!r} comes from one recording or group only, so it cannot be both "
                "trained on and tested",
                "record it again in another session, or make train/ and test/ folders yourself",
            )


def _check_tested(dataset: Dataset, counts: Array, chosen: Array) -> None:
    for label, tested in zip(dataset.classes, counts[chosen].sum(axis=0), strict=True):
        if tested == 0:
            raise DatasetError(
                f"dataset {dataset.name!r}",
                f"the groups overlap so that label {label!r} has no test recordings",
                "make train/ and test/ folders yourself, or record more groups",
            )


def _choose_groups(counts: Array, test_fraction: float, seed: int) -> Array:
    """Greedy choice of test groups, bool [groups]; deterministic for one seed."""
    order = np.random.default_rng(seed).permutation(len(counts))
    shuffled = counts[order]
    totals = counts.sum(axis=0)
    target = np.maximum(1.0, totals * test_fraction)
    chosen = np.zeros(len(counts), dtype=bool)
    held = np.zeros_like(totals)
    while True:
        cost = ((((held + shuffled) - target) / totals) ** 2).sum(axis=1)
        empties_training = ((held + shuffled) >= totals).any(axis=1)
        cost[chosen | empties_training] = np.inf
        best = int(np.argmin(cost))
        if not cost[best] < (((held - target) / totals) ** 2).sum():
            break
        chosen[best] = True
        held = held + shuffled[best]
    result = np.zeros(len(counts), dtype=bool)
    result[order[chosen]] = True
    return result
