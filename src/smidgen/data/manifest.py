"""``dataset.toml``: what a dataset folder says about all of its recordings."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from smidgen.core.errors import DatasetError
from smidgen.data.readers.cells import is_number
from smidgen.data.readers.limits import MAX_CHANNELS, checked_size

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MANIFEST_NAME = "dataset.toml"
MAX_MANIFEST_BYTES = 2**20
TEST_FRACTION = 0.25
MINIMAL = 'rate_hz = 50.0, channels = ["ax", "ay", "az"]'


@dataclass(frozen=True, slots=True)
class Manifest:
    """The keys of ``dataset.toml``; `smidgen.data.layout` says what each is for."""

    name: str
    rate_hz: float
    channels: tuple[str, ...]
    units: tuple[str, ...] = ()
    description: str = ""
    source: str = ""
    label_column: str | None = None
    ignore_columns: tuple[str, ...] = ()
    window_samples: int | None = None
    hop_samples: int | None = None
    test_fraction: float = TEST_FRACTION
    split_seed: int = 0


def read_manifest(path: Path) -> Manifest:
    """Read a ``dataset.toml``.

    Raises:
        DatasetError: It is missing, too large, no TOML, has an unknown key, lacks a needed one,
            or a value has the wrong type; the message names the key.
    """
    if not path.exists():
        raise DatasetError(str(path), "there is no such file", f"write one with {MINIMAL}")
    checked_size(path, MAX_MANIFEST_BYTES)
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DatasetError(str(path), f"not a TOML file ({error})", "correct it") from error
    except ValueError as error:  # a number too long, a date that is none
        raise DatasetError(str(path), f"a bad value ({error})", "correct it") from error
    return _checked(path, table)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest` as TOML, leaving out what is not set."""
    lines = []
    for entry in fields(Manifest):
        value = getattr(manifest, entry.name)
        if value not in (None, "", ()) and (value != entry.default):
            lines.append(f"{entry.name} = {_toml(value)}\n")
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _toml(value: str | float | tuple[str, ...]) -> str:
    # JSON's strings and numbers are TOML's, but for DEL, which TOML wants escaped.
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def _checked(path: Path, table: Mapping[str, Any]) -> Manifest:
    known = {entry.name for entry in fields(Manifest)}
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            way_out = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise DatasetError(f"{path}, key {key!r}", "there is no such key", way_out)
    for key in ("rate_hz", "channels"):
        if key not in table:
            raise DatasetError(str(path), f"the key {key!r} is missing", f"write {MINIMAL}")
    manifest = Manifest(
        name=_text(path, table, "name") or path.absolute().parent.name or "dataset",
        rate_hz=_number(path, table, "rate_hz", 0.0),
        channels=_texts(path, table, "channels"),
        units=_texts(path, table, "units"),
        description=_text(path, table, "description"),
        source=_text(path, table, "source"),
        label_column=_text(path, table, "label_column") or None,
        ignore_columns=_texts(path, table, "ignore_columns"),
        window_samples=_count(path, table, "window_samples", least=1),
        hop_samples=_count(path, table, "hop_samples", least=1),
        test_fraction=_number(path, table, "test_fraction", TEST_FRACTION),
        split_seed=_count(path, table, "split_seed", least=0) or 0,
    )
    check_manifest(path, manifest)
    return manifest


def _bad(path: Path, key: str, value: object, wanted: str) -> DatasetError:
    text = repr(value)
    shown = text if len(text) <= 40 else text[:37] + "..."
    return DatasetError(f"{path}, key {key!r}", f"it is {shown}", f"write {wanted}")


def _text(path: Path, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise _bad(path, key, value, "a string")
    return value


def _texts(path: Path, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _bad(path, key, value, "a list of strings")
    return tuple(value)


def _number(path: Path, table: Mapping[str, Any], key: str, default: float) -> float:
    value = table.get(key, default)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
    if not good or not isfinite(value):
        raise _bad(path, key, value, "a positive number")
    return float(value)


def _count(path: Path, table: Mapping[str, Any], key: str, least: int) -> int | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise _bad(path, key, value, f"a whole number from {least}")
    return value


def check_manifest(path: Path, manifest: Manifest) -> None:
    """Check what the keys of a manifest owe to each other and to CSV headers.

    Raises:
        DatasetError: The channel names are not distinct or cannot stand in a CSV header, the
            units do not fit them, or there is a hop without a window.
    """
    channels, units = manifest.channels, manifest.units
    if not 1 <= len(channels) <= MAX_CHANNELS or len(set(channels)) < len(channels):
        raise _bad(path, "channels", channels, f"1 to {MAX_CHANNELS} distinct names")
    for name in channels:
        if not _stands_in_header(name):
            raise _bad(path, "channels", name, "printable names without , ; or quotes")
    if all(is_number(name) for name in channels):
        raise _bad(path, "channels", channels, "names, not numbers")
    if units and len(units) != len(channels):
        raise _bad(path, "units", units, "one unit per channel")
    if manifest.hop_samples is not None and manifest.window_samples is None:
        raise _bad(path, "hop_samples", manifest.hop_samples, "window_samples too")


def _stands_in_header(name: str) -> bool:
    return bool(name) and name.strip() == name and name.isprintable() and not set(name) & set(',;"')
