"""Small random int8 networks for tests, and MobileNetV1-0.25 from its layer table."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.check import check
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.activation.functions import HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.extremes import Maximum
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.reduce.ops import Mean, ReduceMax, Sum
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding

ACTIVATIONS = (Activation.NONE, Activation.RELU, Activation.RELU6)


def quant(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization((float(np.float32(scale)),), (zero_point,))


class NetworkMaker:
    """Adds layers to a builder; `spoil` plants zero, constant, duplicate and unread channels."""

    def __init__(self, seed: int, spoil: float = 0.0, extreme: bool = False) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = GraphBuilder(f"network_{seed}")
        self.spoil = spoil
        self.extreme = extreme

    def input(self, shape: tuple[int, ...]) -> str:
        return self.builder.input("x", DType.INT8, shape, self.activation_quant())

    def activation_quant(self) -> Quantization:
        zero_point = int(self.rng.choice([-128, -128, int(self.rng.integers(-128, 128))]))
        return quant(self.rng.uniform(0.01, 0.1), zero_point)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.builder.tensor(name).shape

    def weights(self, shape: tuple[int, ...], axis: int, in_axis: int | None) -> tuple[str, str]:
        """Weights and bias, some filters zero or alike, some inputs unread."""
        values = self.rng.integers(-60, 61, shape)
        outputs = shape[axis]
        bias = self.rng.integers(-3000, 3000, outputs)
        scales = [float(np.float32(s)) for s in self.rng.uniform(0.002, 0.02, outputs)]
        moved = np.moveaxis(values, axis, 0)
        for o in range(outputs):
            fate = self.rng.random()
            if fate < self.spoil / 2:
                moved[o] = 0
            elif fate < self.spoil * 0.75 and o:
                moved[o], bias[o], scales[o] = moved[o - 1], bias[o - 1], scales[o - 1]
            elif fate < self.spoil:
                bias[o] = self.rng.choice([-(1 << 20), 1 << 20])
            elif self.extreme and fate > 0.9:
                bias[o] = self.rng.choice([-(1 << 31), (1 << 31) - 1])
        if in_axis is not None:
            unread = self.rng.random(shape[in_axis]) < self.spoil / 3
            np.moveaxis(values, in_axis, 0)[unread] = 0
        stem = f"w{len(self.builder._tensors)}"
        one = self.rng.random() < 0.3
        kind = quant(scales[0]) if one else Quantization(tuple(scales), (0,) * outputs, axis)
        self.builder.constant(stem, DType.INT8, values.astype(np.int8), kind)
        self.builder.constant(stem + "_bias", DType.INT32, bias.astype(np.int32))
        return stem, stem + "_bias"

    def padding(self) -> Padding:
        return Padding(*(int(n) for n in self.rng.integers(0, 2, 4)))

    def stride(self, x: str) -> tuple[int, int]:
        return (int(self.rng.integers(1, 3)),) * 2 if min(self.shape(x)[1:3]) > 3 else (1, 1)

    def conv(self, x: str, outputs: int, window: int, padding=None, stride=None) -> str:
        weights = self.weights((outputs, window, window, self.shape(x)[3]), 0, 3)
        op = Conv2D(
            stride or self.stride(x),
            self.padding() if padding is None else padding,
            activation=ACTIVATIONS[self.rng.integers(3)],
        )
        return self.builder.add(op, [x, *weights], self.activation_quant())[0]

    def depthwise(self, x: str, window: int, multiplier=1, padding=None, stride=None) -> str:
        weights = self.weights((1, window, window, self.shape(x)[3] * multiplier), 3, None)
        op = DepthwiseConv2D(
            stride or self.stride(x),
            self.padding() if padding is None else padding,
            activation=ACTIVATIONS[self.rng.integers(3)],
        )
        return self.builder.add(op, [x, *weights], self.activation_quant())[0]

    def pool(self, x: str) -> str:
        kind = (AveragePool2D, MaxPool2D)[self.rng.integers(2)]
        op = kind((2, 2), (1, 1), Padding(0, int(self.rng.integers(2))))
        return self.builder.add(op, [x], self.builder.tensor(x).quantization)[0]

    def clamp(self, x: str) -> str:
        same = self.rng.random() < 0.5
        kind = self.builder.tensor(x).quantization if same else self.activation_quant()
        return self.builder.add(Clamp(Activation.RELU6), [x], kind)[0]

    def pad(self, x: str) -> str:
        op = Pad((0, 1, 0, 0), (0, 0, 1, 0))
        return self.builder.add(op, [x], self.builder.tensor(x).quantization)[0]

    def join(self, x: str) -> str:
        """Two branches that meet in an addition or a concatenation."""
        inside = Padding(1, 1, 1, 1)
        a = self.conv(x, int(self.rng.integers(2, 6)), 1, Padding(), (1, 1))
        b = self.conv(x, self.shape(a)[3], 3, inside, (1, 1))
        activation = ACTIVATIONS[self.rng.integers(3)]
        ops = (Add(activation), Sub(activation), Mul(activation), Maximum(), Concat(3))
        op = ops[self.rng.integers(len(ops))]
        return self.builder.add(op, [a, b], self.activation_quant())[0]

    def unary(self, x: str) -> str:
        op = (LeakyRelu(0.3), HardSwish(), Tanh(), Logistic())[self.rng.integers(4)]
        same = (quant(1 / 128), quant(1 / 256, -128))
        kind = {Tanh: same[0], Logistic: same[1]}.get(type(op)) or self.activation_quant()
        return self.builder.add(op, [x], kind)[0]

    def reduce(self, x: str) -> str:
        op = (Mean((1, 2), True), Sum((1,), True), ReduceMax((2,), True))[self.rng.integers(3)]
        same = isinstance(op, ReduceMax)
        kind = self.builder.tensor(x).quantization if same else self.activation_quant()
        return self.builder.add(op, [x], kind)[0]

    def dense(self, x: str, outputs: int) -> str:
        depth = int(np.prod(self.shape(x)))
        if self.rng.random() < 0.5:
            (x,) = self.builder.add(Reshape((1, depth)), [x], self.builder.tensor(x).quantization)
        weights = self.weights((outputs, depth), 0, 1)
        op = Dense(ACTIVATIONS[self.rng.integers(3)])
        return self.builder.add(op, [x, *weights], self.activation_quant())[0]

    def layer(self, x: str) -> str:
        """A random layer that fits."""
        outputs = int(self.rng.integers(2, 8))
        anywhere = (
            lambda: self.pad(x),
            lambda: self.clamp(x),
            lambda: self.join(x),
            lambda: self.unary(x),
            lambda: self.conv(x, outputs, 1, None, (1, 1)),
            lambda: self.conv(x, outputs, 1, Padding(), (1, 1)),
        )
        with_window = (
            lambda: self.conv(x, outputs, 3),
            lambda: self.depthwise(x, 3, int(self.rng.integers(1, 3))),
            lambda: self.pool(x),
        )
        small = min(self.shape(x)[1:3]) < 3
        choices = anywhere if small else anywhere + with_window
        return choices[self.rng.integers(len(choices))]()


def random_network(seed: int, spoil: float, extreme: bool = False, layers: int = 6) -> Graph:
    """A random int8 network with planted dead channels; `extreme` biases make sums wrap."""
    maker = NetworkMaker(seed, spoil, extreme)
    x = maker.input((1, int(maker.rng.integers(3, 8)), int(maker.rng.integers(3, 8)), 3))
    for _ in range(layers):
        x = maker.layer(x)
    if maker.rng.random() < 0.4:
        x = maker.reduce(x)
    x = maker.dense(maker.dense(x, 6), 3)
    return maker.builder.finish([x])


_MOBILENET = ((1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128), *((1, 128),) * 5)
_MOBILENET_END = ((2, 256), (1, 256))


def mobilenet(colours: int, classes: int = 2, spoil: float = 0.0, seed: int = 0) -> Graph:
    """MobileNetV1-0.25 on 96 x 96 pixels: (stride, output channels) of each separable block."""
    maker = NetworkMaker(seed, spoil)
    x = maker.input((1, 96, 96, colours))
    x = maker.conv(x, 8, 3, Padding(0, 1, 0, 1), (2, 2))
    for stride, outputs in (*_MOBILENET, *_MOBILENET_END):
        padding = Padding(1, 1, 1, 1) if stride == 1 else Padding(0, 1, 0, 1)
        x = maker.depthwise(x, 3, 1, padding, (stride, stride))
        x = maker.conv(x, outputs, 1, Padding(), (1, 1))
    pool = AveragePool2D((3, 3), (3, 3))
    (x,) = maker.builder.add(pool, [x], maker.builder.tensor(x).quantization)
    x = maker.dense(x, classes)
    (x,) = maker.builder.add(Softmax(), [x], quant(1 / 256, -128))
    return maker.builder.finish([x])


def samples(graph: Graph, count: int = 3, seed: int = 0) -> list[list[np.ndarray]]:
    """Inputs at the edges of their types, and at random."""
    rng = np.random.default_rng(seed)
    tensors = [graph.tensors[name] for name in graph.inputs]
    edges = [[_edge(tensor, index) for tensor in tensors] for index in range(3)]
    return edges + [[_random(tensor, rng) for tensor in tensors] for _ in range(count)]


def _edge(tensor: Tensor, index: int) -> np.ndarray:
    if not tensor.dtype.is_integer:
        return np.full(tensor.shape, index - 1).astype(tensor.dtype.numpy)
    zero = tensor.quantization.zero_point if tensor.quantization else 0
    return np.full(tensor.shape, [*tensor.dtype.range, zero][index]).astype(tensor.dtype.numpy)


def _random(tensor: Tensor, rng: np.random.Generator) -> np.ndarray:
    if not tensor.dtype.is_integer:
        return rng.normal(0, 3, tensor.shape).astype(tensor.dtype.numpy)
    low, high = tensor.dtype.range
    return rng.integers(low, high + 1, tensor.shape).astype(tensor.dtype.numpy)


def assert_same(before: Graph, after: Graph, count: int = 3) -> None:
    check(after, after="test")
    old, new = Reference(before), Reference(after)
    for arrays in samples(before, count):
        for a, b in zip(old.run(arrays), new.run(arrays), strict=True):
            np.testing.assert_array_equal(a, b)
