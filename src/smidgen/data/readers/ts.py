"""The .ts text format of sktime and aeon: a collection of labelled time series in one file.

Comment lines start with ``#`` (in some files with ``%``). Header lines start with ``@`` and a
tag, whatever its case: ``@problemName``, ``@univariate``, ``@dimensions`` (or ``@dimension``),
``@equalLength``, ``@seriesLength``, ``@timeStamps``, ``@classLabel true a b c``,
``@targetLabel true``. After
``@data`` each line is one case: the channels separated by ``:``, the values of a channel by ``,``,
and the label (or the target of a regression) after the last ``:``. A missing value is ``?`` or
``NaN``. With ``@timeStamps true`` a value is written ``(time,value)``. Format: the sktime
documentation, "ts File Format v1.0".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError
from smidgen.data.readers.cells import parse_cells, shown
from smidgen.data.readers.limits import (
    MAX_CHANNELS,
    MAX_LINE_BYTES,
    MAX_TS_BYTES,
    check_values,
    checked_size,
)
from smidgen.data.recording import Recording

Missing = Literal["refuse", "interpolate"]
_TUPLES_OR_TEXT = re.compile(r"\([^()]*\)|:|[^(:]+|\(")
_TUPLE = re.compile(r"\(([^()]*),([^(),]*)\)")
_SAFE_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class TsFile:
    """What a .ts file holds.

    Attributes:
        problem: Its ``@problemName``, or the file's stem.
        recordings: One per case, in order; without labels where the file has none.
        classes: The labels of its header, sorted; empty where it has none.
        targets: The regression target of each case; empty where the file has none.
    """

    problem: str
    recordings: tuple[Recording, ...]
    classes: tuple[str, ...]
    targets: tuple[float, ...]


@dataclass(slots=True)
class _Header:
    problem: str = ""
    dimensions: int | None = None
    equal_length: bool = False
    series_length: int | None = None
    timestamps: bool = False
    ending: Literal["", "label", "target"] = ""
    classes: dict[str, str] = field(default_factory=dict)  # lower-case spelling -> the header's


def read_ts(
    path: Path | str,
    rate_hz: float = 1.0,
    channels: Sequence[str] | None = None,
    missing: Missing = "refuse",
) -> TsFile:
    """Read a .ts file.

    Args:
        path: The file.
        rate_hz: Samples per second; the format does not say it.
        channels: Names of the channels, ``dim_0``, ``dim_1`` ... where None.
        missing: What to do about missing values: refuse the file, or interpolate linearly over
            time (constant beyond the ends of a series).

    Raises:
        DatasetError: The file is missing, too large, or breaks the format; the line is named.
    """
    path = Path(path)
    checked_size(path, MAX_TS_BYTES)
    try:
        with path.open("rb") as file:
            lines = _lines(path, file)
            header = _read_header(path, lines)
            return _read_cases(path, lines, header, _Options(rate_hz, channels, missing))
    except OSError as error:
        raise DatasetError(str(path), f"cannot be read ({error})", "check the path") from error


@dataclass(frozen=True, slots=True)
class _Options:
    rate_hz: float
    channels: Sequence[str] | None
    missing: Missing


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[str, str]]:
    """The place and text of each line that is neither blank nor a comment."""
    number = 0
    while raw := file.readline(MAX_LINE_BYTES):
        number += 1
        place = f"{path}, line {number}"
        if len(raw) == MAX_LINE_BYTES:
            raise DatasetError(place, f"the line exceeds {MAX_LINE_BYTES} bytes", "cut the series")
        # Comments are passed over undecoded: some carry accents in other encodings.
        stripped = raw.removeprefix(b"\xef\xbb\xbf").strip()
        if not stripped or stripped.startswith((b"#", b"%")):
            continue
        try:
            yield place, stripped.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DatasetError(place, "it is not UTF-8 text", "save the file as UTF-8") from error


def _read_header(path: Path, lines: Iterator[tuple[str, str]]) -> _Header:
    header = _Header(problem=path.stem)
    for place, text in lines:
        if not text.startswith("@"):
            raise DatasetError(place, "data before the @data line", "begin the data with @data")
        tag, *values = text.split()
        if tag.lower() == "@data":
            return header
        _take_tag(header, tag.lower(), values, place)
    raise DatasetError(str(path), "there is no @data line", "this is not a .ts file, or a cut one")


def _take_tag(header: _Header, tag: str, values: list[str], place: str) -> None:
    """Note one header line; tags that do not matter here are passed over."""
    if tag == "@problemname":
        header.problem = " ".join(values) or header.problem
    elif tag in ("@dimension", "@dimensions"):
        header.dimensions = _positive(values, tag, place, MAX_CHANNELS)
    elif tag == "@univariate" and _flag(values, tag, place):
        header.dimensions = 1
    elif tag == "@equallength":
        header.equal_length = _flag(values, tag, place)
    elif tag == "@serieslength":
        header.series_length = _positive(values, tag, place, MAX_LINE_BYTES)
    elif tag == "@timestamps":
        header.timestamps = _flag(values, tag, place)
    elif tag == "@targetlabel" and _flag(values, tag, place):
        header.ending = "target"
    elif tag == "@classlabel" and _flag(values, tag, place):
        header.ending = "label"
        header.classes = {label.lower(): label for label in values[1:]}
        if not header.classes:
            raise DatasetError(place, "@classLabel true names no labels", "list the labels there")


def _flag(values: list[str], tag: str, place: str) -> bool:
    text = values[0].lower() if values else ""
    if text not in ("true", "false"):
        raise DatasetError(place, f"{tag} is {shown(text)}", "write true or false")
    return text == "true"


def _positive(values: list[str], tag: str, place: str, limit: int) -> int:
    text = values[0] if values else ""
    if not _SAFE_NUMBER.fullmatch(text) or not 1 <= int(text) <= limit:
        raise DatasetError(place, f"{tag} is {shown(text)}", f"write a number from 1 to {limit}")
    return int(text)


def _read_cases(
    path: Path, lines: Iterator[tuple[str, str]], header: _Header, options: _Options
) -> TsFile:
    recordings: list[Recording] = []
    targets: list[float] = []
    values = 0
    for place, text in lines:
        *series, ending = _split_case(text, header)
        label = _label(header, ending, place) if header.ending == "label" else None
        if header.ending == "target":
            targets += parse_cells([ending], place, ["target"])
        samples = _samples(header, series, place, options.missing)
        values += samples.size
        check_values(place, values)
        names = _channel_names(options.channels, samples.shape[1], place)
        name = f"{path.stem}_{len(recordings):05d}"
        recordings.append(Recording(name, samples, options.rate_hz, names, label))
    if not recordings:
        raise DatasetError(str(path), "there are no cases after @data", "this file was cut off")
    classes = tuple(sorted(header.classes.values()))
    return TsFile(header.problem, tuple(recordings), classes, tuple(targets))


def _split_case(text: str, header: _Header) -> list[str]:
    """The channels of a case, and after them its label or target ("" where it has none)."""
    if not header.timestamps:
        parts = text.split(":")
    else:
        # A time stamp may itself contain colons, so only those outside parentheses count.
        parts = [""]
        for token in _TUPLES_OR_TEXT.findall(text):
            if token == ":":
                parts.append("")
            else:
                parts[-1] += token
    return parts if header.ending else [*parts, ""]


def _label(header: _Header, ending: str, place: str) -> str:
    label = header.classes.get(ending.strip().lower())
    if label is None:
        raise DatasetError(
            place,
            f"label {shown(ending.strip())} is not in @classLabel",
            f"known: {shown(', '.join(header.classes.values()))}",
        )
    return label


def _samples(header: _Header, series: list[str], place: str, missing: Missing) -> Array:
    """The channels of one case as float32 [time, channels]."""
    if header.dimensions is None:
        header.dimensions = len(series)  # the first case decides where the header does not say
    if len(series) != header.dimensions or not 1 <= len(series) <= MAX_CHANNELS:
        raise DatasetError(
            place,
            f"{len(series)} channels instead of {header.dimensions}",
            "separate the channels by ':' and put the label last",
        )
    columns = [
        _parse_series(header, text, f"{place}, channel {index}", missing)
        for index, text in enumerate(series)
    ]
    lengths = [len(column) for column in columns]
    if min(lengths) != max(lengths):
        raise DatasetError(
            place,
            f"ragged: its channels have {min(lengths)} to {max(lengths)} values",
            "give all channels of a case the same length",
        )
    _check_length(header, lengths[0], place)
    return np.stack(columns, axis=1).astype(np.float32)


def _check_length(header: _Header, length: int, place: str) -> None:
    if header.equal_length and header.series_length is None:
        header.series_length = length
    if header.equal_length and length != header.series_length:
        raise DatasetError(
            place,
            f"{length} values, but the series are {header.series_length} long",
            "write @equalLength false, or repair the line",
        )


def _parse_series(header: _Header, text: str, place: str, missing: Missing) -> Array:
    cells = [cell.strip() for cell in text.split(",")]
    if header.timestamps:
        cells = _values_of_tuples(text, place)
    gaps = [index for index, cell in enumerate(cells) if cell.lower() in ("?", "nan")]
    if gaps and missing == "refuse":
        raise DatasetError(
            place,
            f"value {gaps[0] + 1} is missing",
            "fill the gaps, or read it with missing='interpolate'",
        )
    for index in gaps:
        cells[index] = "0"
    values = np.array(parse_cells(cells, place, _Ordinals(len(cells))), dtype=np.float64)
    return _interpolate(values, gaps, place) if gaps else values


def _values_of_tuples(text: str, place: str) -> list[str]:
    cells = [match.group(2).strip() for match in _TUPLE.finditer(text)]
    if not cells or _TUPLE.sub("", text).strip(" \t,"):
        raise DatasetError(place, "values without time stamps", "write each as (time,value)")
    return cells


def _interpolate(values: Array, gaps: list[int], place: str) -> Array:
    known = np.setdiff1d(np.arange(len(values)), gaps)
    if not len(known):
        raise DatasetError(place, "every value is missing", "remove this case")
    return np.interp(np.arange(len(values)), known, values[known])


def _channel_names(given: Sequence[str] | None, number: int, place: str) -> tuple[str, ...]:
    if given is None:
        return tuple(f"dim_{index}" for index in range(number))
    if len(given) != number:
        raise DatasetError(
            place, f"{number} channels, but {len(given)} channel names", "name each channel"
        )
    return tuple(given)


class _Ordinals(Sequence[str]):
    """Names "1", "2" ... of the values of a series, made only when a message needs them."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        if index >= self._length:
            raise IndexError(index)
        return str(index + 1)
