"""Int8 poolings of sixteen channels at a time, for cores with vectors of 128 bits."""

from __future__ import annotations

from math import ceil, prod
from typing import ClassVar

from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Cost
from smidgen.ops.pool.kernels.pool2d_s8 import AveragePoolInt8, MaxPoolInt8
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.mve import LANES
from smidgen.targets.catalogue import Core

_MOST_IN_A_MEAN = 255
"""So many int8 values that their sum stays in 16 bits."""


class AveragePoolLanes(AveragePoolInt8):
    """Average pooling; `per_element` instructions of the window, and `rest` with the divisions."""

    per_element: ClassVar[float]
    rest: ClassVar[float]

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, and windows whose sum fits 16 bits."""
        assert isinstance(op, AveragePool2D)
        return prod(op.window) <= _MOST_IN_A_MEAN and super().accepts(op, signature)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """For each sixteen channels of a pixel."""
        del core
        assert isinstance(op, AveragePool2D)
        return _cost(signature, self.per_element * prod(op.window) + self.rest)


class MaxPoolLanes(MaxPoolInt8):
    """Max pooling; `per_element` instructions of the window, and `rest`."""

    per_element: ClassVar[float]
    rest: ClassVar[float]

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """For each sixteen channels of a pixel."""
        del core
        assert isinstance(op, MaxPool2D)
        return _cost(signature, self.per_element * prod(op.window) + self.rest)


def _cost(signature: Signature, block: float) -> Cost:
    _, rows, cols, channels = signature.output.shape
    return Cost(rows * cols * (ceil(channels / LANES) * block + 30))
