"""Powers: by repeated squaring where exponents are whole numbers, else by logarithms."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.call import Call
from smidgen.frontends.onnx.elementwise import choose, combine, unary
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.ops.elementwise.unary import Exp, Log, Rsqrt, Sqrt, Square

LARGEST_WHOLE = 64
"""Up to this exponent powers are products, whose error stays that of a few multiplications."""


def power(call: Call) -> Value:
    """X ** y for constant y; whole ones of integers, too."""
    x, exponents = call.value(0), call.constant(1, "exponent").astype(np.float64)
    if not exponents.size or not np.isfinite(exponents).all():
        call.refuse("an exponent that is no number", "use finite exponents")
    is_whole = bool(np.all(exponents == np.rint(exponents)))
    real = call.scope.dtype(x) is DType.FLOAT32
    if not real and (not is_whole or exponents.min() < 0):
        call.refuse("an integer to a power that is none", "use whole exponents from 0 on")
    if is_whole and np.abs(exponents).max() <= LARGEST_WHOLE:
        return whole_power(call, x, exponents)
    if not real:
        call.refuse(f"exponents beyond {LARGEST_WHOLE}", f"use exponents up to {LARGEST_WHOLE}")
    return _real_power(call, x, exponents)


def _one(call: Call, x: Value) -> Constant:
    return Constant(np.ones((), call.scope.dtype(x).numpy))


def whole_power(call: Call, x: Value, exponents: Array) -> Value:
    """The product of those of x, x**2, x**4 ... that an exponent has as binary digits."""
    counts = np.abs(exponents).astype(np.int64)
    product: Value | None = None
    square, place = x, 0
    while counts.max() >> place:
        if place:
            square = _squared(call, square)
        digits = (counts >> place & 1).astype(bool)
        if digits.any():
            product = _times_where(call, product, square, digits)
        place += 1
    if product is None:
        return combine(call, "Add", combine(call, "Mul", x, _zero(call, x)), _one(call, x))
    if not (exponents < 0).any():
        return product
    inverse = combine(call, "Div", _one(call, x), product)
    return _chosen(call, exponents < 0, inverse, product)


def _zero(call: Call, x: Value) -> Constant:
    return Constant(np.zeros((), call.scope.dtype(x).numpy))


def _squared(call: Call, x: Value) -> Value:
    if call.scope.dtype(x) is DType.FLOAT32:
        return unary(call, Square(), x)
    return combine(call, "Mul", x, x)


def _times_where(call: Call, product: Value | None, factor: Value, digits: Array) -> Value:
    """`product` times `factor` where `digits` say so; nothing yet is a product of 1."""
    given: Operand = _one(call, factor) if product is None else product
    if digits.all():
        return factor if product is None else combine(call, "Mul", product, factor)
    grown = factor if product is None else combine(call, "Mul", product, factor)
    return _chosen(call, digits, grown, given)


def _chosen(call: Call, where: Array, first: Value, second: Operand) -> Value:
    return first if where.all() else choose(call, Constant(where), first, second)


def _real_power(call: Call, x: Value, exponents: Array) -> Value:
    """E ** (y log x), which is NaN for negative x as it should be; roots are computed as such."""
    if exponents.size == 1:
        exponent = float(exponents.reshape(-1)[0])
        root = {0.5: Sqrt(), -0.5: Rsqrt()}.get(exponent)
        if root is not None:
            return unary(call, root, x)
    if np.any((exponents == np.rint(exponents)) & (exponents != 0)):
        call.refuse("whole exponents among others", "raise to them in a Pow of their own")
    logarithm = unary(call, Log(), x)
    product = combine(call, "Mul", logarithm, Constant(exponents.astype(np.float32)))
    return unary(call, Exp(), product)


def root(call: Call, x: Value, degree: int) -> Value:
    """The root of x >= 0; that of 0 is 0, because e to minus infinity is."""
    if degree < 3:
        return x if degree == 1 else unary(call, Sqrt(), x)
    share = Constant(np.asarray(1 / degree, np.float32))
    return unary(call, Exp(), combine(call, "Mul", unary(call, Log(), x), share))
