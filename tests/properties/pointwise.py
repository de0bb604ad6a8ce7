"""Arithmetic, comparisons, activation functions, conversions."""

from __future__ import annotations

import math

import numpy as np

from properties.net import (
    Net,
    Shape,
    Value,
    kind_of,
    like,
    output_scale,
    random_data,
    zero_point,
)
from properties.table import layer

NUMBERS = ("int8", "int16", "float32", "int32")
_MOST_INTEGER = 2.0**30
_INT8_OUTPUT = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


def _part(net: Net, shape: Shape) -> Shape:
    """A shape that broadcasts to `shape`: all of it, some extents 1, or leading axes missing."""
    if net.chance(0.5):
        return shape
    ones = tuple(n if net.chance(0.5) else 1 for n in shape)
    return net.pick([ones, (shape[-1],), (1,), ones[net.whole(0, len(shape) - 1) :]])


def _second(net: Net, x: Value, like_x: bool = False) -> Value:
    """Another operand: `x` itself, a value at hand, a constant, or an input."""
    if net.chance(0.1):
        return x
    fitting = [
        v
        for v in net.open_values()
        if v.dtype == x.dtype
        and v.exact >= x.exact
        and _broadcasts(v.shape, x.shape)
        and (not like_x or (v.scale, v.zero_point) == (x.scale, x.zero_point))
    ]
    if fitting and net.chance(0.5):
        return net.pick(fitting)
    kind = kind_of(net, _part(net, x.shape), x.dtype)
    if like_x:
        kind = like(x, kind.shape, low=kind.low, high=kind.high, exact=True)
    if net.chance(0.5):
        return net.input(kind)
    data = random_data(net, kind)
    return like(kind, index=net.constant(data, x.dtype, scale=x.scale and kind.scale,
                zero_point=kind.zero_point))  # fmt: skip


def _broadcasts(part: Shape, whole: Shape) -> bool:
    pairs = zip(part[::-1], whole[::-1], strict=False)
    return len(part) <= len(whole) and all(a in (1, b) for a, b in pairs)


def _bounded(net: Net, x: Value, low: float, high: float, exact: bool = True) -> Value | None:
    """`x` with bounds, or None where an integer would overflow or floats become unwieldy."""
    most = 1e4 if x.dtype == "float32" else _MOST_INTEGER
    if max(abs(low), abs(high)) > most:
        return None
    return like(x, low=low, high=high, exact=exact)


def _combined(net: Net, name: str, x: Value, b: Value) -> Value | None:
    if not x.quantised:
        corners = [_plain(name, p, q) for p in (x.low, x.high) for q in (b.low, b.high)]
        low, high = min(corners), max(corners)
        if name == "SQUARED_DIFFERENCE":
            low = 0.0
        return _bounded(net, x, low, high, x.exact and b.exact)
    assert x.scale and b.scale
    wide = 150 if x.dtype == "int8" else 20000
    natural = {"MUL": x.scale * b.scale * wide}.get(name, 2 * max(x.scale, b.scale))
    if name == "SQUARED_DIFFERENCE":
        natural = max(x.scale, b.scale) ** 2 * wide * 2
    most = 16.0 if x.dtype == "int8" else 2.0
    return like(x, scale=output_scale(net, natural, most), zero_point=zero_point(net, x.dtype))


def _plain(name: str, p: float, q: float) -> float:
    return {"ADD": p + q, "SUB": p - q, "MUL": p * q, "SQUARED_DIFFERENCE": (p - q) ** 2}[name]


@layer("ADD", "SUB", "MUL", dtypes=NUMBERS, weight=2)
@layer("SQUARED_DIFFERENCE", dtypes=("int8", "float32", "int32"))
def arithmetic(net: Net, x: Value, name: str) -> list[Value] | None:
    if len(x.shape) > 4 and x.quantised:
        return None
    b = _second(net, x)
    y = _combined(net, name, x, b)
    if y is None:
        return None
    activation = net.pick([0, 0, 1, 2, 3]) if x.dtype != "int32" else 0
    options = None if name == "SQUARED_DIFFERENCE" else {"fused_activation_function": activation}
    operands = [b, x] if b.shape == x.shape and net.chance(0.5) and name != "SUB" else [x, b]
    return net.add(name, operands, [y], options)


