"""Bias correction: the mean of what rounding the weights changes is taken back in the bias.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
section 4.2, with means from calibration. A layer is linear, so the mean of its change is what the
change of its weights makes of its mean input; borders and padding come out exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.graph import Graph, Node
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.support.activation import Activation
from smidgen.quantize.scales import dequantized


def corrected_bias(
    graph: Graph,
    node: Node,
    mean_input: Array,
    weights: Array,
    quanta: Array,
    scales: Quantization,
    bias: Array | None,
) -> Array:
    """The float bias [channels] of layer `node` that keeps the mean of each output channel.

    `mean_input` is the layer's input averaged over samples, `quanta` with `scales` stand for
    `weights`; `bias` may be absent.
    """
    change = (dequantized(quanta, scales) - weights).astype(np.float32)
    shift = _linear(graph, node, mean_input.astype(np.float32), change)
    by_channel = shift.reshape(-1, shift.shape[-1]).mean(axis=0)
    before = np.zeros(len(by_channel)) if bias is None else bias.astype(np.float64)
    return np.asarray(before - by_channel)


def _linear(graph: Graph, node: Node, x: Array, weights: Array) -> Array:
    """The products of layer `node` with other `weights`: no bias, no activation."""
    op = replace(node.op, activation=Activation.NONE)  # type: ignore[type-var]
    source = Tensor("x", DType.FLOAT32, x.shape)
    kernel = Tensor("weights", DType.FLOAT32, weights.shape)
    output = graph.tensors[node.outputs[0]]
    results: tuple[Array, ...] = op.evaluate(Signature((source, kernel), (output,)), [x, weights])
    return results[0]
