"""Int8 poolings on AArch64 cores with Advanced SIMD (NEON)."""

from __future__ import annotations

from math import ceil, prod

from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Cost, Kernel
from smidgen.ops.pool.kernels.pool2d_s8 import AveragePoolInt8, MaxPoolInt8
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.targets.catalogue import Core

_LANES = 16
_MOST_IN_A_MEAN = 255
"""So many int8 values that their sum stays in 16 bits."""


class AveragePoolInt8Neon(AveragePoolInt8):
    """Average pooling of sixteen channels at a time."""

    name = "average_pool2d_s8_neon"
    requires = frozenset({"neon"})
    header = "smg_pool2d_s8_neon.h"
    function = "smg_average_pool2d_s8_neon"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, and windows whose sum fits 16 bits."""
        assert isinstance(op, AveragePool2D)
        return prod(op.window) <= _MOST_IN_A_MEAN and super().accepts(op, signature)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Eight instructions for each element of the window, and the divisions."""
        del core
        assert isinstance(op, AveragePool2D)
        return _cost(signature, 8.0 * prod(op.window) + 60)


class MaxPoolInt8Neon(MaxPoolInt8):
    """Max pooling of sixteen channels at a time."""

    name = "max_pool2d_s8_neon"
    requires = frozenset({"neon"})
    header = "smg_pool2d_s8_neon.h"
    function = "smg_max_pool2d_s8_neon"

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Seven instructions for each element of the window."""
        del core
        assert isinstance(op, MaxPool2D)
        return _cost(signature, 7.0 * prod(op.window) + 20)


def _cost(signature: Signature, block: float) -> Cost:
    _, rows, cols, channels = signature.output.shape
    return Cost(rows * cols * (ceil(channels / _LANES) * block + 30))


KERNELS: tuple[Kernel, ...] = (AveragePoolInt8Neon(), MaxPoolInt8Neon())
