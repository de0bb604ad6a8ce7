"""Float graphs with one op each, for all ops that can be quantised."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.ops.activation.functions import Elu, Erf, Gelu, HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.normalization import L2Normalize
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.activation.prelu import Prelu
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.transpose import TransposeConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.add_n import AddN
from smidgen.ops.elementwise.arithmetic import Div, Mul, SquaredDifference, Sub
from smidgen.ops.elementwise.comparison import Compare, Relation
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.elementwise.unary import Abs, Exp, Log, Rsqrt, Sqrt, Square
from smidgen.ops.index.gather import Gather
from smidgen.ops.index.ops import CumSum, Select
from smidgen.ops.matmul.ops import BatchMatMul
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.recurrent.lstm import Lstm
from smidgen.ops.reduce.ops import Mean, ReduceMax, ReduceMin, Sum
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest
from smidgen.ops.shape.arrange import DepthToSpace, SpaceToDepth, Transpose
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import MirrorPad, Pad
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.state.ops import AssignState, ReadState

IMAGE = (1, 4, 6, 4)


class Net:
    """A builder around the input "x" [1, 4, 6, 4]."""

    def __init__(self) -> None:
        self.builder = GraphBuilder("net")
        self.random = np.random.default_rng(7)
        self.x = self.builder.input("x", DType.FLOAT32, IMAGE)

    def constant(self, *shape: int, scale: float = 1.0, shift: float = 0.0) -> str:
        values = (self.random.normal(size=shape) * scale + shift).astype(np.float32)
        return self.builder.constant(self.builder.fresh("constant"), DType.FLOAT32, values)

    def positive(self) -> str:
        return self.add(Add(), self.add(Abs(), self.x), self.constant(1, scale=0.0, shift=0.5))

    def other(self) -> str:
        return self.add(Mul(), self.x, self.constant(4))

    def add(self, op, *inputs: str) -> str:
        return self.builder.add(op, inputs)[0]


def _one(op) -> Callable[[Net], str]:
    return lambda net: net.add(op, net.x)


def _two(op) -> Callable[[Net], str]:
    return lambda net: net.add(op, net.x, net.other())


def _positive(op) -> Callable[[Net], str]:
    return lambda net: net.add(op, net.positive())


def _layer(op, *shape: int) -> Callable[[Net], str]:
    outputs = shape[3] if isinstance(op, DepthwiseConv2D) else shape[0]
    return lambda net: net.add(op, net.x, net.constant(*shape, scale=0.3), net.constant(outputs))


def _add_n(net: Net) -> str:
    return net.add(AddN(), net.x, net.other(), net.positive())


def _select(net: Net) -> str:
    other = net.other()
    return net.add(Select(), net.add(Compare(Relation.GREATER), net.x, other), net.x, other)


def _gather(net: Net) -> str:
    places = net.builder.constant("places", DType.INT32, np.array([2, 0, 2], np.int32))
    return net.add(Gather(3), net.x, places)


def _split(net: Net) -> str:
    first, second = net.builder.add(Split(3, (1, 3)), [net.x])
    return net.add(Mul(), first, second)


def _unpack(net: Net) -> str:
    parts = net.builder.add(Unpack(2), [net.x])
    return net.add(Pack(1), *parts[::-1])


def _matmul(net: Net) -> str:
    return net.add(BatchMatMul(transpose_b=True), net.x, net.other())


def _gated(net: Net) -> str:
    return net.add(Concat(3), net.add(Logistic(), net.x), net.x, net.add(Tanh(), net.x))


def _smoothed(net: Net) -> str:
    state = net.builder.state("smooth", DType.FLOAT32, np.zeros(IMAGE, np.float32))
    old = net.add(ReadState(), state)
    half = net.constant(1, scale=0.0, shift=0.5)
    new = net.add(Mul(), net.add(Add(), old, net.x), half)
    return net.add(AssignState(), state, new)


def lstm(net: Net, stateful: bool) -> str:
    steps, inputs, units = 6, 16, 5
    rows = net.add(Reshape((1, steps, inputs)), net.x)
    weights = [net.constant(units, inputs, scale=0.3) for _ in range(4)]
    weights += [net.constant(units, units, scale=0.3) for _ in range(4)]
    weights += [net.constant(units, scale=0.3) for _ in range(4)]
    zeros = np.zeros((1, units), np.float32)
    stem = net.builder.fresh("memory")
    states = [net.builder.state(f"{stem}_{i}", DType.FLOAT32, zeros) for i in range(2)]
    if not stateful:
        blank = net.builder.constant(f"{stem}_zeros", DType.FLOAT32, zeros)
        states = [net.add(AssignState(), state, blank) for state in states]
    y, *after = net.builder.add(Lstm(), [rows, *weights, *states])
    if stateful:
        for state, value in zip(states, after, strict=True):
            net.add(AssignState(), state, value)
    return y


OPS: Mapping[str, Callable[[Net], str]] = {
    "conv2d": _layer(Conv2D(), 5, 3, 3, 4),
    "depthwise": _layer(DepthwiseConv2D(), 1, 3, 3, 4),
    "transpose_conv": _layer(TransposeConv2D((8, 12), (2, 2)), 3, 2, 2, 4),
    "dense": _layer(Dense(), 7, 24),
    "average_pool": _one(AveragePool2D((2, 2), (2, 2))),
    "max_pool": _one(MaxPool2D((2, 2), (2, 2))),
    "clamp": _one(Clamp()),
    "logistic": _one(Logistic()),
    "tanh": _one(Tanh()),
    "softmax": _one(Softmax()),
    "log_softmax": _one(LogSoftmax()),
    "l2_normalize": _one(L2Normalize()),
    "leaky_relu": _one(LeakyRelu(0.1)),
    "elu": _one(Elu()),
    "gelu": _one(Gelu()),
    "erf": _one(Erf()),
    "hard_swish": _one(HardSwish()),
    "prelu": lambda net: net.add(Prelu(), net.x, net.constant(4, scale=0.2)),
    "add": _two(Add()),
    "sub": _two(Sub()),
    "mul": _two(Mul()),
    "div": lambda net: net.add(Div(), net.x, net.positive()),
    "squared_difference": _two(SquaredDifference()),
    "add_n": _add_n,
    "minimum": _two(Minimum()),
    "maximum": _two(Maximum()),
    "abs": _one(Abs()),
    "square": _one(Square()),
    "exp": _one(Exp()),
    "log": _positive(Log()),
    "sqrt": _positive(Sqrt()),
    "rsqrt": _positive(Rsqrt()),
    "mean": _one(Mean((1, 2))),
    "sum": _one(Sum((3,))),
    "reduce_max": _one(ReduceMax((1, 2))),
    "reduce_min": _one(ReduceMin((3,))),
    "resize_nearest": _one(ResizeNearest((8, 9))),
    "resize_bilinear": _one(ResizeBilinear((8, 9), half_pixel_centers=True)),
    "transpose": _one(Transpose((0, 3, 1, 2))),
    "slice": _one(Slice((0, 1, 0, 0), (1, 2, 3, 4), (1, 1, 2, 1))),
    "pad": _one(Pad((0, 1, 0, 0), (0, 0, 2, 0), 0.75)),
    "mirror_pad": _one(MirrorPad((0, 1, 1, 0), (0, 1, 1, 0), True)),
    "space_to_depth": _one(SpaceToDepth(2)),
    "depth_to_space": _one(DepthToSpace(2)),
    "split": _split,
    "pack": _unpack,
    "gather": _gather,
    "select": _select,
    "cumsum": _one(CumSum(1)),
    "matmul": _matmul,
    "joined gates": _gated,
    "state": _smoothed,
    "lstm": lambda net: lstm(net, False),
    "lstm with state": lambda net: lstm(net, True),
}
