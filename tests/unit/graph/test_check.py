"""Graphs that break a rule are refused with the place and the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smidgen.core.dtypes import DType
from smidgen.core.errors import ArrayError, GraphError
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.check import check
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.shape.ops import Reshape


def sum_graph() -> Graph:
    builder = GraphBuilder("sum")
    a = builder.input("a", DType.FLOAT32, (1, 4))
    b = builder.input("b", DType.FLOAT32, (4,))
    (total,) = builder.add(Add(), [a, b])
    (flat,) = builder.add(Reshape((4,)), [total])
    return builder.finish([flat])


def test_a_built_graph_is_valid_and_runs() -> None:
    graph = sum_graph()
    result = Reference(graph).run([np.ones((1, 4), np.float32), np.arange(4, dtype=np.float32)])
    assert result[0].tolist() == [1, 2, 3, 4]


def test_nodes_out_of_order_are_refused() -> None:
    graph = sum_graph()
    with pytest.raises(GraphError, match="before it exists"):
        check(replace(graph, nodes=graph.nodes[::-1]), after="test")


def test_a_wrong_output_type_is_refused() -> None:
    graph = sum_graph()
    wrong = {**graph.tensors, "add_0_out": Tensor("add_0_out", DType.FLOAT32, (2, 2))}
    with pytest.raises(GraphError, match="is inferred"):
        check(replace(graph, tensors=wrong), after="test")


def test_scales_must_match_the_axis() -> None:
    graph = sum_graph()
    quant = Quantization((1.0, 2.0), (0, 0), axis=1)
    wrong = {**graph.tensors, "a": replace(graph.tensors["a"], quantization=quant)}
    with pytest.raises(GraphError, match="2 scales for 4 slices"):
        check(replace(graph, tensors=wrong), after="test")


def test_shapes_that_do_not_broadcast_are_refused() -> None:
    builder = GraphBuilder("bad")
    a = builder.input("a", DType.FLOAT32, (3,))
    b = builder.input("b", DType.FLOAT32, (4,))
    with pytest.raises(GraphError, match="does not broadcast"):
        builder.add(Add(), [a, b])


@pytest.mark.parametrize(
    "given",
    [
        [np.ones((1, 4), np.float32)],
        [np.ones((1, 4), np.float64), np.ones(4, np.float32)],
        [np.ones((4, 1), np.float32), np.ones(4, np.float32)],
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(given: list[np.ndarray]) -> None:
    with pytest.raises(ArrayError, match=r"sum|'a'"):
        Reference(sum_graph()).run(given)
