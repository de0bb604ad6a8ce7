"""A dataset: labelled recordings, each assigned to training, validation or test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError
from smidgen.data.recording import Recording

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Recordings of the same channels at the same rate, with their classes and their split.

    Attributes:
        name: What reports call it.
        recordings: At least one; all with the same channel names and the same rate.
        classes: The labels, sorted; the place of a label in it is its class number.
        splits: For each recording, which side of the split it is on.
        units: One unit per channel, or empty where they are not known.
        description: What was recorded, for people.
        source: Where the data came from.

    Raises:
        DatasetError: There are no recordings, or they differ in channels or rate, or a label is
            not among the classes.
    """

    name: str
    recordings: tuple[Recording, ...]
    classes: tuple[str, ...]
    splits: tuple[Split, ...]
    units: tuple[str, ...] = ()
    description: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.recordings:
            raise DatasetError(f"dataset {self.name!r}", "it has no recordings", "add some")
        if len(self.splits) != len(self.recordings) or not set(self.splits) <= set(SPLITS):
            raise DatasetError(
                f"dataset {self.name!r}",
                "the split assignment does not fit the recordings",
                f"give one of {', '.join(SPLITS)} for each recording",
            )
        _check_alike(self.name, self.recordings)
        _check_labels(self.name, self.recordings, self.classes)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channel names that all recordings share."""
        return self.recordings[0].channels

    @property
    def rate_hz(self) -> float:
        """The sampling rate that all recordings share."""
        return self.recordings[0].rate_hz

    def select(self, split: Split) -> tuple[Recording, ...]:
        """The recordings on one side of the split, in order."""
        pairs = zip(self.recordings, self.splits, strict=True)
        return tuple(recording for recording, side in pairs if side == split)

    def counts(self, split: Split) -> dict[str, int]:
        """How many recordings of each class one side of the split has."""
        found = Counter(recording.label for recording in self.select(split))
        return {label: found[label] for label in self.classes}

    def arrays(self, split: Split) -> tuple[Array, Array]:
        """One side of the split as X float32 [n, time, channels] and y int64 [n].

        Raises:
            DatasetError: That side is empty, a recording has no label, or lengths differ.
        """
        chosen = self.select(split)
        if not chosen:
            raise DatasetError(
                f"dataset {self.name!r}", f"it has no {split} recordings", f"add some to {split}/"
            )
        return stack(chosen), class_numbers(chosen, self.classes)


def stack(recordings: Sequence[Recording]) -> Array:
    """Recordings of equal length as float32 [n, time, channels].

    Raises:
        DatasetError: Two recordings differ in length; the message names both.
    """
    first = recordings[0]
    for other in recordings:
        if other.samples.shape != first.samples.shape:
            raise DatasetError(
                f"recordings {first.name!r} and {other.name!r}",
                f"one has {len(first.samples)} samples of {len(first.channels)} channels, "
                f"the other {len(other.samples)} of {len(other.channels)}",
                "cut them to equal windows: `window_samples` in dataset.toml, or cut_windows()",
            )
    return np.stack([recording.samples for recording in recordings])


def class_numbers(recordings: Iterable[Recording], classes: Sequence[str]) -> Array:
    """The class number of each recording, int64 [n].

    Raises:
        DatasetError: A recording has no label, or one that is not among `classes`.
    """
    numbers = {label: number for number, label in enumerate(classes)}
    found = []
    for recording in recordings:
        if recording.label not in numbers:
            raise DatasetError(
                f"recording {recording.name!r}",
                "it has no label" if recording.label is None else f"unknown {recording.label!r}",
                f"label it as one of {', '.join(classes)}",
            )
        found.append(numbers[recording.label])
    return np.asarray(found, dtype=np.int64)


def sorted_classes(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """The distinct labels of `recordings`, sorted."""
    return tuple(sorted({r.label for r in recordings if r.label is not None}))


def shared_groups(dataset: Dataset) -> tuple[str, ...]:
    """Groups that have recordings on more than one side of the split, sorted.

    Where the split was made by hand, such a group makes test results look better than they are.
    """
    sides: dict[str, set[str]] = {}
    for recording, side in zip(dataset.recordings, dataset.splits, strict=True):
        if recording.group is not None:
            sides.setdefault(recording.group, set()).add(side)
    return tuple(sorted(group for group, found in sides.items() if len(found) > 1))


def require_trainable(dataset: Dataset) -> Dataset:
    """Return `dataset` if a classifier can be trained and tested on it.

    Raises:
        DatasetError: There are fewer than two classes, or a class has no training or test
            recordings; the message names it.
    """
    if len(dataset.classes) < 2:
        raise DatasetError(
            f"dataset {dataset.name!r}",
            f"it has {len(dataset.classes)} class ({', '.join(dataset.classes) or 'no labels'})",
            "a classifier needs recordings of at least two labels",
        )
    sides: tuple[Split, Split] = ("train", "test")
    for side in sides:
        for label, count in dataset.counts(side).items():
            if count == 0:
                raise DatasetError(
                    f"dataset {dataset.name!r}",
                    f"label {label!r} has no {side} recordings",
                    f"add recordings of it to {side}/, or remove the label",
                )
    return dataset


def _check_alike(name: str, recordings: Sequence[Recording]) -> None:
    first = recordings[0]
    for other in recordings:
        if other.channels != first.channels:
            raise DatasetError(
                f"dataset {name!r}",
                f"{other.name!r} has the channels {', '.join(other.channels)}, "
                f"but {first.name!r} has {', '.join(first.channels)}",
                "give all recordings the same channels in the same order",
            )
        if other.rate_hz != first.rate_hz:
            raise DatasetError(
                f"dataset {name!r}",
                f"mixed rates: {other.name!r} was sampled at {other.rate_hz:g} Hz, "
                f"but {first.name!r} at {first.rate_hz:g} Hz",
                "resample the recordings to one rate",
            )


def _check_labels(name: str, recordings: Sequence[Recording], classes: tuple[str, ...]) -> None:
    if list(classes) != sorted(set(classes)):
        raise DatasetError(
            f"dataset {name!r}", "the classes are not sorted and distinct", "sort them"
        )
    missing = set(sorted_classes(recordings)) - set(classes)
    if missing:
        raise DatasetError(
            f"dataset {name!r}",
            f"label {min(missing)!r} is not among its classes",
            "list it in `classes`",
        )
