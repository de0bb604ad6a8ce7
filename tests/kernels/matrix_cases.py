"""Random convolutions and fully connected layers, as cases for the harness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from kernels.cases import int8, quant
from kernels.harness import Case
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.kernel import Kernel
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import core

ZERO_POINTS = (-128, -127, -1, 0, 5, 127)
FACTORS = ((0.002, 0.02), (0.0005, 0.001), (0.02, 0.4), (0.25, 0.25), (0.0078125, 0.0078125))
MAGNITUDES = (127, 127, 20, 1, 0)


@dataclass(frozen=True)
class Layer:
    """What decides a case: shapes, numbers, and how much the output lies over the input."""

    op: Conv2D | Dense
    x_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]
    zero_points: tuple[int, int]
    factors: tuple[float, float]
    magnitude: int
    inputs: str
    overlap: int | None
    seed: int


def _numbers(draw: st.DrawFn) -> dict:
    return {
        "zero_points": (draw(st.sampled_from(ZERO_POINTS)), draw(st.sampled_from(ZERO_POINTS))),
        "factors": draw(st.sampled_from(FACTORS)),
        "magnitude": draw(st.sampled_from(MAGNITUDES)),
        "inputs": draw(st.sampled_from(("random", "extreme", "low", "high"))),
        "overlap": draw(st.sampled_from((None, None, 0, 1, 8))),
        "seed": draw(st.integers(0, 1 << 30)),
    }


@st.composite
def conv_layers(draw: st.DrawFn, most_channels: int = 17) -> Layer:
    """Convolutions of every shape: one channel, one pixel, odd sizes, wide padding."""
    window = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    if draw(st.booleans()):
        window = (1, 1)
    dilation = (draw(st.sampled_from((1, 1, 2))), draw(st.sampled_from((1, 1, 2))))
    padding = Padding(*(draw(st.sampled_from((0, 0, 1, 2))) for _ in range(4)))
    reach = tuple((w - 1) * d + 1 for w, d in zip(window, dilation, strict=True))
    rows, cols = (draw(st.integers(r, r + 5)) for r in reach)
    op = Conv2D(
        stride=(draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        padding=padding,
        dilation=dilation,
        activation=draw(st.sampled_from(Activation)),
    )
    channels = draw(st.one_of(st.integers(1, most_channels), st.sampled_from((4, 8, 16, 64))))
    outputs = draw(st.one_of(st.integers(1, most_channels), st.sampled_from((4, 8, 12))))
    shape = (outputs, *window, channels)
    return Layer(op, (1, rows, cols, channels), shape, **_numbers(draw))


@st.composite
def one_pixel_layers(draw: st.DrawFn) -> Layer:
    """Convolutions whose window is the whole input, or its first rows."""
    window = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    channels, outputs = draw(st.integers(1, 40)), draw(st.integers(1, 20))
    op = Conv2D(stride=(2, 2), activation=draw(st.sampled_from(Activation)))
    x_shape = (1, window[0] + draw(st.integers(0, 1)), window[1], channels)
    return Layer(op, x_shape, (outputs, *window, channels), **_numbers(draw))


@st.composite
def dense_layers(draw: st.DrawFn) -> Layer:
    """Fully connected layers of one row or several."""
    inputs = draw(st.one_of(st.integers(1, 40), st.sampled_from((64, 100, 300))))
    outputs = draw(st.one_of(st.integers(1, 20), st.sampled_from((8, 16, 33))))
    rows = draw(st.sampled_from((1, 1, 1, 2, 3, 5)))
    op = Dense(activation=draw(st.sampled_from(Activation)))
    return Layer(op, (rows, inputs), (outputs, inputs), **_numbers(draw))


def graph_of(layer: Layer) -> Graph:
    """One node; its weights are quantised per channel for a convolution, per tensor else."""
    rng = np.random.default_rng(layer.seed)
    build = GraphBuilder("single")
    x = build.input("x", DType.INT8, layer.x_shape, quant(0.05, layer.zero_points[0]))
    outputs = layer.weight_shape[0]
    weights = rng.integers(-layer.magnitude, layer.magnitude + 1, layer.weight_shape)
    if rng.random() < 0.2:
        weights = np.sign(weights) * layer.magnitude
    reals = rng.uniform(*layer.factors, outputs)
    per_channel = isinstance(layer.op, Conv2D)
    scales = tuple(float(real * 0.1 / 0.05) for real in (reals if per_channel else reals[:1]))
    quantization = Quantization(scales, (0,) * len(scales), 0 if per_channel else None)
    w = build.constant("w", DType.INT8, weights.astype(np.int8), quantization)
    b = build.constant("b", DType.INT32, rng.integers(-4000, 4001, outputs))
    operands = (x, w, b) if rng.random() < 0.8 else (x, w)
    return build.finish(build.add(layer.op, operands, quant(0.1, layer.zero_points[1])))


def inputs_of(layer: Layer) -> np.ndarray:
    """Random quanta, or the ends of the range, or one end alone."""
    rng = np.random.default_rng(layer.seed + 1)
    if layer.inputs in ("low", "high"):
        return np.full(layer.x_shape, -128 if layer.inputs == "low" else 127, np.int8)
    return int8(rng, layer.x_shape, layer.inputs == "extreme")


def cases_for(kernel: Kernel, layers: Sequence[Layer], core_name: str = "cortex-m4f") -> list[Case]:
    """A case for each layer that `kernel` takes, with the overlap that it allows where asked."""
    cases = []
    for layer in layers:
        graph = graph_of(layer)
        node = graph.nodes[0]
        if kernel.accepts(node.op, graph.signature(node)):
            distance = _distance(kernel, graph, layer, core_name)
            cases.append(Case(graph, kernel, (inputs_of(layer),), distance, note=repr(layer)))
    return cases


def _distance(kernel: Kernel, graph: Graph, layer: Layer, core_name: str) -> int | None:
    node = graph.nodes[0]
    signature = graph.signature(node)
    overlaps = kernel.lower(node.op, signature, core(core_name)).overlaps
    if layer.overlap is None or not overlaps or overlaps[0].ahead is None:
        return None
    apart = signature.input(0).nbytes + signature.output.nbytes
    return max(-apart, min(apart, overlaps[0].ahead - layer.overlap))
