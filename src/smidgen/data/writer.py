"""Writes a dataset as our folder layout (`smidgen.data.layout`): all of it, or nothing."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from pathlib import Path

from smidgen.core.errors import DatasetError
from smidgen.data.dataset import Dataset, Split, require_trainable
from smidgen.data.layout import GROUPS_NAME, group_in_name
from smidgen.data.manifest import MANIFEST_NAME, Manifest, check_manifest, write_manifest
from smidgen.data.recording import Recording

_FORBIDDEN = set('/\\:*?"<>|')
_MAX_NAME_BYTES = 120


def write_dataset(dataset: Dataset, path: Path | str) -> None:
    """Write `dataset` to the folder `path`; `read_dataset` gives the same samples back.

    The folder appears complete or not at all: it is written beside its place under a temporary
    name and then renamed.

    Raises:
        DatasetError: `path` is a file or a folder that is not empty, a label or name cannot be a
            file name, two recordings would share a file, or the dataset is not one that could be
            read back (one class, a label that is never tested).
    """
    target = Path(path).absolute()
    require_trainable(dataset)
    manifest = Manifest(
        name=dataset.name,
        rate_hz=dataset.rate_hz,
        channels=dataset.channels,
        units=dataset.units,
        description=dataset.description,
        source=dataset.source,
    )
    check_manifest(target / MANIFEST_NAME, manifest)
    files = _file_names(dataset)
    _check_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise DatasetError(str(target), f"cannot be written ({error})", "check it") from error
    try:
        write_manifest(manifest, staging / MANIFEST_NAME)
        _write_recordings(dataset, files, staging)
        _write_groups(dataset, files, staging / GROUPS_NAME)
        _put_in_place(staging, target)
    except (OSError, UnicodeEncodeError) as error:
        raise DatasetError(str(target), f"cannot be written ({error})", "check it") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_free(target: Path) -> None:
    if target.is_dir() and not any(target.iterdir()):
        return
    if os.path.lexists(target):
        raise DatasetError(
            str(target), "something is already there", "choose a new folder, or an empty one"
        )


def _put_in_place(staging: Path, target: Path) -> None:
    staging.chmod(0o755)  # the temporary folder was private
    if target.is_dir():
        target.rmdir()
    staging.rename(target)


def _file_names(dataset: Dataset) -> list[str]:
    """A path relative to the folder for each recording; distinct even where case is ignored."""
    _check_labels_by_case(dataset)
    names: list[str] = []
    taken: set[str] = set()
    for recording, split in zip(dataset.recordings, dataset.splits, strict=True):
        name = _file_name(recording, split)
        if name.casefold() in taken:
            raise DatasetError(
                f"recording {recording.name!r}",
                f"two {split} recordings of {recording.label!r} have this name",
                "give them names that differ in more than case",
            )
        taken.add(name.casefold())
        names.append(name)
    return names


def _check_labels_by_case(dataset: Dataset) -> None:
    if len({label.casefold() for label in dataset.classes}) < len(dataset.classes):
        raise DatasetError(
            f"dataset {dataset.name!r}", "two labels differ in case only", "rename one of them"
        )


def _file_name(recording: Recording, split: Split) -> str:
    if recording.label is None:
        raise DatasetError(f"recording {recording.name!r}", "it has no label", "label it")
    for kind, part in (("label", recording.label), ("recording", recording.name)):
        if not _can_be_file(part):
            raise DatasetError(
                f"{kind} {part!r}", "it cannot be the name of a file", "use letters and digits"
            )
    return f"{split}/{recording.label}/{recording.name}.csv"


def _can_be_file(name: str) -> bool:
    plain = bool(name) and name.isprintable() and not set(name) & _FORBIDDEN
    trimmed = name.strip() == name and not name.startswith(".") and not name.endswith(".")
    return plain and trimmed and len(name.encode("utf-8")) <= _MAX_NAME_BYTES


def _write_recordings(dataset: Dataset, files: list[str], root: Path) -> None:
    for recording, name in zip(dataset.recordings, files, strict=True):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream, lineterminator="\n")
            rows.writerow(recording.channels)
            # NumPy prints the shortest decimal that reads back as the same float32.
            rows.writerows(recording.samples.astype("U32").tolist())


def _write_groups(dataset: Dataset, files: list[str], path: Path) -> None:
    """Write the groups that the file names do not already carry."""
    rows = [
        (name, recording.group or "")
        for recording, name in zip(dataset.recordings, files, strict=True)
        if recording.group != group_in_name(recording.name)
    ]
    if rows:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("file", "group"))
            writer.writerows(rows)
