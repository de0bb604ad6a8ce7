"""Recordings as NumPy .npy files: an array [time, channels], or [time] for one channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError
from smidgen.data.readers.limits import (
    MAX_CHANNELS,
    MAX_RECORDING_BYTES,
    check_values,
    checked_size,
)


def read_npy(path: Path) -> Array:
    """Read one .npy recording as float32 [time, channels]; pickled objects are never loaded.

    Raises:
        DatasetError: The file is missing, too large, truncated, no .npy file, or not a real
            numeric array of one or two dimensions.
    """
    checked_size(path, MAX_RECORDING_BYTES)
    mapped = _map(path)
    if mapped.dtype.kind not in "fiu" or mapped.ndim not in (1, 2) or mapped.size == 0:
        raise DatasetError(
            str(path),
            f"it holds {mapped.dtype} of shape {mapped.shape}",
            "save real numbers as [time, channels]",
        )
    check_values(str(path), mapped.size)
    if mapped.ndim == 2 and mapped.shape[1] > MAX_CHANNELS:
        raise DatasetError(
            str(path),
            f"{mapped.shape[1]} channels; at most {MAX_CHANNELS} are read",
            "save it as [time, channels], not [channels, time]",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        samples = np.array(mapped, dtype=np.float32)
    return samples.reshape(len(samples), -1)


def _map(path: Path) -> Array:
    # Mapping checks that the file is as long as its header says; loading would allocate first.
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except MemoryError as error:
        raise DatasetError(str(path), "its header asks for too much", "save it again") from error
    except Exception as error:
        # The header is a Python literal: NumPy raises whatever its parser stumbles over.
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise DatasetError(
            str(path), f"not a .npy array ({reason})", "save it with numpy.save"
        ) from error
