"""Modelled cycles beside what was published for real boards: never off by more than the band."""

import importlib.util
import sys
from pathlib import Path

import pytest

from smidgen.targets.catalogue import core
from support.samples import needs_data

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "validate_cycles.py"


@pytest.mark.slow
@needs_data
def test_predictions_lie_within_the_band_of_the_core() -> None:
    spec = importlib.util.spec_from_file_location("validate_cycles", SCRIPT)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules["validate_cycles"] = script
    spec.loader.exec_module(script)
    found = script.comparisons()
    assert len(found) >= 12
    for each in found:
        band = core(each.core).cycle_error_percent
        assert abs(each.error) <= band / 100, each
