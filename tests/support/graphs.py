"""Small graphs that several tests compile."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding

INT8, INT32 = DType.INT8, DType.INT32


def quant(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization((float(np.float32(scale)),), (zero_point,))


def per_channel(scales: np.ndarray, axis: int) -> Quantization:
    values = tuple(float(np.float32(scale)) for scale in scales)
    return Quantization(values, (0,) * len(values), axis)


@dataclass(frozen=True)
class WeightSource:
    """Adds random int8 weights and biases to a graph."""

    builder: GraphBuilder
    rng: np.random.Generator

    def __call__(self, name: str, shape: tuple[int, ...], axis: int) -> list[str]:
        channels = shape[axis]
        scales = per_channel(self.rng.uniform(0.002, 0.02, channels), axis)
        return [
            self.builder.constant(f"{name}_w", INT8, self.rng.integers(-127, 128, shape), scales),
            self.builder.constant(f"{name}_b", INT32, self.rng.integers(-2000, 2000, channels)),
        ]


def autoencoder(widths: tuple[int, ...], seed: int = 0) -> Graph:
    """Dense layers from one of `widths` to the next, as in nets that detect anomalies."""
    b = GraphBuilder("autoencoder")
    weights = WeightSource(b, np.random.default_rng(seed))
    x = b.input("x", INT8, (1, widths[0]), quant(0.05, 3))
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        operands = [x, *weights(f"fc{index}", (outputs, inputs), 0)]
        (x,) = b.add(Dense(Activation.RELU), operands, quant(0.5, -128))
    return b.finish([x])


def separable_convnet(seed: int = 0) -> Graph:
    """A classifier of 12x12 images with 24,792 bytes of weights, and little memory besides."""
    b = GraphBuilder("separable_convnet")
    weights = WeightSource(b, np.random.default_rng(seed))
    relu = Activation.RELU
    x = b.input("x", INT8, (1, 12, 12, 1), quant(0.05, 3))
    first, same = Conv2D((2, 2), Padding(0, 1, 0, 1), (1, 1), relu), Padding(1, 1, 1, 1)
    (x,) = b.add(first, [x, *weights("conv", (16, 3, 3, 1), 0)], quant(0.06, -128))
    depthwise = DepthwiseConv2D((2, 2), same, (1, 1), relu)
    (x,) = b.add(depthwise, [x, *weights("dw", (1, 3, 3, 16), 3)], quant(0.08, -128))
    pointwise = Conv2D((1, 1), Padding(0, 0, 0, 0), (1, 1), relu)
    (x,) = b.add(pointwise, [x, *weights("pw", (32, 1, 1, 16), 0)], quant(0.3, -128))
    wide = Conv2D((1, 1), same, (1, 1), relu)
    (x,) = b.add(wide, [x, *weights("wide", (56, 3, 3, 32), 0)], quant(0.5, -128))
    (x,) = b.add(Reshape((1, 504)), [x], quant(0.5, -128))
    (x,) = b.add(Dense(), [x, *weights("fc", (15, 504), 0)], quant(0.9, 7))
    (x,) = b.add(Softmax(), [x], quant(1 / 256, -128))
    return b.finish([x])


def small_convnet(seed: int = 0) -> Graph:
    """Every int8 op of the first slice once: conv, depthwise, add, pools, dense, softmax."""
    b = GraphBuilder("small_convnet")
    weights = WeightSource(b, np.random.default_rng(seed))
    x = b.input("x", INT8, (1, 8, 8, 2), quant(0.05, 3))
    same = Padding(1, 1, 1, 1)
    relu = Activation.RELU
    full, depthwise = Conv2D((1, 1), same, (1, 1), relu), DepthwiseConv2D((1, 1), same)
    (c,) = b.add(full, [x, *weights("conv", (6, 3, 3, 2), 0)], quant(0.06, -128))
    (d,) = b.add(depthwise, [c, *weights("dw", (1, 3, 3, 6), 3)], quant(0.08, -5))
    (s,) = b.add(Add(), [c, d], quant(0.09, -20))
    (m,) = b.add(MaxPool2D((2, 2), (2, 2)), [s], quant(0.09, -20))
    (a,) = b.add(AveragePool2D((4, 4), (4, 4)), [m], quant(0.09, -20))
    (f,) = b.add(Reshape((1, 6)), [a], quant(0.09, -20))
    (y,) = b.add(Dense(), [f, *weights("fc", (4, 6), 0)], quant(0.1, 7))
    (p,) = b.add(Softmax(), [y], quant(1 / 256, -128))
    return b.finish([p])
