"""Reads typed fields out of a TOML file and says exactly what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.core.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path) -> Record:
    """The top-level table of the TOML file at `path`; raises InputError."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(str(path), f"cannot be read ({problem.strerror})") from problem
    except (ValueError, RecursionError) as problem:
        # Of which TOML and UTF-8 errors are kinds, and numbers of thousands of digits.
        raise InputError(str(path), f"is not TOML: {problem}") from problem
    return Record(str(path), "", fields)


@dataclass(frozen=True, slots=True)
class Record:
    """One TOML table: `origin` is the file, `section` the table's name ("" at the top)."""

    origin: str
    section: str
    fields: Mapping[str, Any]

    def text(self, key: str, default: str | None = None) -> str:
        """A string field."""
        return str(self._field(key, str, "a string", default))

    def integer(self, key: str, default: int | None = None, minimum: int = 0) -> int:
        """An integer field of at least `minimum`."""
        value = int(self._field(key, int, "an integer", default))
        if value < minimum:
            raise self.problem(key, f"is {value}, and must be at least {minimum}")
        return value

    def number(self, key: str) -> float:
        """A non-negative number."""
        value = float(self._field(key, (int, float), "a number", None))
        if not 0 <= value < float("inf"):
            raise self.problem(key, f"is {value}, and must be a finite number from 0 up")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        value = self.fields.get(key, False)
        if not isinstance(value, bool):
            raise self.problem(key, f"must be true or false, not {value!r}")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty when absent."""
        values = self._field(key, list, "a list of strings", [])
        if not all(isinstance(value, str) for value in values):
            raise self.problem(key, "must be a list of strings")
        return tuple(values)

    def table(self, key: str) -> Record:
        """A table inside this one."""
        return Record(self.origin, self._inner(key), self._field(key, dict, "a table", None))

    def tables(self, key: str) -> tuple[Record, ...]:
        """An array of tables with at least one member."""
        rows = self._field(key, list, "an array of tables", None)
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise self.problem(key, f"must be one or more [[{key}]] tables")
        return tuple(
            Record(self.origin, f"{self._inner(key)}[{at}]", row) for at, row in enumerate(rows)
        )

    def only(self, *known: str) -> Record:
        """Itself; raises InputError when it has a field that is not in `known`."""
        for key in self.fields:
            if key not in known:
                raise self.problem(key, "is no field of this file", f"known: {', '.join(known)}")
        return self

    def problem(self, key: str, why: str, hint: str = "") -> InputError:
        """The error about field `key`, to be raised."""
        return InputError(self.origin, f"field {self._inner(key)!r} {why}", hint)

    def _inner(self, key: str) -> str:
        return f"{self.section}.{key}" if self.section else key

    def _field(self, key: str, kind: Any, what: str, default: Any) -> Any:
        if key not in self.fields:
            if default is None:
                raise self.problem(key, "is missing", f"it must be {what}")
            return default
        value = self.fields[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.problem(key, f"must be {what}, not {value!r}")
        return value
