"""Single-op graphs with random operands, for kernel tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding

# Every example is a batch of cases and one compile; a failure names its case, so none is shrunk.
few_batches = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

T = TypeVar("T")
seeds = st.integers(0, 1 << 62)
FACTORS = ((0.001, 0.4), (0.3, 3.0), (1e-9, 1e-6), (0.002, 0.02))
"""Ranges of requantisation factors: usual, left shifts too, long right shifts, saturating none."""


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
    reals = np.exp(rng.uniform(*np.log(factors), channels))
    scales = tuple(float(real * out_scale / 0.05) for real in reals)
    w = build.constant("w", DType.INT8, weights, Quantization(scales, (0,) * channels, 3))
    limit = 1 << 20 if extreme else 4000
    b = build.constant("b", DType.INT32, rng.integers(-limit, limit, channels))
    return build.finish(build.add(op, (x, w, b), quant(out_scale, zero_points[1])))


def random_depthwise(rng: np.random.Generator) -> Graph:
    """Any small depthwise layer."""
    windows = [(3, 3), (3, 3), (1, 1), (9, 1), (1, 4), (2, 5), (5, 3), (4, 3)]
    window = pick(rng, windows)
    stride = pick(rng, [(1, 1), (1, 1), (2, 2), (2, 2), (1, 2), (2, 1), (3, 1), (1, 3)])
    dilation = pick(rng, [(1, 1), (1, 1), (1, 1), (2, 1), (1, 2), (2, 2)])
    padding, size = random_image(rng, window, dilation)
    return depthwise_graph(
        DepthwiseConv2D(stride, padding, dilation, pick(rng, list(Activation))),
        (*size, pick(rng, [1, 2, 3, 4, 7, 8])),
        window,
        pick(rng, [1, 1, 1, 2, 8]),
        rng,
        zero_points=(zero_point(rng), zero_point(rng)),
        factors=pick(rng, FACTORS),
        extreme=bool(rng.integers(2)),
    )


def random_image(
    rng: np.random.Generator,
    window: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
    most: int = 9,
) -> tuple[Padding, tuple[int, int]]:
    """Padding up to the window, and rows and columns of an image that it fits at least once."""
    top, left, bottom, right = (int(rng.integers(extent + 1)) for extent in (*window, *window))
    least = [(window[k] - 1) * dilation[k] + 1 for k in range(2)]
    rows = max(1, least[0] - top - bottom) + int(rng.integers(most + 1))
    cols = max(1, least[1] - left - right) + int(rng.integers(most + 1))
    return Padding(top, bottom, left, right), (rows, cols)


def zero_point(rng: np.random.Generator) -> int:
    """Any zero point, the extreme ones more often."""
    return int(rng.choice([-128, 0, 127, rng.integers(-128, 128)]))


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of `options`."""
    return options[int(rng.integers(len(options)))]


def batch(make: Callable[[np.random.Generator], T], count: int, seed: int) -> list[T]:
    """`count` results of `make`, which random numbers from `seed` drive."""
    return [make(np.random.default_rng((seed, index))) for index in range(count)]


def random_add(rng: np.random.Generator) -> Graph:
    """A small sum: equal shapes, or one operand repeated."""
    build = GraphBuilder("single")
    whole = tuple(int(extent) for extent in rng.integers(1, 7, 4))
    part = pick(rng, [whole, whole, whole[1:], whole[3:], (1,)])
    shapes = pick(rng, [(whole, part), (part, whole)])
    scales = np.exp(rng.uniform(-3, 1, 3)).tolist()
    names = [
        build.input(f"x{k}", DType.INT8, shapes[k], quant(scales[k], zero_point(rng)))
        for k in range(2)
    ]
    activation = pick(rng, list(Activation))
    return build.finish(build.add(Add(activation), names, quant(scales[2], zero_point(rng))))


def random_pool(rng: np.random.Generator) -> Graph:
    """A small average or max pooling; every window touches the image."""
    window = pick(rng, [(2, 2), (3, 3), (1, 1), (5, 1), (2, 3)])
    padding, size = random_image(rng, window)
    edges = [min(edge, window[k % 2] - 1) for k, edge in enumerate(_edges(padding))]
    size = (max(size[0], window[0]), max(size[1], window[1]))
    op = pick(rng, [AveragePool2D, MaxPool2D])(
        pick(rng, [window, size]),
        pick(rng, [window, (1, 1), (2, 1)]),
        pick(rng, [Padding(), Padding(edges[0], edges[2], edges[1], edges[3])]),
        pick(rng, list(Activation)),
    )
    build = GraphBuilder("single")
    quantization = quant(0.05, zero_point(rng))
    shape = (1, *size, pick(rng, [1, 3, 4, 8, 12]))
    x = build.input("x", DType.INT8, shape, quantization)
    return build.finish(build.add(op, (x,), quantization))


def _edges(padding: Padding) -> tuple[int, int, int, int]:
    return padding.top, padding.left, padding.bottom, padding.right


def random_softmax(rng: np.random.Generator) -> Graph:
    """A softmax over a few classes or over many, with differences from tiny to vast."""
    build = GraphBuilder("single")
    shape = (1, int(rng.integers(1, 4)), pick(rng, [1, 2, 4, 12, 100, 700]))
    scale = float(np.exp(rng.uniform(-6, 1)))
    x = build.input("x", DType.INT8, shape, quant(scale, zero_point(rng)))
    beta = pick(rng, [1.0, 1.0, 0.5, 2.0])
    return build.finish(build.add(Softmax(beta), (x,), quant(1 / 256, -128)))
