"""Functions of elements, products and reductions, by way of ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from smidgen.frontends.onnx.values import Constant, Value
from smidgen.frontends.pytorch.call import Call
from smidgen.frontends.pytorch.translation import Translation, apply, as_array, emit
from smidgen.ops.elementwise.unary import Rsqrt


def one(kind: str, **attributes: Any) -> Translation:
    """The translation of a function of the first argument."""

    def lower(call: Call) -> Value:
        return apply(call, kind, next(iter(call.arguments.values())), **attributes)

    return lower


def two(kind: str) -> Translation:
    """The translation of a function of `self` and `other`."""

    def lower(call: Call) -> Value:
        return apply(call, kind, call.arguments["self"], call.arguments["other"])

    return lower


def plus(sign: float) -> Translation:
    """Self + sign * alpha * other."""

    def lower(call: Call) -> Value:
        factor = sign * float(call.arguments.get("alpha") or 1)
        other = call.arguments["other"]
        if abs(factor) != 1.0:
            other = apply(call, "Mul", other, abs(factor))
        return apply(call, "Add" if factor > 0 else "Sub", call.arguments["self"], other)

    return lower


def reversed_minus(call: Call) -> Value:
    """Other - self."""
    return apply(call, "Sub", call.arguments["other"], call.arguments["self"])


def power(call: Call) -> Value:
    """Self ** exponent."""
    return apply(call, "Pow", call.arguments["self"], float(call.arguments["exponent"]))


def rsqrt(call: Call) -> Value:
    """1 / sqrt(x)."""
    return emit(call, Rsqrt(), call.value("self"))


def leaky_relu(call: Call) -> Value:
    """X where it is positive, else slope x."""
    slope = float(call.arguments["negative_slope"])
    return apply(call, "LeakyRelu", call.value("self"), alpha=slope)


def elu(call: Call) -> Value:
    """Scale * (x where it is positive, else alpha (e**(input_scale x) - 1))."""
    alpha, scale, inner = (float(call.arguments[n]) for n in ("alpha", "scale", "input_scale"))
    if inner != 1.0:
        call.refuse(f"input_scale {inner}", "use 1")
    y = apply(call, "Elu", call.value("self"), alpha=alpha)
    return y if scale == 1.0 else apply(call, "Mul", y, scale)


def celu(call: Call) -> Value:
    """max(x, 0) + min(0, alpha (e**(x / alpha) - 1))."""
    return apply(call, "Celu", call.value("self"), alpha=float(call.arguments["alpha"]))


def gelu(call: Call) -> Value:
    """X times the normal distribution's integral up to x."""
    return apply(call, "Gelu", call.value("self"), approximate=str(call.arguments["approximate"]))


def prelu(call: Call) -> Value:
    """X where it is positive, else a slope for each channel times x."""
    slope = as_array(call.arguments["weight"]).reshape(-1)
    rank = len(call.shape)
    column = slope if slope.size == 1 else slope.reshape(-1, *[1] * (rank - 2))
    return apply(call, "PRelu", call.value("self"), column)


def softplus(call: Call) -> Value:
    """log(1 + e**(beta x)) / beta; beyond the threshold PyTorch has x itself, which is as near."""
    beta = float(call.arguments["beta"])
    x = call.value("self")
    if beta == 1.0:
        return apply(call, "Softplus", x)
    return apply(call, "Mul", apply(call, "Softplus", apply(call, "Mul", x, beta)), 1.0 / beta)


def log_sigmoid(call: Call) -> Value:
    """-log(1 + e**-x)."""
    return apply(call, "Neg", apply(call, "Softplus", apply(call, "Neg", call.value("self"))))


def clamp(call: Call) -> Value:
    """X limited to [min, max]."""
    low, high = (call.arguments.get(name) for name in ("min", "max"))
    return _clamped(call, low, high)


def hardtanh(call: Call) -> Value:
    """X limited to [min_val, max_val]."""
    return _clamped(call, call.arguments["min_val"], call.arguments["max_val"])


def _clamped(call: Call, low: Any, high: Any) -> Value:
    if any(isinstance(limit, Value) for limit in (low, high)):
        call.refuse("a limit that is computed", "use torch.maximum and torch.minimum")
    limits = [None if limit is None else float(limit) for limit in (low, high)]
    return apply(call, "Clip", call.value("self"), *limits)


def along(kind: str) -> Translation:
    """The translation of a softmax."""

    def lower(call: Call) -> Value:
        return apply(call, kind, call.value("self"), axis=int(call.arguments["dim"]))

    return lower


def cumulative_sum(call: Call) -> Value:
    """Running sums along an axis."""
    return apply(call, "CumSum", call.value("self"), [int(call.arguments["dim"])])


