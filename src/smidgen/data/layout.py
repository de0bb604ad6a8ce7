"""Our dataset folder: ``dataset.toml`` beside recordings sorted into folders by split and label.

::

    my-gestures/
      dataset.toml
      train/circle/anna__01.csv      split / label / group__name
      train/shake/anna__02.csv
      test/circle/ben__01.csv
      validation/...                 optional
      groups.csv                     optional: file,group instead of the name's prefix

Recordings are ``.csv`` (a header row with the channels, optionally a time column), ``.npy``
(``[time, channels]``) or 16-bit ``.wav``. Without ``train/`` and ``test/`` the label folders lie at
the top, and whole groups are split by a seed. With ``label_column`` a CSV says itself, row by row,
what it is; the label folders are left out and each run of one label becomes a recording.

``dataset.toml`` (read by `smidgen.data.manifest`)::

    name = "my-gestures"
    rate_hz = 50.0
    channels = ["ax", "ay", "az"]
    units = ["g", "g", "g"]            # optional, as is all that follows
    description = "..."
    source = "..."
    label_column = "activity"
    ignore_columns = ["battery"]
    window_samples = 100
    hop_samples = 50
    test_fraction = 0.25
    split_seed = 0

What is read is bounded: `MAX_RECORDINGS` files, `MAX_TOTAL_VALUES` numbers, and per file the
limits of `smidgen.data.readers.limits`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from smidgen.core.errors import DatasetError
from smidgen.data.dataset import SPLITS, Dataset, Split, require_trainable, sorted_classes
from smidgen.data.manifest import MANIFEST_NAME, Manifest, read_manifest
from smidgen.data.readers.csv import read_csv
from smidgen.data.readers.limits import checked_size
from smidgen.data.readers.npy import read_npy
from smidgen.data.readers.wav import read_wav
from smidgen.data.recording import Recording
from smidgen.data.splitting import cut_windows, split_by_group

MAX_RECORDINGS = 100_000
MAX_TOTAL_VALUES = 2**28
MAX_GROUPS_BYTES = 64 * 2**20
RATE_TOLERANCE = 0.05
SUFFIXES = (".csv", ".npy", ".wav")
GROUPS_NAME = "groups.csv"
GROUP_SEPARATOR = "__"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A recording file and what its place in the folder says of it."""

    path: Path
    split: Split | None
    label: str | None
    group: str | None


def read_dataset(path: Path | str) -> Dataset:
    """Read a dataset folder.

    Raises:
        DatasetError: The folder, its ``dataset.toml`` or a recording is missing, malformed or too
            large; recordings differ in channels or rate; there is only one class; a label has no
            training or no test recordings. The message names the file, and line and column.
    """
    root = Path(path)
    if not root.is_dir():
        raise DatasetError(
            str(root), "there is no such folder", "give a folder with a dataset.toml in it"
        )
    manifest = read_manifest(root / MANIFEST_NAME)
    entries = _find_entries(root, manifest)
    read = list(_read_entries(entries, manifest))
    dataset = Dataset(
        name=manifest.name,
        recordings=tuple(recording for _, recording in read),
        classes=sorted_classes(recording for _, recording in read),
        splits=tuple(entry.split or "train" for entry, _ in read),
        units=manifest.units,
        description=manifest.description,
        source=manifest.source,
    )
    return require_trainable(_with_windows(_with_split(dataset, entries, manifest), manifest))


def _with_split(dataset: Dataset, entries: list[_Entry], manifest: Manifest) -> Dataset:
    if entries[0].split is not None or len(dataset.classes) < 2:
        return dataset
    return split_by_group(dataset, manifest.test_fraction, manifest.split_seed)


def _with_windows(dataset: Dataset, manifest: Manifest) -> Dataset:
    window = manifest.window_samples
    if window is None:
        return dataset
    hop = manifest.hop_samples or window
    cut = [
        (side, recording)
        for side in SPLITS
        if (chosen := dataset.select(side))
        for recording in cut_windows(chosen, window, hop)
    ]
    return replace(
        dataset,
        recordings=tuple(recording for _, recording in cut),
        splits=tuple(side for side, _ in cut),
    )


def _find_entries(root: Path, manifest: Manifest) -> list[_Entry]:
    groups = _read_groups(root / GROUPS_NAME)
    found: list[_Entry] = []
    for split, folder in _split_folders(root):
        for label, file in _labelled_files(folder, manifest.label_column is not None):
            key = file.relative_to(root).as_posix()
            group = groups.pop(key) if key in groups else group_in_name(file.stem)
            found.append(_Entry(file, split, label, group))
            if len(found) > MAX_RECORDINGS:
                raise DatasetError(str(root), f"more than {MAX_RECORDINGS} recordings", "split it")
    if groups:
        raise DatasetError(
            str(root / GROUPS_NAME),
            f"it names {min(groups)!r}, which is no recording here",
            "write paths such as train/label/file.csv",
        )
    if not found:
        raise DatasetError(str(root), "there are no recordings", _where_recordings_go(manifest))
    return found


def _where_recordings_go(manifest: Manifest) -> str:
    if manifest.label_column is not None:
        return "put CSV files into train/ and test/"
    return f"put {', '.join(SUFFIXES)} files into train/<label>/ and test/<label>/"


