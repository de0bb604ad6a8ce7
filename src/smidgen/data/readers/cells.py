"""Numbers out of text cells, strictly: finite, within float32, nothing but a number."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from smidgen.core.errors import DatasetError

#: What is smaller than this rounds to a finite float32: the largest one and half its last place.
FLOAT32_LIMIT = 2.0**128 - 2.0**103


def parse_cells(cells: Sequence[str], place: str, names: Sequence[str]) -> list[float]:
    """The numbers in `cells`.

    Args:
        cells: Text of one row.
        place: File and line, for messages.
        names: What to call each cell in a message, e.g. the channel; one per cell.

    Raises:
        DatasetError: A cell is empty, no number, NaN, infinite or beyond float32; the message
            names the place and the cell.
    """
    try:
        values = list(map(float, cells))
    except ValueError:
        values = []
    if len(values) == len(cells) and all(map(_fits, values)) and not any("_" in c for c in cells):
        return values
    raise _first_bad(cells, place, names)


def _first_bad(cells: Sequence[str], place: str, names: Sequence[str]) -> DatasetError:
    for cell, name in zip(cells, names, strict=True):
        why = _what_is_wrong(cell)
        if why:
            return DatasetError(
                f"{place}, column {name!r}",
                f"{shown(cell)} is {why}",
                "each cell is one finite number such as -1.25",
            )
    raise AssertionError("a row was refused although all of its cells are good")


def _fits(value: float) -> bool:
    # A comparison with NaN is false, so this refuses NaN too.
    return -FLOAT32_LIMIT < value < FLOAT32_LIMIT


def _what_is_wrong(cell: str) -> str:
    if not cell.strip():
        return "empty"
    # Python reads 1_0 as ten; no file format does.
    if not is_number(cell) or "_" in cell:
        return "not a number"
    value = float(cell)
    if isnan(value):
        return "NaN"
    return "" if _fits(value) else "infinite or beyond float32"


def is_number(text: str) -> bool:
    """Whether `text` reads as a number, finite or not."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def shown(text: str) -> str:
    """`text` in quotes, shortened, with control characters escaped: fit for a message."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
