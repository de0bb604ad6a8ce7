"""Types that an op has no rule for, and that no kernel takes: refused, and not computed wrongly."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import DType
from smidgen.core.errors import GraphError, UnsupportedError
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.op import Op
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.normalization import L2Normalize
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.modulo import FloorDiv
from smidgen.ops.reduce.ops import ReduceAll
from smidgen.targets.catalogue import board
from support.graphs import quant


@pytest.mark.parametrize("dtype", sorted(set(DType) - {DType.FLOAT32, DType.INT8}, key=str))
def test_a_log_softmax_of_a_type_without_a_rule(dtype: DType) -> None:
    b = GraphBuilder("scores")
    x = b.input("x", dtype, (1, 4), quant(0.1) if dtype is DType.INT16 else None)
    with pytest.raises(GraphError, match=f"'x'.*log softmax of {dtype.label}"):
        b.add(LogSoftmax(), [x])


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("shape", [(0,), (1, 0), (0, 4)])
def test_a_log_softmax_of_nothing(dtype: DType, shape: tuple[int, ...]) -> None:
    b = GraphBuilder("scores")
    x = b.input("x", dtype, shape, quant(0.1) if dtype is DType.INT8 else None)
    with pytest.raises(GraphError, match="log softmax"):
        b.add(LogSoftmax(), [x])


@pytest.mark.parametrize("op", [ReduceAll((1,)), L2Normalize()])
def test_a_reduction_of_truth_and_a_normalisation_of_16_bits(op: Op) -> None:
    b = GraphBuilder("numbers")
    x = b.input("x", DType.INT16, (1, 4), quant(0.1))
    with pytest.raises(GraphError, match=r"'x'.*int16"):
        b.add(op, [x])


def test_whole_numbers_that_are_known_divide_downwards() -> None:
    """As in shapes; 0 stands for what is divided by 0."""
    a, b = np.array([7, -7, 7, -8, 3], np.int32), np.array([2, 2, -2, -2, 0], np.int32)
    builder = GraphBuilder("shapes")
    names = [builder.constant(name, DType.INT32, values) for name, values in (("a", a), ("b", b))]
    graph = builder.finish(builder.add(FloorDiv(), names))
    assert Reference(graph).run([])[0].tolist() == [3, -4, -4, 4, 0]


def layer(op: Op, shape: tuple[int, ...], weights: tuple[int, ...], bias: DType) -> Graph:
    """An int8 layer of ones with three outputs, and a bias of that type."""
    b = GraphBuilder("layer")
    x = b.input("x", DType.INT8, shape, quant(0.1))
    w = b.constant("w", DType.INT8, np.ones(weights, np.int8), quant(0.02))
    values = np.array([1, 2, 3], bias.numpy)
    offset = b.constant("b", bias, values, quant(0.002) if bias.is_integer else None)
    return b.finish(b.add(op, [x, w, offset], quant(0.5)))


LAYERS = [
    (Dense(), (1, 5), (3, 5)),
    (Conv2D(), (1, 4, 4, 2), (3, 1, 1, 2)),
    (DepthwiseConv2D(), (1, 4, 4, 3), (1, 2, 2, 3)),
]


@pytest.mark.parametrize("name", ["esp32-c3", "nucleo-l4r5zi", "nucleo-f103rb"])
@pytest.mark.parametrize(("op", "shape", "weights"), LAYERS, ids=["dense", "conv", "depthwise"])
def test_an_integer_layer_with_a_bias_in_float(op: Op, shape, weights, name: str) -> None:
    compile_graph(layer(op, shape, weights, DType.INT32), board(name))
    with pytest.raises(UnsupportedError, match="no kernel takes inputs"):
        compile_graph(layer(op, shape, weights, DType.FLOAT32), board(name))