@layer("DIV", dtypes=("int8", "float32"), ranks=(1, 2, 3, 4))
def division(net: Net, x: Value, name: str) -> list[Value] | None:
    """Never by zero; quotients of int8 within the shifts that Micro defines."""
    options = {"fused_activation_function": net.pick([0, 0, 1, 2, 3])}
    if x.dtype == "float32":
        kind = like(x, _part(net, x.shape), low=0.25, high=4.0, exact=True)
        y = _bounded(net, x, min(4 * x.low, x.low / 4), 4 * x.high + 1, x.exact)
        return net.add(name, [x, net.input(kind)], [y], options) if y else None
    kind = kind_of(net, _part(net, x.shape), "int8")
    data = random_data(net, kind).astype(int)
    data = np.where(data == kind.zero_point, data + (1 if kind.zero_point < 127 else -1), data)
    b = net.constant(data, "int8", scale=kind.scale, zero_point=kind.zero_point)
    assert x.scale and kind.scale
    # Below a factor of 64 Micro shifts some quotients by more than 31 bits, which is undefined.
    scale = float(np.float32(x.scale / kind.scale / 2 ** net.rng.uniform(6.1, 9)))
    y = like(x, scale=scale, zero_point=zero_point(net, "int8"))
    return net.add(name, [x, b], [y], options)


@layer("MINIMUM", "MAXIMUM", dtypes=NUMBERS)
def extreme(net: Net, x: Value, name: str) -> list[Value] | None:
    b = _second(net, x, like_x=True)
    y = like(x, low=min(x.low, b.low), high=max(x.high, b.high), exact=x.exact and b.exact)
    return net.add(name, [x, b], [y])


@layer("FLOOR_DIV", "FLOOR_MOD", dtypes=("float32",), ranks=(1, 2, 3, 4), needs_exact=True)
def rounded_division(net: Net, x: Value, name: str) -> list[Value] | None:
    kind = like(x, _part(net, x.shape), low=0.25, high=4.0)
    reach = 4 * max(abs(x.low), abs(x.high)) + 1
    y = _bounded(net, x, -reach, reach)
    return net.add(name, [x, net.input(kind)], [y]) if y else None


@layer("EQUAL", "NOT_EQUAL", dtypes=("bool", "int8", "int32", "float32"), needs_exact=True)
@layer("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", dtypes=("int8", "int32", "float32"),
       needs_exact=True)  # fmt: skip
def comparison(net: Net, x: Value, name: str) -> list[Value] | None:
    if len(x.shape) > 4:
        return None
    b = _second(net, x)
    if max(x.scale or 0, b.scale or 0) >= 1:
        return None  # Micro stops
    return net.add(name, [x, b], [Value(-1, x.shape, "bool")])


@layer("LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", dtypes=("bool",), ranks=(1, 2, 3, 4))
def logic(net: Net, x: Value, name: str) -> list[Value] | None:
    more = [] if name == "LOGICAL_NOT" else [_second(net, x)]
    return net.add(name, [x, *more], [like(x)])


@layer("ADD_N", dtypes=("int8", "float32"))
def sum_of_many(net: Net, x: Value, name: str) -> list[Value] | None:
    """Operands of one quantisation; x twice, and new inputs."""
    parts = [x, *(x if net.chance(0.3) else net.input(like(x, exact=True))
                  for _ in range(net.whole(1, 3)))]  # fmt: skip
    count = len(parts)
    if x.dtype == "int8":
        assert x.scale
        scale = output_scale(net, 2 * x.scale)
        return net.add(name, parts, [like(x, scale=scale, zero_point=zero_point(net, "int8"))])
    y = _bounded(net, x, count * min(x.low, -x.high), count * max(x.high, -x.low), x.exact)
    return net.add(name, parts, [y]) if y else None


