"""Results as a table, as a file that a diff can be read of, and what moved between two."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from cases import COUNTED, Row

from smidgen.core.table import render

UNSTEADY = ("compile_seconds",)
"""What differs from run to run: neither recorded nor compared."""


def write(rows: Sequence[Row], path: Path, *, steady: bool) -> None:
    """One line a case, in order; `steady` leaves out what differs from run to run."""
    kept = [
        {name: value for name, value in row.items() if not (steady and name in UNSTEADY)}
        for row in sorted(rows, key=key)
    ]
    lines = ",\n".join(json.dumps(row) for row in kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[\n{lines}\n]\n")


def read(path: Path) -> list[Row]:
    """What `write` wrote."""
    rows: list[Row] = json.loads(path.read_text())
    return rows


def key(row: Row) -> str:
    """What tells a case from the others."""
    return f"{row['model']} {row['core']} {row['objective']}"


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """`old` with the cases of `new` in place of its own."""
    found = {key(row): row for row in (*old, *new)}
    return [found[name] for name in sorted(found)]


def cycles_per_mac(row: Row) -> str:
    """Modelled cycles for each multiply-accumulate, or a dash."""
    macs, cycles = row.get("macs"), row.get("modelled_cycles")
    able = isinstance(macs, int) and isinstance(cycles, int) and macs
    return f"{cycles / macs:.2f}" if able else "-"


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text."""
    header = (
        "model", "core", "objective", "instructions", "mod. cycles", "cyc/MAC", "arena", "RAM",
        "stack", "code", "weights", "compile s", "mismatches",
    )  # fmt: skip
    return render(header, [_cells(row) for row in rows], left=3)


def figure(row: Row, name: str) -> str:
    """A figure with thousands apart, or a dash."""
    value = row.get(name)
    return f"{value:,}" if isinstance(value, int) else "-"


def _cells(row: Row) -> tuple[str, ...]:
    head = (str(row["model"]), str(row["core"]), str(row["objective"]))
    if "error" in row:
        return (*head, "refused", *("" for _ in range(9)))
    counts = [figure(row, name) for name in COUNTED]
    tail = (str(row.get("compile_seconds", "-")), figure(row, "mismatches"))
    return (*head, *counts[:2], cycles_per_mac(row), *counts[2:], *tail)


def diff(old: Sequence[Row], new: Sequence[Row]) -> str:
    """What moved, one line a figure; empty where nothing did."""
    before, after = ({key(row): row for row in rows} for rows in (old, new))
    lines = [f"{name}: gone" for name in before if name not in after]
    for name, row in after.items():
        lines += list(_moves(name, before[name], row)) if name in before else [f"{name}: new"]
    return "\n".join(lines)


def _moves(name: str, before: Row, after: Row) -> Iterator[str]:
    for field in (*COUNTED, "macs", "mismatches", "error"):
        old, new = before.get(field), after.get(field)
        if old != new:
            change = ""
            if isinstance(old, int) and isinstance(new, int) and old:
                change = f" ({100 * (new - old) / old:+.2f} %)"
            yield f"{name}: {field} {old} -> {new}{change}"
