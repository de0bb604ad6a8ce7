"""A depthwise layer over a single channel as what it is: a convolution of that channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.graph.op import Signature
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D


def as_convolution(op: DepthwiseConv2D, signature: Signature) -> tuple[Conv2D, Signature]:
    """The convolution that equals `op`, whose input must have one channel: weights 1HWO as OHW1."""
    x, weights = signature.input(0), signature.input(1)
    assert x.shape[3] == 1
    turned = replace(
        weights,
        shape=(weights.shape[3], *weights.shape[1:3], 1),
        data=None if weights.data is None else np.moveaxis(weights.data, 3, 0),
        quantization=replace(weights.quant, axis=None if weights.quant.axis is None else 0),
    )
    convolution = Conv2D(op.stride, op.padding, op.dilation, op.activation)
    return convolution, Signature((x, turned, *signature.inputs[2:]), signature.outputs)