def _split_folders(root: Path) -> list[tuple[Split | None, Path]]:
    present: list[tuple[Split | None, Path]] = [
        (split, root / split) for split in SPLITS if (root / split).is_dir()
    ]
    if not present:
        return [(None, root)]
    for needed in ("train", "test"):
        if not (root / needed).is_dir():
            raise DatasetError(
                str(root),
                f"there is no {needed}/ folder beside {present[0][0]}/",
                f"add {needed}/<label>/, or put the label folders at the top to split by group",
            )
    return present


def _labelled_files(folder: Path, labels_inside: bool) -> Iterator[tuple[str | None, Path]]:
    if labels_inside:
        for file in _recordings_in(folder):
            if file.suffix.lower() == ".csv" and file.name != GROUPS_NAME:
                yield None, file
        return
    for child in _sorted_children(folder):
        if child.is_dir():
            yield from ((child.name, file) for file in _recordings_in(child))


def _recordings_in(folder: Path) -> list[Path]:
    return [child for child in _sorted_children(folder) if child.suffix.lower() in SUFFIXES]


def _sorted_children(folder: Path) -> list[Path]:
    try:
        visible = [child for child in folder.iterdir() if not child.name.startswith(".")]
    except OSError as error:
        raise DatasetError(str(folder), f"cannot be listed ({error})", "check it") from error
    return sorted(visible, key=lambda child: child.name)


def group_in_name(stem: str) -> str | None:
    """The group that a file's stem carries before ``__``, or None."""
    prefix, separator, _ = stem.partition(GROUP_SEPARATOR)
    return prefix if separator and prefix else None


def _read_groups(path: Path) -> dict[str, str | None]:
    """The table file -> group; an empty group says that the file stands for itself."""
    if not path.exists():
        return {}
    checked_size(path, MAX_GROUPS_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(str(path), f"not a CSV file ({error})", "save it as UTF-8") from error
    if not rows or rows[0] != ["file", "group"]:
        raise DatasetError(str(path), "the first row is not file,group", "name both columns")
    groups: dict[str, str | None] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or row[0] in groups:
            why = "two cells are needed" if len(row) != 2 else f"{row[0]!r} comes twice"
            raise DatasetError(f"{path}, row {number}", why, "write one file,group per row")
        groups[row[0]] = row[1] or None
    return groups


def _read_entries(
    entries: Iterable[_Entry], manifest: Manifest
) -> Iterator[tuple[_Entry, Recording]]:
    values = 0
    for entry in entries:
        for recording in _read_entry(entry, manifest):
            values += recording.samples.size
            if values > MAX_TOTAL_VALUES:
                raise DatasetError(
                    str(entry.path),
                    f"with it the dataset has more than {MAX_TOTAL_VALUES} values",
                    "use fewer recordings, or a lower rate",
                )
            yield entry, recording


def _read_entry(entry: _Entry, manifest: Manifest) -> list[Recording]:
    suffix = entry.path.suffix.lower()
    if suffix == ".csv":
        return _read_csv_entry(entry, manifest)
    if suffix == ".wav":
        samples, rate_hz = read_wav(entry.path)
        _check_rate(entry.path, float(rate_hz), manifest.rate_hz, tolerance=0.0)
    else:
        samples = read_npy(entry.path)
    if samples.shape[1] != len(manifest.channels):
        raise DatasetError(
            str(entry.path),
            f"{samples.shape[1]} channels instead of {len(manifest.channels)}",
            f"the dataset's channels are {', '.join(manifest.channels)}",
        )
    name = entry.path.stem
    try:
        return [
            Recording(name, samples, manifest.rate_hz, manifest.channels, entry.label, entry.group)
        ]
    except DatasetError as error:
        raise DatasetError(str(entry.path), error.why, error.hint) from error


def _read_csv_entry(entry: _Entry, manifest: Manifest) -> list[Recording]:
    table = read_csv(entry.path, manifest.channels, manifest.label_column, manifest.ignore_columns)
    if table.rate_hz is not None:
        _check_rate(entry.path, table.rate_hz, manifest.rate_hz, RATE_TOLERANCE)
    whole = Recording(
        entry.path.stem, table.samples, manifest.rate_hz, table.channels, entry.label, entry.group
    )
    return [whole] if manifest.label_column is None else _runs(whole, table.labels)


def _runs(whole: Recording, labels: tuple[str, ...]) -> list[Recording]:
    """Cut a recording where its label changes; rows without a label are left out."""
    runs, start = [], 0
    for label, rows in groupby(labels):
        stop = start + sum(1 for _ in rows)
        if label:
            name = f"{whole.name}@{start:07d}"
            samples = whole.samples[start:stop]
            run = replace(whole, name=name, samples=samples, label=label, group=whole.own_group)
            runs.append(run)
        start = stop
    return runs


def _check_rate(path: Path, found_hz: float, stated_hz: float, tolerance: float) -> None:
    if abs(found_hz - stated_hz) > tolerance * stated_hz:
        raise DatasetError(
            str(path),
            f"mixed rates: it was sampled at {found_hz:g} Hz, the dataset at {stated_hz:g} Hz",
            f"resample it, or correct rate_hz in {MANIFEST_NAME}",
        )
