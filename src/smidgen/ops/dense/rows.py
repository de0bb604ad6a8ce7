"""Fully connected layers of several rows as convolutions with one tap."""

from __future__ import annotations

from smidgen.graph.op import Signature
from smidgen.ops.conv.windows import Shape


def row_count(signature: Signature) -> int:
    """The number of vectors that the weights are applied to."""
    return signature.input(0).elements // signature.input(1).shape[1]


def row_shapes(signature: Signature) -> tuple[Shape, Shape, Shape]:
    """Input, weights and output as a convolution has them: a row becomes a pixel."""
    rows = row_count(signature)
    outputs, inputs = signature.input(1).shape
    return (1, 1, rows, inputs), (outputs, 1, 1, inputs), (1, 1, rows, outputs)
