"""Two builds side by side: their figures, and how the second differs from the first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smidgen.core.errors import ArtifactError
from smidgen.core.table import render
from smidgen.project.build import REPORT_JSON

_FIGURES = (
    ("instructions", "instructions"),
    ("modelled cycles", "modelled_cycles"),
    ("  of these, waiting", "wait_cycles"),
    ("modelled ms", "modelled_ms"),
    ("multiply-accumulates", "macs"),
    ("arena B", "arena_bytes"),
    ("static RAM B", "static_ram_bytes"),
    ("worst stack B", "stack_bytes"),
    ("flash B", "flash_bytes"),
    ("code B", "code_bytes"),
    ("weights B", "weight_bytes"),
)

Report = Mapping[str, Any]


def read_report(folder: Path) -> Report:
    """The report of the build in `folder`; raises ArtifactError where there is none."""
    path = folder / REPORT_JSON
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise ArtifactError(
            str(folder), f"holds no {REPORT_JSON}", "make a build with: smidgen compile"
        ) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise ArtifactError(str(path), f"cannot be read ({problem})", "compile again") from problem
    if not isinstance(report, dict) or not isinstance(report.get("layers"), list):
        raise ArtifactError(str(path), "is no report of a build", "compile again")
    return report


def comparison_table(first: Report, second: Report) -> str:
    """Totals, then the layers that both have, by name."""
    rows = [
        ("board", str(first.get("board")), str(second.get("board")), ""),
        ("modelled figures", _band(first), _band(second), ""),
        *(_row(title, first.get(key), second.get(key)) for title, key in _FIGURES),
    ]
    theirs = {
        str(layer.get("name")): layer for layer in second["layers"] if isinstance(layer, dict)
    }
    for layer in first["layers"]:
        other = theirs.get(str(layer.get("name"))) if isinstance(layer, dict) else None
        if other is not None:
            title = f"  {layer.get('name')}: instructions"
            rows.append(_row(title, layer.get("instructions"), other.get("instructions")))
            clocks = (layer.get("modelled_cycles"), other.get("modelled_cycles"))
            rows.append(_row("    modelled cycles", *clocks))
    names = (str(first.get("model")), str(second.get("model")))
    return render(("figure", *names, "change"), rows, left=1)


def _band(report: Report) -> str:
    """How far off modelled figures may be."""
    percent = report.get("modelled_error_percent")
    return f"+-{percent} %" if isinstance(percent, int) else "-"


def _row(title: str, old: object, new: object) -> tuple[str, str, str, str]:
    return title, _number(old), _number(new), _change(old, new)


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else "-"


def _change(old: object, new: object) -> str:
    if not isinstance(old, (int, float)) or not isinstance(new, (int, float)) or not old:
        return ""
    return f"{100 * (new - old) / old:+.1f} %"
