"""What the arithmetic ops refuse, and how they say so."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.core.dtypes import DType
from smidgen.core.errors import GraphError
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.elementwise.add_n import AddN
from smidgen.ops.elementwise.arithmetic import Div, Mul
from smidgen.ops.elementwise.comparison import LogicalAnd, LogicalNot
from smidgen.ops.elementwise.unary import Exp

SCALE = Quantization((0.1,), (0,))


@pytest.mark.parametrize(
    ("op", "first", "second"),
    [
        (Mul(), (DType.INT8, (2, 3), SCALE), (DType.INT8, (2, 4), SCALE)),
        (Mul(), (DType.INT8, (2, 3), SCALE), (DType.INT16, (2, 3), SCALE)),
        (Mul(), (DType.INT8, (2, 3), None), (DType.INT8, (2, 3), SCALE)),
        (Div(), (DType.BOOL, (2, 3), None), (DType.BOOL, (2, 3), None)),
        (AddN(), (DType.FLOAT32, (2, 3), None), (DType.FLOAT32, (3,), None)),
        (AddN(), (DType.INT8, (3,), SCALE), (DType.INT8, (3,), Quantization((0.2,), (0,)))),
        (LogicalAnd(), (DType.INT8, (3,), SCALE), (DType.INT8, (3,), SCALE)),
    ],
)
def test_operands_that_do_not_fit_are_refused_by_name(op: Op, first: tuple, second: tuple) -> None:
    builder = GraphBuilder("refused")
    names = [builder.input(name, *kind) for name, kind in (("a", first), ("b", second))]
    with pytest.raises(GraphError, match=r"operand '[ab]'"):
        builder.add(op, names, SCALE)


@pytest.mark.parametrize("op", [Exp(), LogicalNot()])
def test_functions_refuse_plain_integers(op: Op) -> None:
    builder = GraphBuilder("refused")
    x = builder.input("x", DType.INT32, (3,))
    with pytest.raises(GraphError, match="operand 'x'"):
        builder.add(op, [x])


def test_integer_division_by_zero_is_zero() -> None:
    builder = GraphBuilder("division")
    names = [builder.input(name, DType.INT32, (4,)) for name in "ab"]
    graph = builder.finish(builder.add(Div(), names))
    a, b = np.array([7, -7, -7, -(2**31)], np.int32), np.array([0, 2, -2, -1], np.int32)
    assert Reference(graph).run([a, b])[0].tolist() == [0, -3, 3, -(2**31)]
