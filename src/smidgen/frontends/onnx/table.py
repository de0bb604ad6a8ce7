"""Writes the table of operators in docs/onnx.md: ``python -m smidgen.frontends.onnx.table FILE``.

The numbers come from running ONNX's own test cases, which the `onnx` package has.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from smidgen.core.errors import ModelFileError
from smidgen.frontends.onnx.conformance import Outcome, Result, results
from smidgen.frontends.onnx.folding import FOLDS
from smidgen.frontends.onnx.lowerings import LOWERINGS

START, END = "<!-- table: begin -->", "<!-- table: end -->"
_MICROSOFT = frozenset(("QGemm", "SimplifiedLayerNormalization"))


def table(outcomes: Iterable[Result]) -> str:
    """A Markdown table: operator, what becomes of it, cases that pass, all cases."""
    counted = list(outcomes)
    every = Counter(result.operator for result in counted)
    passed = Counter(r.operator for r in counted if r.outcome is Outcome.PASSED)
    head = "| operator | taken | ONNX's cases that pass | refused |\n|---|---|---|---|\n"
    names = sorted({*LOWERINGS, *FOLDS})
    rows = (
        f"| {name} | {_taken(name)} | {_share(passed[name], every[name])} "
        f"| {_reasons(r for r in counted if r.operator == name)} |"
        for name in names
    )
    total = f"| all | | {sum(passed.values())} of {sum(every.values())} | |"
    return head + "\n".join((*rows, total))


def _reasons(outcomes: Iterable[Result]) -> str:
    """Each reason for a refusal, and how many cases it has; shapes and names left out."""
    refused = (_general(r.reason) for r in outcomes if r.outcome is Outcome.REFUSED)
    counted = sorted(Counter(refused).items(), key=lambda pair: (-pair[1], pair[0]))
    return "; ".join(f"{count} {reason}" for reason, count in counted)


def _general(reason: str) -> str:
    if any(", 0" in shape or shape.startswith("0") for shape in re.findall(r"\[([^]]*)]", reason)):
        return "an empty tensor"
    return re.sub(r"float(8\w+|4\w+)", "float8 or float4", reason)


def _taken(name: str) -> str:
    if name == "DynamicQuantizeLinear":
        return "refused: its scale is computed at run time"
    if name not in LOWERINGS:
        return "on constants"
    own = name in _MICROSOFT or (name.startswith("QLinear") and name[7:] not in ("Conv", "MatMul"))
    return "yes (com.microsoft)" if own else "yes"


def _share(passed: int, every: int) -> str:
    return f"{passed} of {every}" if every else "none in the package"


def write(path: Path) -> None:
    """Put the table between its marks in the file at `path`."""
    text = path.read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ModelFileError(str(path), "has no marks for the table", f"add {START} and {END}")
    made = f"{before}{START}\n{table(results())}\n{END}{after}"
    path.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write(Path(sys.argv[1]))
