"""A node in its graph, and ranges of values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.graph.graph import Graph, Node
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """The smallest and largest quantum that each channel can have, both int64 [channels]."""

    low: Array
    high: Array

    @property
    def is_constant(self) -> Array:
        """Whether each channel always has one value, bool [channels]."""
        return np.asarray(self.low == self.high)

    def take(self, channels: Array) -> Range:
        """The ranges of these channels, in this order."""
        return Range(self.low[channels], self.high[channels])

    def clipped(self, lowest: int, highest: int) -> Range:
        """The ranges after a clamp."""
        return Range(np.clip(self.low, lowest, highest), np.clip(self.high, lowest, highest))

    def joined(self, other: Range) -> Range:
        """The ranges of values that come from either."""
        return Range(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


@dataclass(frozen=True, slots=True)
class Site:
    """One node in its graph."""

    graph: Graph
    node: Node

    @property
    def signature(self) -> Signature:
        """The typed operands."""
        return self.graph.signature(self.node)

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.signature.output

    def input(self, index: int) -> Tensor:
        """Input `index`, which must be present."""
        return self.signature.input(index)

    @property
    def activations(self) -> tuple[Tensor, ...]:
        """The inputs and outputs whose values are not known at compile time."""
        operands = (*self.signature.inputs, *self.signature.outputs)
        return tuple(t for t in operands if t is not None and not t.is_constant)


def channels_of(tensor: Tensor) -> int:
    """The length of the last axis; 1 for a scalar."""
    return tensor.shape[-1] if tensor.shape else 1


def type_range(tensor: Tensor, lowest: int | None = None, highest: int | None = None) -> Range:
    """All that the tensor's type, or the clamp [`lowest`, `highest`], lets each channel be."""
    low, high = tensor.dtype.range
    high = min(high, np.iinfo(np.int64).max)  # of uint64, which no clamp bounds
    count = channels_of(tensor)
    return Range(
        np.full(count, low if lowest is None else lowest, np.int64),
        np.full(count, high if highest is None else highest, np.int64),
    )


def has_channels(tensor: Tensor) -> bool:
    """Whether it holds integers of one scale, so that its channels can be told apart and moved."""
    quant = tensor.quantization
    return (
        tensor.dtype.is_integer
        and len(tensor.shape) > 0
        and (quant is None or len(quant.scales) == 1)
    )
