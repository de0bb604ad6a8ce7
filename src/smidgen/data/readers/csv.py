"""Recordings as CSV: a header row that names the columns, then one row per sample."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError
from smidgen.data.readers.cells import is_number, parse_cells, shown
from smidgen.data.readers.limits import (
    MAX_CHANNELS,
    MAX_RECORDING_BYTES,
    check_values,
    checked_size,
)

MAX_LINE_CHARACTERS = 2**20

#: Columns that hold the time of a sample, and how many of their units make a second.
TIME_COLUMNS = {"time": 1.0, "time_s": 1.0, "timestamp": 1e3, "time_ms": 1e3, "time_us": 1e6}


@dataclass(frozen=True, slots=True, eq=False)
class CsvTable:
    """What one CSV file holds.

    Attributes:
        channels: Names of the columns of `samples`, in order.
        samples: float32 [time, channels].
        rate_hz: From the time column (mean spacing); None where there is no such column.
        labels: The cell of the label column for each row; empty where none was asked for.
    """

    channels: tuple[str, ...]
    samples: Array
    rate_hz: float | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    channels: tuple[int, ...]
    time: int | None
    label: int | None

    def name(self, indices: Sequence[int]) -> list[str]:
        return [self.names[index] for index in indices]


def read_csv(
    path: Path,
    channels: Sequence[str] | None = None,
    label_column: str | None = None,
    ignore_columns: Sequence[str] = (),
) -> CsvTable:
    """Read one CSV recording; the delimiter is the comma, semicolon or tab of its header row.

    Args:
        path: The file, UTF-8, at most `MAX_RECORDING_BYTES` long.
        channels: The columns to read, in this order; all that are no time, label or ignored
            column where None.
        label_column: A column of text that says for each row what it is.
        ignore_columns: Columns that may be there and are not read.

    Raises:
        DatasetError: The file is missing, too large, not UTF-8, ragged, has wrong columns, or a
            cell that is no finite number, or a time that does not rise; file and line are named.
    """
    checked_size(path, MAX_RECORDING_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(file)
            rows = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
            header = [cell.strip() for cell in next(rows, [])]
            columns = _find_columns(path, header, channels, label_column, ignore_columns)
            return _read_rows(path, _numbered(rows, rows), columns)
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise DatasetError(
            str(path), f"not a CSV file ({error})", "save it as UTF-8 CSV"
        ) from error


def _numbered(reader: object, rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the file's line they end on; blank lines are passed over."""
    for row in rows:
        if row and any(cell.strip() for cell in row):
            yield getattr(reader, "line_num", 0), row


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """Lines of bounded length; a quoted cell may not run on, or a row would have no bound."""
    number = 0
    while line := file.readline(MAX_LINE_CHARACTERS):
        number += 1
        if len(line) == MAX_LINE_CHARACTERS:
            raise DatasetError(f"{path}, line {number}", "the line is too long", "save it as CSV")
        if line.count('"') % 2:
            raise DatasetError(f"{path}, line {number}", "a quote is not closed", "remove it")
        yield line


def _delimiter(file: TextIO) -> str:
    header = file.readline(MAX_LINE_CHARACTERS)
    file.seek(0)
    return max(",;\t", key=lambda mark: (header.count(mark), mark == ","))


def _find_columns(
    path: Path,
    header: list[str],
    channels: Sequence[str] | None,
    label_column: str | None,
    ignore_columns: Sequence[str],
) -> _Columns:
    _check_header(path, header)
    time = _find_time(header, channels or ())
    apart = {label_column, *ignore_columns} | ({header[time]} if time is not None else set())
    found = [name for name in header if name not in apart]
    wanted = list(channels) if channels is not None else found
    _check_channels(path, found, wanted)
    if label_column is not None and label_column not in header:
        raise DatasetError(
            f"{path}, line 1",
            f"there is no label column {label_column!r}",
            f"it has the columns {shown(', '.join(header))}",
        )
    label = header.index(label_column) if label_column is not None else None
    return _Columns(tuple(header), tuple(header.index(name) for name in wanted), time, label)


def _find_time(header: list[str], channels: Sequence[str]) -> int | None:
    for index, name in enumerate(header):
        if name.lower() in TIME_COLUMNS and name not in channels:
            return index
    return None


def _check_header(path: Path, header: list[str]) -> None:
    place = f"{path}, line 1"
    way_out = "the first row names the columns, e.g. ax,ay,az"
    if not any(header):
        raise DatasetError(place, "there is no header row", way_out)
    if len(header) > MAX_CHANNELS:
        raise DatasetError(
            place, f"{len(header)} columns; at most {MAX_CHANNELS} are read", way_out
        )
    for index, name in enumerate(header):
        if not name:
            raise DatasetError(place, f"column {index + 1} has no name", way_out)
        if name in header[:index]:
            raise DatasetError(place, f"two columns are called {shown(name)}", way_out)
    if all(is_number(name) for name in header):
        raise DatasetError(place, "the header row holds numbers, not names", way_out)


def _check_channels(path: Path, found: list[str], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if not found or missing or extra:
        problems = [f"no column {shown(name)}" for name in missing[:3]]
        problems += [f"unexpected column {shown(name)}" for name in extra[:3]]
        raise DatasetError(
            f"{path}, line 1",
            f"{len(found)} channels instead of {len(wanted) or 'at least one'}: "
            + (", ".join(problems) or "no columns of samples"),
            "the dataset's channels are " + shown(", ".join(wanted)),
        )


def _read_rows(path: Path, rows: Iterator[tuple[int, list[str]]], columns: _Columns) -> CsvTable:
    values, times, labels = array("f"), array("d"), []
    numeric = columns.channels + (() if columns.time is None else (columns.time,))
    names, width = columns.name(numeric), len(columns.channels)
    for line, row in rows:
        place = f"{path}, line {line}"
        if len(row) != len(columns.names):
            raise DatasetError(
                place,
                f"{len(row)} cells, but the header has {len(columns.names)}",
                "give every row one cell per column",
            )
        numbers = parse_cells([row[index] for index in numeric], place, names)
        values.extend(numbers[:width])
        check_values(place, len(values))
        if columns.time is not None:
            _append_time(times, numbers[width], place, names[width])
        if columns.label is not None:
            labels.append(row[columns.label].strip())
    if not values:
        raise DatasetError(str(path), "there are no rows below the header", "record it again")
    samples = np.frombuffer(values, dtype=np.float32).reshape(-1, width).copy()
    rate_hz = _rate_hz(times, columns)
    return CsvTable(tuple(columns.name(columns.channels)), samples, rate_hz, tuple(labels))


def _append_time(times: array[float], time: float, place: str, name: str) -> None:
    if times and time <= times[-1]:
        raise DatasetError(
            f"{place}, column {name!r}",
            f"time does not rise: {time:g} after {times[-1]:g}",
            "sort the rows by time and drop repeated ones",
        )
    times.append(time)


def _rate_hz(times: array[float], columns: _Columns) -> float | None:
    if columns.time is None or len(times) < 2:
        return None
    per_second = TIME_COLUMNS[columns.names[columns.time].lower()]
    return (len(times) - 1) * per_second / (times[-1] - times[0])