def axes_of(call: Call) -> list[int]:
    """The axes that a reduction goes along."""
    given = call.arguments.get("dim")
    rank = len(call.value("self").layout.axes)
    listed = [given] if isinstance(given, int) else list(given or range(rank))
    return sorted(int(axis) % max(rank, 1) for axis in listed)


def reduction(kind: str) -> Translation:
    """The translation of a reduction along `dim`, or along all axes."""

    def lower(call: Call) -> Value:
        return _reduced(call, kind, call.value("self"))

    return lower


def _reduced(call: Call, kind: str, x: Value) -> Value:
    keep = bool(call.arguments.get("keepdim"))
    return apply(call, kind, x, axes_of(call), keepdims=keep)


def extreme(kind: str, index: str) -> Translation:
    """The translation of `max.dim` and `min.dim`: the extreme, and where it is."""

    def lower(call: Call) -> list[Value | None]:
        x, keep = call.value("self"), bool(call.arguments.get("keepdim"))
        axis = int(call.arguments["dim"])
        where = None
        if call.reads(1):
            where = apply(call, index, x, axis=axis, keepdims=keep)
        largest = apply(call, kind, x, [axis], keepdims=keep) if call.reads(0) else None
        return [largest, where]

    return lower


def arg_extreme(kind: str) -> Translation:
    """Where an extreme is, as int32; without an axis in the flattened input."""

    def lower(call: Call) -> Value:
        x, axis = call.value("self"), call.arguments.get("dim")
        if axis is None:
            x, axis = apply(call, "Reshape", x, [-1]), 0
        keep = bool(call.arguments.get("keepdim"))
        return apply(call, kind, x, axis=int(axis), keepdims=keep)

    return lower


def variance(call: Call) -> Value:
    """The mean square of what is left of the mean, by `correction` fewer elements."""
    return _variance(call)


def deviation(call: Call) -> Value:
    """The root of the variance."""
    return apply(call, "Sqrt", _variance(call))


def _variance(call: Call) -> Value:
    x, axes = call.value("self"), axes_of(call)
    given = call.arguments.get("correction", call.arguments.get("unbiased"))
    correction = 1 if given is None else int(given)
    count = math.prod(x.layout.shape[axis] for axis in axes)
    centred = apply(call, "Sub", x, apply(call, "ReduceMean", x, axes, keepdims=True))
    squares = _reduced(call, "ReduceSumSquare", centred)
    return apply(call, "Mul", squares, 1.0 / max(count - correction, 1))


def vector_norm(call: Call) -> Value:
    """The length along axes, or the sum of magnitudes."""
    order = float(call.arguments.get("ord", call.arguments.get("p", 2)) or 2)
    kinds = {1.0: "ReduceL1", 2.0: "ReduceL2"}
    if order not in kinds:
        call.refuse(f"norm of order {order}", "use order 1 or 2")
    return _reduced(call, kinds[order], call.value("self"))


def matmul(call: Call) -> Value:
    """torch.matmul of activations, or of one and a constant."""
    other = "other" if "other" in call.arguments else "mat2"
    return apply(call, "MatMul", call.arguments["self"], call.arguments[other])


def batched_add(call: Call) -> Value:
    """Beta * self + alpha * a b."""
    names = ("batch1", "batch2") if "batch1" in call.arguments else ("mat1", "mat2")
    product = apply(call, "MatMul", *(call.arguments[name] for name in names))
    alpha, beta = (float(call.arguments.get(name, 1)) for name in ("alpha", "beta"))
    product = product if alpha == 1.0 else apply(call, "Mul", product, alpha)
    addend = call.arguments["self"]
    addend = addend if beta == 1.0 else apply(call, "Mul", addend, beta)
    return apply(call, "Add", product, addend)


def linear(call: Call) -> Value:
    """Y = x W^T + b."""
    weight, bias = call.arguments["weight"], call.arguments.get("bias")
    product = apply(call, "MatMul", call.arguments["input"], transposed(weight))
    return product if bias is None else apply(call, "Add", product, bias)


def transposed(weight: Any) -> Any:
    """A matrix with its axes exchanged: a constant keeps its unit."""
    if isinstance(weight, Constant):
        unit = weight.unit
        turned = unit.T if unit is not None and unit.ndim == 2 else unit
        return Constant(weight.values.T, turned)
    return Constant(as_array(weight).T)


def where(call: Call) -> Value:
    """Self where the condition holds, else other."""
    return apply(call, "Where", *(call.arguments[n] for n in ("condition", "self", "other")))


def unequal(call: Call) -> Value:
    """Whether two elements differ."""
    return apply(call, "Not", apply(call, "Equal", call.arguments["self"], call.arguments["other"]))


