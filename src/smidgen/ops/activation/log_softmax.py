"""The integer log-softmax of TensorFlow Lite, and its fixed-point logarithm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import (
    INT32_MAX,
    INT32_MIN,
    Multiplier,
    doubling_high_mul,
    multiply,
    quantize_multiplier,
    rounding_shift_right,
    saturating_shift_left,
)
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.activation.softmax import (
    SUM_INTEGER_BITS,
    exp_on_negative,
    input_multiplier,
    one_over_one_plus,
    smallest_difference,
)
from smidgen.ops.support import float_math
from smidgen.ops.support.operands import only

# Q0.31, from r = 1/4-th powers of 2: common.h, log_x_for_x_greater_than_or_equal_to_1_impl.
LN_2, SQRT_HALF, ROOT4_HALF = 1488522236, 1518500250, 1805811301
ALPHA_N, ALPHA_D, ALPHA_I, ALPHA_F = 117049297, 127690142, 1057819769, 638450708
OUTPUT_SHIFT = 22
"""From Q5.26 to output quanta of 1/16."""


@dataclass(frozen=True, slots=True)
class LogSoftmax(Op):
    """x - log(sum(exp(x))) over the last axis (TensorFlow Lite, LOG_SOFTMAX)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type, which is float32 or int8."""
        x = only(inputs)
        if x.dtype not in (DType.FLOAT32, DType.INT8) or not x.elements:
            raise GraphError(f"operand {x.name!r}", f"a log softmax of {x.dtype.label}{x.shape}")
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """float32 in steps of float32; int8 in fixed point, scale 1/16 and zero point 127."""
        x = inputs[0]
        assert x is not None
        if signature.output.dtype is DType.FLOAT32:
            return (_real(x),)
        factor = input_multiplier(signature.input(0).quant.scale, 1.0)
        return (_quanta(x, factor).astype(signature.output.dtype.numpy),)


def _real(x: Array) -> Array:
    """Sums run from left to right."""
    difference = x - x.max(axis=-1, keepdims=True)
    total = np.cumsum(float_math.exp(difference), axis=-1, dtype=np.float32)[..., -1:]
    return np.asarray(difference - float_math.log(total))


def summands(factor: Multiplier) -> Array:
    """Exp of each difference 0, -1 ... -255 of quanta, as Q12.19; 0 where it is too small."""
    difference = -np.arange(256, dtype=np.int64)
    counted = difference >= smallest_difference(factor.shift)
    scaled = multiply(np.where(counted, difference, 0), factor.mantissa, factor.shift)
    exps = rounding_shift_right(exp_on_negative(scaled), SUM_INTEGER_BITS)
    return np.where(counted, exps, 0)


def reverse_multiplier(factor: Multiplier) -> Multiplier:
    """Brings Q5.26 back to a difference of quanta (PreprocessLogSoftmaxScalingExp)."""
    return quantize_multiplier((1 << (31 - factor.shift)) / factor.mantissa)


def _quanta(x: Array, factor: Multiplier) -> Array:
    difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    log_total = log_of_sum(summands(factor)[-difference].sum(axis=-1, keepdims=True))
    reverse = reverse_multiplier(factor)
    reach = multiply(log_total + INT32_MIN, reverse.mantissa, reverse.shift)
    counted = difference > np.maximum(smallest_difference(factor.shift) - 1, reach)
    scaled = multiply(np.where(counted, difference, 0), factor.mantissa, factor.shift)
    quanta = rounding_shift_right(scaled - log_total, OUTPUT_SHIFT) + 127
    return np.where(counted, np.clip(quanta, -128, 127), -128)


def log_of_sum(x: Array) -> Array:
    """Ln of a Q12.19 number that is at least 1, as Q5.26."""
    reduced, power = _reduced(x)
    p = (reduced + ROOT4_HALF + 1) >> 1
    q = 2 * (reduced - ROOT4_HALF)
    square = doubling_high_mul(q, q)
    cubic = doubling_high_mul(doubling_high_mul(q, square), ALPHA_N)
    numerator = doubling_high_mul(q, reduced) + cubic
    inner = ALPHA_I + q + doubling_high_mul(square, ALPHA_D)
    denominator = doubling_high_mul(p, inner) + doubling_high_mul(q, ALPHA_F)
    fraction = doubling_high_mul(rounding_shift_right(numerator, 6), one_over_one_plus(denominator))
    return saturating_shift_left(doubling_high_mul(power, LN_2) + fraction, 1)


def _reduced(x: Array) -> tuple[Array, Array]:
    """X = 2**power * r with r near 2**-1/4: r as Q0.31, the power as Q6.25.

    Of x and x / sqrt(2), each brought below 1 by a power of two, the better one is taken.
    """
    zeros = _leading_zeros(x)
    normal = _shifted(x, zeros - 1)
    r_a = saturating_shift_left(doubling_high_mul(normal, SQRT_HALF), 1)
    power_a = ((SUM_INTEGER_BITS - zeros) << 25) + (1 << 23)
    headroom = _leading_zeros(doubling_high_mul(x, SQRT_HALF)) - 1
    r_b = _shifted(x, headroom)
    power_b = ((SUM_INTEGER_BITS - headroom) << 25) - (1 << 23)
    return np.minimum(r_a, r_b), np.maximum(power_a, power_b)


def _shifted(x: Array, bits: Array) -> Array:
    return np.minimum(x << bits, INT32_MAX)


def _leading_zeros(x: Array) -> Array:
    return 31 - np.floor(np.log2(x.astype(np.float64))).astype(np.int64)
