"""Recurrent layers may start from anything: what C overwrites is memory of their own."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.compiler.pipeline import optimise
from smidgen.core.dtypes import DType
from smidgen.emulate.host import HostDevice
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.recurrent.lstm import Lstm
from smidgen.ops.recurrent.svdf import Svdf
from smidgen.targets.catalogue import board

UNITS, INPUTS, STEPS = 3, 2, 4


def lstm(builder: GraphBuilder, x: str, hidden: str, cell: str) -> tuple[str, ...]:
    rng = np.random.default_rng(5)
    shapes = [(UNITS, INPUTS)] * 4 + [(UNITS, UNITS)] * 4 + [(UNITS,)] * 4
    weights = [
        builder.constant(builder.fresh("w"), DType.FLOAT32, rng.normal(size=shape))
        for shape in shapes
    ]
    return builder.add(Lstm(), [x, *weights, hidden, cell])


def given(start: str) -> Graph:
    """An LSTM that starts from constants, from one tensor twice, or from what is read later."""
    b = GraphBuilder("given")
    x = b.input("x", DType.FLOAT32, (1, STEPS, INPUTS))
    values = np.arange(UNITS, dtype=np.float32)[None] / 4
    if start == "constants":
        hidden = b.constant("h", DType.FLOAT32, values)
        cell = b.constant("c", DType.FLOAT32, -values)
    else:
        hidden = cell = b.input("h", DType.FLOAT32, (1, UNITS))
    y, last, memory = lstm(b, x, hidden, cell)
    (moved,) = b.add(Add(), [last, hidden])
    return b.finish([y, moved, memory])


@pytest.mark.parametrize("start", ["constants", "one input for both, read again later"])
def test_an_lstm_starts_from_values_that_are_no_state(start):
    graph, rng = given(start), np.random.default_rng(0)
    host = HostDevice(compile_graph(graph, board("nucleo-f103rb")))
    for _ in range(3):  # a start is a start each time
        inputs = [
            rng.normal(size=graph.tensors[name].shape).astype(np.float32) for name in graph.inputs
        ]
        for found, wanted in zip(host.run(inputs), Reference(graph).run(inputs), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_an_svdf_starts_from_a_constant_each_time():
    b = GraphBuilder("svdf")
    x = b.input("x", DType.FLOAT32, (1, 2))
    features = b.constant("f", DType.FLOAT32, np.ones((2, 2)))
    times = b.constant("t", DType.FLOAT32, np.array([[1.0, 2.0, 3.0]] * 2))
    start = b.constant("s", DType.FLOAT32, np.full((1, 6), 0.5))
    y, _ = b.add(Svdf(), [x, features, times, "", start])
    graph = b.finish([y])
    host = HostDevice(compile_graph(graph, board("nucleo-f103rb")))
    for _ in range(2):
        inputs = [np.array([[1.0, -3.0]], np.float32)]
        np.testing.assert_array_equal(host.run(inputs)[0], Reference(graph).run(inputs)[0])


def test_a_state_is_not_copied():
    b = GraphBuilder("state")
    x = b.input("x", DType.FLOAT32, (1, STEPS, INPUTS))
    states = [b.state(name, DType.FLOAT32, np.zeros((1, UNITS))) for name in ("h", "c")]
    y, *_ = lstm(b, x, *states)
    assert [node.op.kind for node in optimise(b.finish([y])).nodes] == ["lstm"]
