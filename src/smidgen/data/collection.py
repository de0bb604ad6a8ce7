"""Datasets out of .ts files: a pair ``X_TRAIN.ts`` and ``X_TEST.ts``, or one file to split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from smidgen.core.errors import DatasetError
from smidgen.data.dataset import Dataset, Split, require_trainable, sorted_classes
from smidgen.data.manifest import TEST_FRACTION
from smidgen.data.readers.ts import Missing, TsFile, read_ts
from smidgen.data.splitting import split_by_group

_TRAIN, _TEST = "_TRAIN", "_TEST"


def read_ts_dataset(
    path: Path | str,
    rate_hz: float = 1.0,
    channels: Sequence[str] | None = None,
    missing: Missing = "refuse",
) -> Dataset:
    """Read a .ts file as a dataset: with its other half where it is half of a train/test pair.

    Args:
        path: ``X_TRAIN.ts`` or ``X_TEST.ts`` beside its other half; any other name is read alone
            and split at random, a quarter for the test.
        rate_hz: Samples per second; the format does not say it.
        channels: Names of the channels, ``dim_0`` ... where None.
        missing: See `read_ts`.

    Raises:
        DatasetError: A file breaks the format, has no labels, or cannot be trained and tested on.
    """
    path = Path(path)
    halves = _halves(path)
    if halves is None:
        whole = _labelled(read_ts(path, rate_hz, channels, missing), path)
        return split_by_group(_dataset([(whole, "train")]), TEST_FRACTION, seed=0)
    train, test = halves
    parts: list[tuple[TsFile, Split]] = [
        (_labelled(read_ts(train, rate_hz, channels, missing), train), "train"),
        (_labelled(read_ts(test, rate_hz, channels, missing), test), "test"),
    ]
    return require_trainable(_dataset(parts))


def _halves(path: Path) -> tuple[Path, Path] | None:
    for mark in (_TRAIN, _TEST):
        stem = path.stem.removesuffix(mark)
        train = path.with_name(f"{stem}{_TRAIN}{path.suffix}")
        test = path.with_name(f"{stem}{_TEST}{path.suffix}")
        if stem != path.stem and train.exists() and test.exists():
            return train, test
    return None


def _labelled(part: TsFile, path: Path) -> TsFile:
    if not part.classes:
        what = "regression targets" if part.targets else "no labels"
        raise DatasetError(str(path), f"it has {what}", "a classifier needs @classLabel true ...")
    return part


def _dataset(parts: list[tuple[TsFile, Split]]) -> Dataset:
    recordings = [recording for part, _ in parts for recording in part.recordings]
    splits: list[Split] = [split for part, split in parts for _ in part.recordings]
    return Dataset(
        name=parts[0][0].problem,
        recordings=tuple(recordings),
        classes=sorted_classes(recordings),
        splits=tuple(splits),
    )


def renamed(
    dataset: Dataset, name: str, units: tuple[str, ...], about: str, source: str
) -> Dataset:
    """`dataset` with what its files do not say: name, units, description and source."""
    return replace(dataset, name=name, units=units, description=about, source=source)
