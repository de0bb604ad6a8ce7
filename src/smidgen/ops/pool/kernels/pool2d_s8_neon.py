"""Int8 poolings on AArch64 cores with Advanced SIMD (NEON)."""

from __future__ import annotations

from smidgen.ops.kernel import Kernel
from smidgen.ops.pool.lanes import AveragePoolLanes, MaxPoolLanes


class AveragePoolInt8Neon(AveragePoolLanes):
    """Average pooling of sixteen channels at a time."""

    name = "average_pool2d_s8_neon"
    requires = frozenset({"neon"})
    header = "smg_pool2d_s8_neon.h"
    function = "smg_average_pool2d_s8_neon"
    per_element, rest = 8.0, 60.0


class MaxPoolInt8Neon(MaxPoolLanes):
    """Max pooling of sixteen channels at a time."""

    name = "max_pool2d_s8_neon"
    requires = frozenset({"neon"})
    header = "smg_pool2d_s8_neon.h"
    function = "smg_max_pool2d_s8_neon"
    per_element, rest = 7.0, 20.0


KERNELS: tuple[Kernel, ...] = (AveragePoolInt8Neon(), MaxPoolInt8Neon())
