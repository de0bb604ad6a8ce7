"""Small graphs that several tests compile."""

from __future__ import annotations

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


def small_convnet(seed: int = 0) -> Graph:
    """Every int8 op of the first slice once: conv, depthwise, add, pools, dense, softmax."""
    rng = np.random.default_rng(seed)
    b = GraphBuilder("small_convnet")

    def weights(name: str, shape: tuple[int, ...], axis: int) -> list[str]:
        channels = shape[axis]
        scales = per_channel(rng.uniform(0.002, 0.02, channels), axis)
        values = rng.integers(-127, 128, shape)
        bias = rng.integers(-2000, 2000, channels)
        return [
            b.constant(f"{name}_w", INT8, values, scales),
            b.constant(f"{name}_b", INT32, bias),
        ]

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
