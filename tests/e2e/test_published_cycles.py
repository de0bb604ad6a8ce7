"""Modelled cycles beside what was published for real boards: never off by more than the band."""

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

from smidgen.targets.catalogue import board
from support.samples import needs_data

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COREMARK = os.environ.get("SMIDGEN_COREMARK", "")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("validate_cycles")


def check_bands(found: list) -> None:
    for each in found:
        band = board(each.board).core.cycle_error_percent
        assert abs(each.error) <= band / 100, each


def test_published_figures_are_of_boards_that_exist_and_name_their_source(
    script: ModuleType,
) -> None:
    published = script.published()
    for group in published["coremark"] + published["primes"]:
        assert group.get("beside", next(iter(group["boards"]))) in group["boards"]
        for name in group["boards"]:
            assert board(name).core.cycle_error_percent, name
    assert all(group["source"] and group["by"] for group in published["coremark"])


@pytest.mark.slow
@needs_data
def test_predictions_lie_within_the_band_of_the_core(script: ModuleType) -> None:
    found = script.comparisons()
    assert len(found) >= 12
    check_bands(found)


@pytest.mark.slow
@pytest.mark.skipif(not COREMARK, reason="SMIDGEN_COREMARK names no folder of CoreMark's sources")
def test_clocks_of_coremark_lie_within_the_band_of_the_core(script: ModuleType) -> None:
    found = script.coremark_comparisons(Path(COREMARK))
    assert found
    check_bands(found)
