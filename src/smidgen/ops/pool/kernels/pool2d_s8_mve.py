"""Int8 poolings on Arm cores with MVE (Helium)."""

from __future__ import annotations

from smidgen.ops.kernel import Kernel
from smidgen.ops.pool.lanes import AveragePoolLanes, MaxPoolLanes


class AveragePoolInt8Mve(AveragePoolLanes):
    """Average pooling of sixteen channels at a time."""

    name = "average_pool2d_s8_mve"
    requires = frozenset({"mve"})
    header = "smg_pool2d_s8_mve.h"
    function = "smg_average_pool2d_s8_mve"
    per_element, rest = 8.0, 50.0


class MaxPoolInt8Mve(MaxPoolLanes):
    """Max pooling of sixteen channels at a time."""

    name = "max_pool2d_s8_mve"
    requires = frozenset({"mve"})
    header = "smg_pool2d_s8_mve.h"
    function = "smg_max_pool2d_s8_mve"
    per_element, rest = 5.0, 20.0


KERNELS: tuple[Kernel, ...] = (AveragePoolInt8Mve(), MaxPoolInt8Mve())
