"""Single-op graphs with random operands, for kernel tests."""

from __future__ import annotations

import numpy as np
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.conv.ops import DepthwiseConv2D


def quant(scale: float, zero_point: int) -> Quantization:
    """Per-tensor quantisation."""
    return Quantization((scale,), (zero_point,))


def int8(rng: np.random.Generator, shape: tuple[int, ...], extreme: bool = False) -> np.ndarray:
    """Random quanta; `extreme` ones are the ends of the range only."""
    if extreme:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    return rng.integers(-128, 128, shape).astype(np.int8)


def depthwise_graph(
    op: DepthwiseConv2D,
    x_shape: tuple[int, int, int],
    window: tuple[int, int],
    multiplier: int,
    rng: np.random.Generator,
    *,
    zero_points: tuple[int, int] = (-3, 5),
    factors: tuple[float, float] = (0.002, 0.02),
    extreme: bool = False,
) -> Graph:
    """One depthwise layer; `factors` is the range of its requantisation multipliers."""
    build = GraphBuilder("single")
    channels = x_shape[2] * multiplier
    x = build.input("x", DType.INT8, (1, *x_shape), quant(0.05, zero_points[0]))
    weights = int8(rng, (1, *window, channels), extreme)
    out_scale = 0.1
    reals = rng.uniform(*factors, channels)
    scales = tuple(float(real * out_scale / 0.05) for real in reals)
    w = build.constant("w", DType.INT8, weights, Quantization(scales, (0,) * channels, 3))
    limit = 1 << 20 if extreme else 4000
    b = build.constant("b", DType.INT32, rng.integers(-limit, limit, channels))
    return build.finish(build.add(op, (x, w, b), quant(out_scale, zero_points[1])))
