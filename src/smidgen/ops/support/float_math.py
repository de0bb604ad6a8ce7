"""Float32 functions that give the same bits as the C of smg_math.h.

Every step is a float32 operation that IEEE 754 fixes, in the order of the C, so that the reference
of a float op does not depend on the C library or NumPy build at hand. Errors are stated in
smg_math.h. Arguments and results are float32 arrays of any shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array

_INFINITY = np.float32(np.inf)
_EXP = (0.000198919806, 0.00139345415, 0.00833331048, 0.0416664556, 0.166666672, 0.5)
_LOG = (0.233419433, 0.285503983, 0.400001258, 0.666666687)
_TANH = (0.00229180953, -0.00834311917, 0.0217686668, -0.0539592281, 0.133333027, -0.333333343)
_ERF_SMALL = (
    7.87587487e-05, -0.00080168643, 0.00518908724, -0.0268542115, 0.112835944, -0.37612626,
    0.128379166,
)  # fmt: skip
_ERF_LARGE = (-0.101446852, 0.0855448171, 0.228273332, 0.214984044, 0.289901406, 0.2813842)
_SINE = (2.72493139e-06, -0.000198400827, 0.00833333191, -0.166666672)
_COSINE = (-2.73004474e-07, 2.48005963e-05, -0.00138888881, 0.0416666679)
_TWO_OVER_PI = np.array(
    [0, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB],
    np.uint64,
)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(0.000212194442)
_QUARTER = np.float32(0.785398185)


def _float32(values: Sequence[float]) -> list[np.float32]:
    return [np.float32(value) for value in values]


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """Horner's scheme, the coefficient of the highest power first."""
    first, *rest = _float32(coefficients)
    result = np.full_like(x, first)
    for coefficient in rest:
        result = result * x + coefficient
    return result


def _power_of_two(n: Array) -> Array:
    exponents: Array = ((n + 127).astype(np.uint32) << np.uint32(23)).view(np.float32)
    return exponents


def exp(x: Array) -> Array:
    """e**x."""
    with np.errstate(all="ignore"):
        inside = np.where((x < np.float32(88.7228394)) & (x >= np.float32(-103.972084)), x, 0)
        inside = inside.astype(np.float32)
        halves = np.where(inside < 0, np.float32(-0.5), np.float32(0.5))
        n = (inside * np.float32(1.44269502) + halves).astype(np.int32)
        whole = n.astype(np.float32)
        r = (inside - whole * _LN2_HIGH) + whole * _LN2_LOW
        power = (_polynomial(_EXP, r) * r * r + r) + np.float32(1)
        half = n >> 1
        result = power * _power_of_two(half) * _power_of_two(n - half)
        result = np.where(x < np.float32(-103.972084), np.float32(0), result)
        return np.where(x < np.float32(88.7228394), result, x + _INFINITY)


def log(x: Array) -> Array:
    """The natural logarithm."""
    with np.errstate(all="ignore"):
        regular = (x > 0) & (x < _INFINITY)
        subnormal = regular & (x < np.float32(1.17549435e-38))
        scaled = np.where(regular, x, np.float32(1)).astype(np.float32)
        scaled = np.where(subnormal, scaled * np.float32(8388608), scaled)
        bits = scaled.view(np.uint32) + np.uint32(0x3F800000 - 0x3F3504F3)
        k = (bits >> np.uint32(23)).astype(np.int32) - 127 - np.where(subnormal, 23, 0)
        f = ((bits & np.uint32(0x7FFFFF)) + np.uint32(0x3F3504F3)).view(np.float32) - np.float32(1)
        result = _log_of_one_plus(f, k.astype(np.float32))
        special = np.where(x == 0, -_INFINITY, np.where(x < 0, np.float32(np.nan), x))
        return np.where(regular, result, special).astype(np.float32)


def _log_of_one_plus(f: Array, k: Array) -> Array:
    s = f / (np.float32(2) + f)
    z = s * s
    half_square = np.float32(0.5) * f * f
    tail = s * (half_square + _polynomial(_LOG, z) * z) - k * _LN2_LOW
    return k * _LN2_HIGH - ((half_square - tail) - f)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        z = x * x
        small = x + x * (z * _polynomial(_TANH, z))
        large = np.float32(1) - np.float32(2) / (exp(size + size) + np.float32(1))
        large = np.where(size > 10, np.float32(1), large)
        result = np.where(size < np.float32(0.625), small, np.copysign(large, x))
        return np.where(np.isnan(x), x, result).astype(np.float32)


def logistic(x: Array) -> Array:
    """1 / (1 + e**-x), with the bounds of TensorFlow Lite Micro's float kernel."""
    with np.errstate(all="ignore"):
        middle = np.float32(1) / (np.float32(1) + exp(-x))
        lower = np.where(x < -9, exp(x), middle)
        return np.where(x > np.float32(16.6190471), np.float32(1), lower).astype(np.float32)


