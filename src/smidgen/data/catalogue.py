"""What ``--data`` takes: the name of a bundled dataset, a dataset folder, or a .ts file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from smidgen.core.errors import UnknownName
from smidgen.data.basic_motions import NAME as BASIC_MOTIONS
from smidgen.data.basic_motions import load_basic_motions
from smidgen.data.collection import read_ts_dataset
from smidgen.data.dataset import Dataset
from smidgen.data.layout import read_dataset

BUNDLED: dict[str, Callable[[], Dataset]] = {BASIC_MOTIONS: load_basic_motions}


def open_dataset(name_or_path: str | Path) -> Dataset:
    """Open a bundled dataset by name, a folder in our layout, or a .ts file, by path.

    A bundled name wins over a folder of the same name; write ``./name`` for the folder.

    Raises:
        UnknownName: It is neither a bundled name nor a path.
        DatasetError: The folder or file cannot be used.
        MissingExtra: The bundled dataset needs a package that is not installed.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, str) and text in BUNDLED:
        return BUNDLED[text]()
    path = Path(name_or_path)
    looks_like_path = os.sep in text or "/" in text or isinstance(name_or_path, Path)
    if path.suffix.lower() == ".ts":
        return read_ts_dataset(path)
    if looks_like_path or path.exists():
        return read_dataset(path)
    raise UnknownName("dataset", text, BUNDLED)
