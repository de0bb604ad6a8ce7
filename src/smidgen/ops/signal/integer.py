"""Integer square root and logarithm, as the audio front end of TensorFlow Lite Micro defines them.

Arguments and results are Python ints or int64/uint64 arrays of one value at a time: these run over
a few dozen channels.
"""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array

LOG_TABLE: Array = np.array(
    [round(65536 * (math.log2(1 + i / 128) - i / 128)) for i in range(129)], np.uint16
)
"""What log2(1 + f) exceeds f by, as Q0.16, in 128 segments."""
_LN2 = 45426
_HALF = 32768


def square_root(x: int) -> int:
    """The square root of an unsigned 64-bit number, rounded to the nearest.

    Numbers below 2**32 give 65535 at most.
    """
    root = math.isqrt(x)
    limit = 0xFFFF if x < 1 << 32 else 0xFFFFFFFF
    return root + 1 if x - root * root > root and root != limit else root


def natural_logarithm(x: int, scale: int) -> int:
    """`scale` * ln(x), from a table of log2, for an unsigned 32-bit x > 0."""
    whole = x.bit_length() - 1
    fraction = x - (1 << whole)
    fraction = fraction << (16 - whole) if whole < 16 else fraction >> (whole - 16)
    segment = fraction >> 9
    low, high = int(LOG_TABLE[segment]), int(LOG_TABLE[segment + 1])
    between = ((high - low) * (fraction - (segment << 9))) >> 16
    log2 = (whole << 16) + fraction + low + between
    natural = (_LN2 * log2 + _HALF) >> 16
    return ((scale * natural + _HALF) & 0xFFFFFFFF) >> 16
