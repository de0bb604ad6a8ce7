"""Graphs survive being printed and parsed, and read as the golden says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from smidgen.core.errors import GraphError, SmidgenError
from smidgen.frontends.load import load_model
from smidgen.graph.graph import Graph
from smidgen.graph.text import arrays_of, parse_graph, print_graph
from support.graphs import small_convnet
from support.samples import sample_id, tflite_files

GOLDEN = Path(__file__).parents[2] / "golden" / "small_convnet.graph.txt"


def same(a: Graph, b: Graph) -> bool:
    tensors = all(
        one.type == other.type
        and one.quantization == other.quantization
        and (one.data is None) == (other.data is None)
        and (one.data is None or np.array_equal(one.data, other.data))
        for one, other in zip(a.tensors.values(), (b.tensors[n] for n in a.tensors), strict=True)
    )
    return tensors and (a.nodes, a.inputs, a.outputs) == (b.nodes, b.inputs, b.outputs)


def test_a_graph_survives_the_round_trip() -> None:
    graph = small_convnet()
    assert same(graph, parse_graph(print_graph(graph), arrays_of(graph)))


def test_the_text_is_the_golden_one() -> None:
    text = print_graph(small_convnet())
    if os.environ.get("SMIDGEN_RECORD"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize("path", tflite_files(), ids=sample_id)
def test_every_sample_that_loads_survives(path: Path) -> None:
    try:
        graph = load_model(path)
    except SmidgenError:
        pytest.skip("smidgen does not take this model yet")
    assert same(graph, parse_graph(print_graph(graph), arrays_of(graph)))


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "input x int8",
        "input x: int9[1]",
        "a = conv2d(x",
        "a = noop(x)",
        "const w: int8[4] = #0123456789abcdef",
        "input x: int8[2]\na = reshape(x) shape=__import__('os')\n  -> y: int8[2]",
    ],
)
def test_damaged_text_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(GraphError, match="line"):
        parse_graph(text)
