"""Types that no core computes in: float8, float4, and integers of 4 and 2 bits.

Constants and inputs of these types are read exactly. Floats become float32, integers int8 or uint8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array


@dataclass(frozen=True, slots=True)
class Minifloat:
    """A sign, `exponent_bits`, `mantissa_bits`; ONNX's page on float8 gives the special codes."""

    exponent_bits: int
    mantissa_bits: int
    bias: int
    infinities: bool = False
    """Whether the largest exponent stands for infinity and NaN."""
    nan_is_largest: bool = False
    """Whether all ones are NaN."""
    nan_is_minus_zero: bool = False

    @property
    def bits(self) -> int:
        """Sign included."""
        return 1 + self.exponent_bits + self.mantissa_bits

    def values(self) -> Array:
        """The float32 number of every code."""
        codes = np.arange(1 << self.bits)
        fraction = codes & ((1 << self.mantissa_bits) - 1)
        exponent = codes >> self.mantissa_bits & ((1 << self.exponent_bits) - 1)
        sign = np.where(codes >> (self.bits - 1), -1.0, 1.0)
        steps = np.where(exponent > 0, fraction + (1 << self.mantissa_bits), fraction)
        power = np.maximum(exponent, 1) - self.bias - self.mantissa_bits
        numbers = sign * steps * np.exp2(power.astype(np.float64))
        magnitude, half = codes & ((1 << self.bits - 1) - 1), 1 << (self.bits - 1)
        if self.infinities:
            last = exponent == (1 << self.exponent_bits) - 1
            numbers = np.where(last, np.where(fraction == 0, sign * np.inf, np.nan), numbers)
        if self.nan_is_largest:
            numbers = np.where(magnitude == half - 1, np.nan, numbers)
        if self.nan_is_minus_zero:
            numbers = np.where(codes == half, np.nan, numbers)
        return np.asarray(numbers, np.float32)


_E4M3FN, _E4M3FNUZ, _E5M2, _E5M2FNUZ, _UINT4, _INT4, _E2M1, _E8M0, _UINT2, _INT2 = range(17, 27)
MINIFLOATS: Mapping[int, Minifloat] = {
    _E4M3FN: Minifloat(4, 3, 7, nan_is_largest=True),
    _E4M3FNUZ: Minifloat(4, 3, 8, nan_is_minus_zero=True),
    _E5M2: Minifloat(5, 2, 15, infinities=True),
    _E5M2FNUZ: Minifloat(5, 2, 16, nan_is_minus_zero=True),
    _E2M1: Minifloat(2, 1, 1),
}
"""The floats of a sign and fewer than 16 bits, by TensorProto.DataType."""
TINY_FLOATS = frozenset((*MINIFLOATS, _E8M0))
"""Types that real numbers cannot be rounded to here."""


@dataclass(frozen=True, slots=True)
class NarrowInteger:
    """An integer of fewer than 8 bits; what does not fit wraps."""

    bits: int
    signed: bool

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest number."""
        start = (1 << (self.bits - 1)) if self.signed else 0
        return -start, (1 << self.bits) - 1 - start

    def wrapped(self, values: Array) -> Array:
        """Whole numbers as this type has them, stored in bytes."""
        low, _ = self.limits
        inside = (values.astype(np.int64) - low) % (1 << self.bits) + low
        return np.asarray(inside, np.int8 if self.signed else np.uint8)


NARROW_INTEGERS: Mapping[int, NarrowInteger] = {
    _UINT4: NarrowInteger(4, signed=False),
    _INT4: NarrowInteger(4, signed=True),
    _UINT2: NarrowInteger(2, signed=False),
    _INT2: NarrowInteger(2, signed=True),
}
"""By TensorProto.DataType."""


def bits_of(element: int) -> int:
    """Bits of an element of one of these types, or 0 for all others."""
    if element in NARROW_INTEGERS:
        return NARROW_INTEGERS[element].bits
    if element in MINIFLOATS:
        return MINIFLOATS[element].bits
    return 8 if element == _E8M0 else 0


def unpacked(data: Array, element: int, count: int) -> Array:
    """The numbers in packed bytes, the low bits of each byte first.

    Too few or too many bytes give another number of elements than `count`.
    """
    bits = bits_of(element)
    each = 8 // bits
    shifts = np.arange(each, dtype=np.uint8) * bits
    codes = (data[:, np.newaxis] >> shifts & ((1 << bits) - 1)).reshape(-1)
    codes = codes[:count] if 0 < len(codes) - count < each else codes
    if element in NARROW_INTEGERS:
        return NARROW_INTEGERS[element].wrapped(codes)
    if element in MINIFLOATS:
        return np.asarray(MINIFLOATS[element].values()[codes])
    powers = np.exp2(codes.astype(np.float64) - 127.0)
    return np.asarray(np.where(codes == 255, np.nan, powers), np.float32)