def erf(x: Array) -> Array:
    """The error function."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        z = x * x
        small = x + x * _polynomial(_ERF_SMALL, z)
        t = np.float32(1) / (np.float32(1) + np.float32(0.5) * size)
        large = np.float32(1) - t * _polynomial(_ERF_LARGE, t) * exp(-z)
        large = np.copysign(np.where(size > 4, np.float32(1), large), x)
        result = np.where(size < 1, small, large)
        return np.where(np.isnan(x), x, result).astype(np.float32)


def _reduce_angle(x: Array) -> tuple[Array, Array]:
    """|x| as quarter turns and the rest r, |r| <= pi/4; |x| must be finite and >= pi/4."""
    bits = x.view(np.uint32).astype(np.uint64) & np.uint64(0x7FFFFFFF)
    first = (bits >> np.uint64(23)) - np.uint64(120)
    word = (first >> np.uint64(5)).astype(np.int64)
    shift = first & np.uint64(31)
    thirty_two, low_half = np.uint64(32), np.uint64(0xFFFFFFFF)
    w0, w1, w2, w3 = (_TWO_OVER_PI[word + offset] for offset in range(4))
    upper = (w0 << thirty_two | w1) << shift
    middle = (w1 << thirty_two | w2) << shift
    lower = (w2 << thirty_two | w3) << shift
    window = (upper & ~low_half) | (middle >> thirty_two)
    significand = (bits & np.uint64(0x7FFFFF)) | np.uint64(0x800000)
    turns = significand * window + (significand * (lower >> thirty_two) >> thirty_two)
    nearest = (turns + np.uint64(1 << 61)) >> np.uint64(62)
    rest = (turns - (nearest << np.uint64(62))).astype(np.int64)
    high = rest.astype(np.float32)
    low = (rest - high.astype(np.int64)).astype(np.float32)
    c_high, c_low = np.float32(3.40612167e-19), np.float32(-9.47839643e-27)
    r = high * c_high + (high * c_low + low * c_high)
    return r, (nearest & np.uint64(3)).astype(np.int64)


def _sine_near_zero(r: Array) -> Array:
    z = r * r
    sine: Array = r + r * (z * _polynomial(_SINE, z))
    return sine


def _cosine_near_zero(r: Array) -> Array:
    z = r * r
    cosine: Array = np.float32(1) - (np.float32(0.5) * z - z * z * _polynomial(_COSINE, z))
    return cosine


def _sine_of_reduced(r: Array, quarter_turns: Array) -> Array:
    size = np.where(quarter_turns & 1, _cosine_near_zero(r), _sine_near_zero(r))
    return np.where(quarter_turns & 2, -size, size)


def sin(x: Array) -> Array:
    """The sine of an angle in radians."""
    with np.errstate(all="ignore"):
        large = (np.abs(x) >= _QUARTER) & (np.abs(x) < _INFINITY)
        r, turns = _reduce_angle(np.where(large, x, np.float32(1)).astype(np.float32))
        sine = _sine_of_reduced(r, turns)
        sine = np.where(x < 0, -sine, sine)
        special = np.where(np.abs(x) < _QUARTER, _sine_near_zero(x), np.float32(np.nan))
        result: Array = np.where(large, sine, special).astype(np.float32)
        return result


def cos(x: Array) -> Array:
    """The cosine of an angle in radians."""
    with np.errstate(all="ignore"):
        large = (np.abs(x) >= _QUARTER) & (np.abs(x) < _INFINITY)
        r, turns = _reduce_angle(np.where(large, x, np.float32(1)).astype(np.float32))
        special = np.where(np.abs(x) < _QUARTER, _cosine_near_zero(x), np.float32(np.nan))
        return np.where(large, _sine_of_reduced(r, turns + 1), special).astype(np.float32)


def round_to_even(x: Array) -> Array:
    """The nearest whole number; halves go to the even one, and -0.5 <= x <= 0 gives 0."""
    with np.errstate(all="ignore"):
        whole = np.floor(x)
        rest = x - whole
        is_small = np.abs(x) < np.float32(8388608)
        even = np.where(is_small, whole, 0).astype(np.int64) % 2 == 0
        keep = (rest < np.float32(0.5)) | ((rest == np.float32(0.5)) & even) | ~is_small
        return np.where(keep, whole, whole + np.float32(1))


def round_half_away(x: Array) -> Array:
    """The nearest whole number; halves go away from zero (C's round)."""
    with np.errstate(all="ignore"):
        whole = np.trunc(x)
        far = np.abs(x - whole) >= np.float32(0.5)
        return np.where(far, whole + np.copysign(np.float32(1), x), whole)
