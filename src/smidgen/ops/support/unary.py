"""Functions of one element: what the ops of several families share, and int8 lookup tables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.float_math import round_half_away
from smidgen.ops.support.operands import only

BYTES = (DType.INT8, DType.UINT8)
QUANTA = (DType.INT8, DType.INT16)


class Unary(Op):
    """A function of each element that keeps the type."""

    __slots__ = ()

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type: float32, or quanta of int8 or int16."""
        x = only(inputs)
        if x.dtype is not DType.FLOAT32 and (x.dtype not in QUANTA or x.quantization is None):
            raise GraphError(
                f"operand {x.name!r}", "is neither float32 nor int8 or int16 with a scale"
            )
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """float32 by `real`, quanta by `quanta`."""
        x, output = inputs[0], signature.output
        assert x is not None
        if output.dtype is DType.FLOAT32:
            return (self.real(x).astype(np.float32),)
        quanta = np.clip(self.quanta(signature, x), *output.dtype.range)
        return (quanta.astype(output.dtype.numpy),)

    @abstractmethod
    def real(self, x: Array) -> Array:
        """The function of float32 numbers."""

    def quanta(self, signature: Signature, x: Array) -> Array:
        """The function of quanta, before saturation; as TensorFlow Lite fills its tables.

        Of int16 it is interpolated between every 128th value, for which Micro has no kernel.
        """
        if signature.input(0).dtype is DType.INT16:
            return interpolated(interpolation_table(self.real, signature), x)
        return by_table_rule(self.real, signature, x)


def centred(x: Array, tensor: Tensor) -> Array:
    """Quanta as int64 with the zero point taken off."""
    return x.astype(np.int64) - tensor.quant.zero_point


def dequantized(tensor: Tensor, x: Array) -> Array:
    """Quanta as float32 numbers, one rounding."""
    return np.float32(tensor.quant.scale) * centred(x, tensor).astype(np.float32)


def by_table_rule(function: Callable[[Array], Array], signature: Signature, x: Array) -> Array:
    """Quanta of `function`, all in float32 (common.h, LUTPopulate; elu.cc)."""
    output = signature.output.quant
    inverse_scale = np.float32(1) / np.float32(output.scale)
    with np.errstate(all="ignore"):
        transformed = function(dequantized(signature.input(0), x)).astype(np.float32)
        rescaled = round_half_away(transformed * inverse_scale)
        shifted = (rescaled + np.float32(output.zero_point)).astype(np.float64)
    return np.clip(np.nan_to_num(shifted, nan=0.0), -(2.0**31), 2.0**31).astype(np.int64)


def interpolation_table(function: Callable[[Array], Array], signature: Signature) -> Array:
    """What `function` gives for the int16 quanta -32768, -32640 ... 32768: int16 [513]."""
    nodes = np.arange(-32768, 32769, 128, dtype=np.int64)
    low, high = DType.INT16.range
    return np.clip(by_table_rule(function, signature, nodes), low, high).astype(np.int16)


def interpolated(table: Array, x: Array) -> Array:
    """The straight line between the two values of `table` around each of the int16 quanta `x`."""
    place = x.astype(np.int64) + 32768
    base, following = table[place >> 7].astype(np.int64), table[(place >> 7) + 1].astype(np.int64)
    return np.asarray(base + (((following - base) * (place & 127) + 64) >> 7))
