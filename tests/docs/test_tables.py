"""The tables of operators and models name what there is; `tests/tables.py` makes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import smidgen.frontends.tflite.convert  # noqa: F401  (fills CONVERTERS)
from smidgen.frontends.tflite.conversion import CONVERTERS
from support.samples import needs_data, sample_id, tflite_files

DOCS = Path(__file__).parents[2] / "docs"


def rows(file: str) -> dict[str, list[str]]:
    """The cells of each row by the first cell."""
    lines = (DOCS / file).read_text().splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines
        if line[:2] == "| "
    ]
    return {first.strip("| "): rest for first, *rest in cells[2:]}


def test_every_operator_has_its_row() -> None:
    found = rows("operators.md")
    assert set(CONVERTERS) <= set(found)
    others = {name: cells for name, cells in found.items() if name not in CONVERTERS}
    assert all(cells[1] == "not taken" and cells[3] for cells in others.values())


@needs_data
def test_every_sample_model_has_its_row() -> None:
    assert set(rows("models.md")) == {sample_id(path) for path in tflite_files()}


@pytest.mark.parametrize("file", ["operators.md", "models.md", "exactness.md"])
def test_the_files_that_the_text_names_exist(file: str) -> None:
    named = re.findall(r"\b((?:tests|src|docs)/[\w/.]+\.\w+)", (DOCS / file).read_text())
    assert named
    assert all((DOCS.parent / name).exists() for name in named)
