"""ONNX's own cases for every operator in our table: right, or refused with a reason."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")

from smidgen.frontends.onnx.conformance import Outcome, Result, results
from smidgen.frontends.onnx.table import table

DOCUMENT = Path(__file__).parents[3] / "docs" / "onnx.md"
FEWEST_PASSING = 1028


@pytest.fixture(scope="module")
def outcomes() -> list[Result]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, about infinities in ONNX's own cases
        return list(results())


def test_no_case_gives_wrong_numbers(outcomes: list[Result]) -> None:
    wrong = {result.case: result.why for result in outcomes if result.outcome is Outcome.WRONG}
    assert not wrong


def test_most_cases_pass(outcomes: list[Result]) -> None:
    passed = sum(result.outcome is Outcome.PASSED for result in outcomes)
    assert passed >= FEWEST_PASSING


def test_every_refusal_says_why(outcomes: list[Result]) -> None:
    refused = [result for result in outcomes if result.outcome is Outcome.REFUSED]
    assert refused and all(result.case in result.why and ";" in result.why for result in refused)


def test_the_document_has_the_table(outcomes: list[Result]) -> None:
    assert table(outcomes) in DOCUMENT.read_text(encoding="utf-8"), (
        "docs/onnx.md is out of date: run python -m smidgen.frontends.onnx.table docs/onnx.md"
    )