@layer("RELU", "RELU6", dtypes=("int8", "int16", "float32"))
@layer("LEAKY_RELU", "ABS", dtypes=("int8", "int16", "float32"))
@layer("ELU", "HARD_SWISH", dtypes=("int8", "float32"))
@layer("LOGISTIC", "TANH", dtypes=("int8", "int16", "float32"))
@layer("RELU_N1_TO_1", "GELU", dtypes=("int8", "float32"), beyond_micro=True, weight=4)
def function(net: Net, x: Value, name: str) -> list[Value] | None:
    """int8 ones are tables; LOGISTIC and TANH have a fixed output scale."""
    y = like(x)
    if x.quantised:
        assert x.scale
        given = _INT8_OUTPUT.get(name, (x.scale * 2 ** net.rng.uniform(-2, 3), 0))
        if x.dtype == "int16" and name in _INT8_OUTPUT:
            given = (1 / 32768, 0)
        elif name not in _INT8_OUTPUT:
            given = (float(np.float32(given[0])), zero_point(net, x.dtype))
        if name in ("RELU6", "ABS") and x.dtype == "int16":
            given = (x.scale, 0)
        if name == "RELU6":  # with another scale Micro takes 6 in the wrong one
            given = (x.scale, x.zero_point)
        y = like(x, scale=given[0], zero_point=given[1])
    else:
        reach = max(abs(x.low), abs(x.high), 1.0)
        low = 0.0 if name in ("RELU", "RELU6", "ABS", "LOGISTIC") else -reach
        exact = x.exact and name in ("RELU", "RELU6", "ABS")
        y = like(x, low=low, high=reach, exact=exact)
    options = {"LEAKY_RELU": {"alpha": net.pick([0.0, 0.1, 0.3, 0.9])},
               "GELU": {"approximate": net.chance(0.5)}}  # fmt: skip
    return net.add(name, [x], [y], options.get(name))


@layer("NEG", "SQUARE", dtypes=("float32",))
@layer("FLOOR", "CEIL", "ROUND", dtypes=("float32",), needs_exact=True)
@layer("SIN", "COS", dtypes=("float32",))
def float_function(net: Net, x: Value, name: str) -> list[Value] | None:
    if name in ("SIN", "COS") and max(-x.low, x.high) > 50:
        return None
    bounds = {"SQUARE": (0.0, max(x.low**2, x.high**2)), "NEG": (-x.high, -x.low),
              "SIN": (-1.0, 1.0), "COS": (-1.0, 1.0)}  # fmt: skip
    low, high = bounds.get(name, (x.low - 1, x.high + 1))
    exact = x.exact and name not in ("SIN", "COS")
    y = _bounded(net, x, low, high, exact)
    return net.add(name, [x], [y]) if y else None


@layer("EXP", dtypes=("float32",))
@layer("SQRT", "LOG", "RSQRT", dtypes=("float32",), needs_exact=True)
def function_of_a_domain(net: Net, x: Value, name: str) -> list[Value] | None:
    if name == "EXP":
        if x.high > 6:
            return None
        return net.add(name, [x], [like(x, low=0.0, high=math.exp(x.high), exact=False)])
    kind = like(x, low=0.1, high=9.0)
    fresh = net.input(kind)
    bounds = {"SQRT": (0.3, 3.0), "LOG": (-2.4, 2.2), "RSQRT": (0.3, 3.2)}[name]
    return net.add(name, [fresh], [like(x, low=bounds[0], high=bounds[1], exact=False)])


@layer("RSQRT", "ABS", dtypes=("int8",))
def reciprocal_root(net: Net, x: Value, name: str) -> list[Value] | None:
    """RSQRT of negatives stops Micro, so that its operand has zero point -128."""
    given = x if name == "ABS" else net.input(like(x, zero_point=-128))
    assert given.scale
    natural = given.scale if name == "ABS" else 1 / (128 * given.scale**0.5)
    scale = float(np.float32(natural * 2 ** net.rng.uniform(-1, 3)))
    return net.add(name, [given], [like(x, scale=scale, zero_point=zero_point(net, "int8"))])


