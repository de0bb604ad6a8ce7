"""How much a reader takes from a file that nobody has vouched for."""

from __future__ import annotations

from pathlib import Path

from smidgen.core.errors import DatasetError

MAX_RECORDING_BYTES = 256 * 2**20
MAX_TS_BYTES = 1024 * 2**20
MAX_LINE_BYTES = 32 * 2**20
MAX_CHANNELS = 1024
MAX_VALUES = 2**26  # float32 values of one recording or one .ts file: 256 MiB


def checked_size(path: Path, limit_bytes: int) -> int:
    """The size of a regular file, in bytes.

    Raises:
        DatasetError: It is missing, is no regular file (a folder, a pipe), or exceeds the limit.
    """
    try:
        if not path.is_file():
            why = "it is not a file" if path.exists() else "there is no such file"
            raise DatasetError(str(path), why, "check the path")
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise DatasetError(str(path), f"cannot be read ({error})", "check the path") from error
    if size > limit_bytes:
        raise DatasetError(
            str(path),
            f"it has {size} bytes; at most {limit_bytes} are read",
            "cut it into shorter recordings",
        )
    return size


def check_values(place: str, values: int) -> None:
    """Refuse more than `MAX_VALUES` numbers at `place`.

    Raises:
        DatasetError: There are more.
    """
    if values > MAX_VALUES:
        raise DatasetError(
            place, f"more than {MAX_VALUES} values", "cut it into shorter recordings"
        )
