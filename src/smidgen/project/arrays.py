"""Reads arrays that somebody saved with numpy.save."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError

MAX_BYTES = 1 << 30


def map_array(path: Path) -> Array:
    """The array in a .npy file, mapped rather than loaded; pickled objects are never loaded.

    Raises ArrayError for all that is not such a file, or is too large.
    """
    try:
        size = path.stat().st_size
        mapped: Array | None = None
        if size <= MAX_BYTES:
            mapped = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as problem:
        raise ArrayError(str(path), "there is no such file") from problem
    except Exception as problem:
        # The header is a Python literal: NumPy raises whatever its parser stumbles over.
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise ArrayError(
            str(path), f"is no .npy array ({reason})", "save it with numpy.save"
        ) from problem
    if mapped is None:
        raise ArrayError(str(path), f"has more than {MAX_BYTES} bytes", "use fewer samples")
    return mapped
