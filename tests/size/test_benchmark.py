"""The benchmark's record, what is said to have moved, and the page that is written from it."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
ROW = {"model": "m.tflite", "core": "cortex-m3", "objective": "size", "instructions": 1000}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch):
    """The modules `page`, `plot` and `report` of the folder ``benchmarks``."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import page
    import plot
    import report

    yield page, plot, report
    for name in ("page", "plot", "report", "cases"):
        sys.modules.pop(name, None)


def test_the_page_is_what_the_record_gives(tools, tmp_path: Path) -> None:
    page, _, report = tools
    page.write(report.read(ROOT / "benchmarks" / "recorded.json"), tmp_path)
    for name in ("benchmark.md", "benchmark-field.svg", "benchmark-cores.svg"):
        assert (tmp_path / name).read_text() == (ROOT / "docs" / name).read_text(), name


def test_no_recorded_build_differs_from_the_reference(tools) -> None:
    rows = tools[2].read(ROOT / "benchmarks" / "recorded.json")
    assert rows and all(row["mismatches"] == 0 for row in rows if "error" not in row)


def test_what_moved_is_told(tools) -> None:
    diff = tools[2].diff
    assert not diff([ROW], [{**ROW, "compile_seconds": 3.0}])
    slower = diff([ROW], [{**ROW, "instructions": 1100}])
    assert slower == "m.tflite cortex-m3 size: instructions 1000 -> 1100 (+10.00 %)"
    other = {**ROW, "core": "cortex-m4f"}
    assert diff([ROW], [other]).splitlines() == [
        "m.tflite cortex-m3 size: gone",
        "m.tflite cortex-m4f size: new",
    ]
    refused = {**ROW, "error": "too large"}
    assert "error None -> too large" in diff([ROW], [refused])


def test_results_are_merged_and_written_without_what_is_unsteady(tools, tmp_path: Path) -> None:
    report = tools[2]
    path = tmp_path / "rows.json"
    newer = {**ROW, "instructions": 900, "compile_seconds": 1.0}
    report.write(report.merged([ROW], [newer]), path, steady=True)
    assert report.read(path) == [{**ROW, "instructions": 900}]


def test_a_drawing_is_well_formed_and_escapes(tools) -> None:
    plot = tools[1]
    text = plot.bars("a < b", ["x", "y"], [plot.Group("m & n", (1.0, None))])
    tree = ElementTree.fromstring(text)
    assert "1.00" in "".join(tree.itertext())
    assert "m & n" in "".join(tree.itertext())
