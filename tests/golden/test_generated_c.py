"""Generated C is a product: whole files are compared, so that every change to it is seen.

`make record` writes the files anew; the change to them belongs in the commit that causes it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.targets.catalogue import board
from support.graphs import small_convnet

HERE = Path(__file__).parent
BOARDS = ("esp32-c3", "nucleo-l4r5zi")
BUDGET = 850


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("file", ["net.h", "net.c", "net_weights.h"])
def test_the_file_is_the_golden_one(name: str, file: str) -> None:
    check(compile_graph(small_convnet(), board(name), "net").files[file], HERE / name / file)


def test_layers_in_bands_are_the_golden_ones() -> None:
    artifact = compile_graph(small_convnet(), board("esp32-c3"), "net", ram_budget_bytes=BUDGET)
    assert artifact.manifest.bands
    check(artifact.files["net.c"], HERE / "esp32-c3-in-bands" / "net.c")


def check(text: str, golden: Path) -> None:
    """Compare with the golden file; write it where that is asked for."""
    if os.environ.get("SMIDGEN_RECORD"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