@layer("PRELU", dtypes=("int8", "int16", "float32"), ranks=(3, 4))
def prelu(net: Net, x: Value, name: str) -> list[Value] | None:
    slope = like(x, (*[1] * (len(x.shape) - 2), x.shape[-1]), low=-1.0, high=1.0, exact=True)
    if not x.quantised:
        alpha = net.constant(random_data(net, slope), "float32")
        reach = max(abs(x.low), abs(x.high))
        return net.add(name, [x, alpha], [like(x, low=-reach, high=reach, exact=False)])
    assert x.scale
    data = net.rng.integers(-128, 128, slope.shape)
    alpha = net.constant(data, "int8", scale=0.01, zero_point=zero_point(net, "int8"))
    y = like(x, scale=output_scale(net, x.scale, 2.0), zero_point=zero_point(net, x.dtype))
    return net.add(name, [x, alpha], [y])


@layer("SOFTMAX", dtypes=("int8", "int16", "float32"), ranks=(1, 2, 3, 4), weight=2)
@layer("LOG_SOFTMAX", dtypes=("int8", "float32"), ranks=(1, 2, 3, 4))
@layer("L2_NORMALIZATION", dtypes=("int8", "float32"), ranks=(2, 3, 4))
def rows(net: Net, x: Value, name: str) -> list[Value] | None:
    fixed = {"SOFTMAX": (1 / 256, -128), "LOG_SOFTMAX": (1 / 16, 127),
             "L2_NORMALIZATION": (1 / 128, 0)}[name]  # fmt: skip
    low, high = {"LOG_SOFTMAX": (-90.0, 0.0)}.get(name, (-1.0, 1.0))
    y = like(x, low=low, high=high, exact=False)
    if x.dtype == "int8":
        y = like(x, scale=fixed[0], zero_point=fixed[1])
        if name == "SOFTMAX" and net.chance(0.2):
            y = like(y, dtype="int16", scale=1 / 65536, zero_point=-32768)
            (made,) = net.add(name, [x], [y], {"beta": 1.0})
            net.close(made)  # nothing takes such a zero point
            return [made]
    elif x.dtype == "int16":
        y = like(x, scale=1 / 32768)
    options = {"SOFTMAX": {"beta": net.pick([1.0, 1.0, 0.5, 2.0])}, "L2_NORMALIZATION": {}}
    return net.add(name, [x], [y], options.get(name))


@layer("QUANTIZE", dtypes=("int8", "int16"))
def requantise(net: Net, x: Value, name: str) -> list[Value] | None:
    assert x.scale
    dtype = net.pick(["int8", "int16"])
    ratio = {("int8", "int16"): 1 / 256, ("int16", "int8"): 256}.get((x.dtype, dtype), 1)
    y = like(x, dtype=dtype, scale=output_scale(net, x.scale * ratio, 2.0),
             zero_point=zero_point(net, dtype))  # fmt: skip
    return net.add(name, [x], [y])


@layer("QUANTIZE", dtypes=("float32",), needs_exact=True, weight=2)
def quantise(net: Net, x: Value, name: str) -> list[Value] | None:
    dtype = net.pick(["int8", "int16"])
    y = kind_of(net, x.shape, dtype)
    return net.add(name, [x], [like(y, scale=output_scale(net, y.scale or 1.0))])


@layer("DEQUANTIZE", dtypes=("int8", "int16"))
def dequantise(net: Net, x: Value, name: str) -> list[Value] | None:
    assert x.scale
    reach = x.scale * (256 if x.dtype == "int8" else 32768)
    if reach > 1e4:
        return None
    return net.add(name, [x], [Value(-1, x.shape, "float32", low=-reach, high=reach)])


@layer("CAST", dtypes=("int32", "bool", "float32"), needs_exact=True, weight=2)
def cast(net: Net, x: Value, name: str) -> list[Value] | None:
    dtype = net.pick([t for t in ("int32", "bool", "float32") if t != x.dtype])
    low, high = (0.0, 1.0) if "bool" in (x.dtype, dtype) else (x.low - 1, x.high + 1)
    return net.add(name, [x], [Value(-1, x.shape, dtype, low=low, high=high)])