def masked_fill(call: Call) -> Value:
    """A number where the mask holds, else self."""
    fill = np.asarray(as_array(call.arguments["value"]), np.float32)
    return apply(call, "Where", call.arguments["mask"], fill, call.arguments["self"])


_SIMPLE = {
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "silu": "Swish",
    "hardswish": "HardSwish",
    "mish": "Mish",
    "selu": "Selu",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "abs": "Abs",
    "floor": "Floor",
    "ceil": "Ceil",
    "round": "Round",
    "sin": "Sin",
    "cos": "Cos",
    "reciprocal": "Reciprocal",
    "erf": "Erf",
    "sign": "Sign",
    "relu": "Relu",
    "neg": "Neg",
    "logical_not": "Not",
    "bitwise_not": "Not",
}
_PAIRS = {
    "mul": "Mul",
    "div": "Div",
    "maximum": "Max",
    "minimum": "Min",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "lt": "Less",
    "le": "LessOrEqual",
    "eq": "Equal",
    "logical_and": "And",
    "logical_or": "Or",
    "bitwise_and": "And",
    "bitwise_or": "Or",
    "__and__": "And",
    "__or__": "Or",
}

ARITHMETIC: Mapping[str, Translation] = {
    **{f"aten.{name}.default": one(kind) for name, kind in _SIMPLE.items()},
    **{
        f"aten.{name}.{form}": two(kind)
        for name, kind in _PAIRS.items()
        for form in ("default", "Tensor", "Scalar")
    },
    **dict.fromkeys(("aten.add.Tensor", "aten.add.Scalar"), plus(1.0)),
    **dict.fromkeys(("aten.sub.Tensor", "aten.sub.Scalar"), plus(-1.0)),
    **dict.fromkeys(("aten.rsub.Tensor", "aten.rsub.Scalar"), reversed_minus),
    "aten.hardsigmoid.default": one("HardSigmoid", alpha=1.0 / 6.0, beta=0.5),
    "aten.square.default": lambda call: apply(call, "Pow", call.value("self"), 2.0),
    "aten.pow.Tensor_Scalar": power,
    "aten.rsqrt.default": rsqrt,
    "aten.leaky_relu.default": leaky_relu,
    "aten.elu.default": elu,
    "aten.celu.default": celu,
    "aten.gelu.default": gelu,
    "aten.prelu.default": prelu,
    "aten._prelu_kernel.default": prelu,
    "aten.softplus.default": softplus,
    "aten.log_sigmoid.default": log_sigmoid,
    **dict.fromkeys(
        ("aten.clamp.default", "aten.clamp_min.default", "aten.clamp_max.default"), clamp
    ),
    "aten.hardtanh.default": hardtanh,
    **dict.fromkeys(
        ("aten.softmax.int", "aten._softmax.default", "aten._safe_softmax.default"),
        along("Softmax"),
    ),
    **dict.fromkeys(("aten.log_softmax.int", "aten._log_softmax.default"), along("LogSoftmax")),
    "aten.cumsum.default": cumulative_sum,
    **dict.fromkeys(("aten.mean.dim", "aten.mean.default"), reduction("ReduceMean")),
    **dict.fromkeys(("aten.sum.dim_IntList", "aten.sum.default"), reduction("ReduceSum")),
    **dict.fromkeys(("aten.amax.default", "aten.max.default"), reduction("ReduceMax")),
    **dict.fromkeys(("aten.amin.default", "aten.min.default"), reduction("ReduceMin")),
    "aten.max.dim": extreme("ReduceMax", "ArgMax"),
    "aten.min.dim": extreme("ReduceMin", "ArgMin"),
    "aten.argmax.default": arg_extreme("ArgMax"),
    "aten.argmin.default": arg_extreme("ArgMin"),
    **dict.fromkeys(("aten.var.dim", "aten.var.correction"), variance),
    **dict.fromkeys(("aten.std.dim", "aten.std.correction"), deviation),
    **dict.fromkeys(("aten.linalg_vector_norm.default", "aten.norm.ScalarOpt_dim"), vector_norm),
    **dict.fromkeys(("aten.matmul.default", "aten.mm.default", "aten.bmm.default"), matmul),
    **dict.fromkeys(("aten.baddbmm.default", "aten.addmm.default"), batched_add),
    "aten.linear.default": linear,
    **dict.fromkeys(("aten.ne.Tensor", "aten.ne.Scalar"), unequal),
    **{f"aten.where.{form}": where for form in ("self", "ScalarOther", "ScalarSelf", "Scalar")},
    "aten.masked_fill.Scalar": masked_fill,
}
"""How each aten overload becomes ONNX operators."""
