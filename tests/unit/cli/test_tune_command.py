"""Tuning from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from smidgen.compiler.costs import parse
from unit.cli.test_commands import call, refuse

BOARD = ("--board", "nucleo-f103rb")


def test_tune_prints_what_competed_and_fills_a_table(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "costs.tsv"
    code, text, _ = call(capsys, "tune", small_model, *BOARD, "--table", table)
    assert code == 0
    rows = [line.split() for line in text.splitlines()]
    layers = {row[0] for row in rows[1:-1]}
    chosen = [row[0] for row in rows if row[-1] == "chosen"]
    assert layers and sorted(chosen) == sorted(layers)
    assert f"{len(parse(table.read_text()))} measurements" in text


def test_tune_refuses_a_file_that_is_no_table(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "notes.txt"
    table.write_text("my notes")
    assert "damaged" in refuse(capsys, "tune", small_model, *BOARD, "--table", table)
    assert table.read_text() == "my notes"


def test_a_budget_that_cannot_be_met_writes_nothing(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code, _, told = call(capsys, "compile", small_model, *BOARD, "-o", out, "--flash-budget", 200)
    line = told.splitlines()[-1]
    assert code == 1 and "Traceback" not in told
    assert "flash budget of 200 B" in line and "raise the budget" in line
    assert not out.exists()


def test_a_budget_is_met(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code, text, _ = call(capsys, "compile", small_model, *BOARD, "-o", out, "--flash-budget", 20000)
    assert code == 0 and "0 mismatches" in text
