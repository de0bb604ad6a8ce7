"""Cast: numbers as another type."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.core.dtypes import DType
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import unary
from smidgen.frontends.onnx.tensors import dtype_of
from smidgen.frontends.onnx.values import Constant, Operand
from smidgen.ops.quantization.ops import Cast


def cast(call: Call) -> Operand:
    """Another type; between floating-point types nothing, because all are float32 here."""
    return _to(call, dtype_of(call.attribute("to", 1), call.place))


def cast_like(call: Call) -> Operand:
    """The type of the second input."""
    like = call.operand(1)
    if isinstance(like, Constant):
        return _to(call, _dtype_like(call, like))
    return _to(call, call.scope.dtype(like))


def _dtype_like(call: Call, like: Constant) -> DType:
    """The type of activations that a constant's type stands for."""
    if like.values.dtype.kind == "f":
        return DType.FLOAT32
    wide = (DType.INT32, DType.INT64, DType.BOOL)  # four bits are read as eight
    found = next((dtype for dtype in wide if dtype.numpy == like.values.dtype), None)
    return found or call.refuse(f"type {like.values.dtype}", "cast to float32 or an integer type")


def _to(call: Call, wanted: DType) -> Operand:
    x = call.value(0)
    source = call.scope.builder.tensor(x.tensor)
    if source.quantization is not None:
        call.refuse("quanta are taken for numbers", "dequantise them first")
    return x if source.dtype is wanted else unary(call, Cast(wanted), x)


CASTS: Mapping[str, Lowering] = {"Cast": cast, "CastLike": cast_like}
