"""The reductions and their reference."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier, wrap32
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.operands import only


@dataclass(frozen=True, slots=True)
class _Reduce(Op):
    """What all reductions share: `axes`, ascending, become one element each, or go."""

    axes: tuple[int, ...]
    keep_dims: bool = False

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's dtype; reduced axes are 1, or gone."""
        x = only(inputs)
        ascending = list(self.axes) == sorted(set(self.axes))
        if not ascending or not set(self.axes) <= set(range(len(x.shape))):
            raise GraphError(f"input {x.name!r}", f"{x.shape} reduced along {self.axes}")
        if not reduced_elements(x.shape, self.axes):
            raise GraphError(f"input {x.name!r}", f"{x.shape} has nothing along {self.axes}")
        shape = [1 if axis in self.axes else n for axis, n in enumerate(x.shape)]
        if not self.keep_dims:
            shape = [n for axis, n in enumerate(x.shape) if axis not in self.axes]
        return (TensorType(x.dtype, tuple(shape)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The elements that become one, in row-major order, as the last axis of a matrix."""
        x = inputs[0]
        assert x is not None
        still = [axis for axis in range(x.ndim) if axis not in self.axes]
        rows = x.transpose([*still, *self.axes]).reshape(signature.output.elements, -1)
        result = self._reduced(signature, rows)
        return (result.reshape(signature.output.shape),)

    @abstractmethod
    def _reduced(self, signature: Signature, rows: Array) -> Array:
        """One element for each row of [outputs, elements]."""


@dataclass(frozen=True, slots=True)
class _Additive(_Reduce):
    """What Mean and Sum share: integer sums wrap at 32 bits, then one multiplier."""

    def _reduced(self, signature: Signature, rows: Array) -> Array:
        output = signature.output
        if output.dtype is DType.FLOAT32:
            # In sequence, each step rounded to float32: what a loop in C does.
            total = np.cumsum(rows, axis=1, dtype=np.float32)[:, -1]
            return np.asarray(total / np.float32(self.divisor(rows.shape[1])))
        factor = self.factor(signature)
        zero_point = signature.input(0).quant.zero_point
        total = wrap32(rows.astype(np.int64).sum(axis=1) - zero_point * rows.shape[1])
        quanta = multiply(total, factor.mantissa, factor.shift) + output.quant.zero_point
        return np.asarray(np.clip(quanta, *output.dtype.range).astype(output.dtype.numpy))

    @abstractmethod
    def divisor(self, count: int) -> int:
        """What a sum of `count` elements is divided by."""

    def factor(self, signature: Signature) -> Multiplier:
        """The multiplier of an integer sum (reference/reduce.h, QuantizedMeanOrSum).

        The scales' ratio is quantised first, and divided afterwards, rounding down.
        """
        x, output = signature.input(0), signature.output
        ratio = quantize_multiplier(x.quant.scale / output.quant.scale)
        count = self.divisor(reduced_elements(x.shape, self.axes))
        shift = min(count.bit_length() - 1, 32, 31 + ratio.shift)
        return Multiplier((ratio.mantissa << shift) // count, ratio.shift - shift)


@dataclass(frozen=True, slots=True)
class Mean(_Additive):
    """The mean along axes (TensorFlow Lite, MEAN)."""

    def divisor(self, count: int) -> int:
        """All of them."""
        return count


@dataclass(frozen=True, slots=True)
class Sum(_Additive):
    """The sum along axes (TensorFlow Lite, SUM)."""

    def divisor(self, count: int) -> int:
        """Nothing is divided."""
        del count
        return 1


@dataclass(frozen=True, slots=True)
class ReduceMax(_Reduce):
    """The largest along axes (REDUCE_MAX); quanta are compared as they are."""

    def _reduced(self, signature: Signature, rows: Array) -> Array:
        del signature
        return np.asarray(rows.max(axis=1))


@dataclass(frozen=True, slots=True)
class ReduceMin(_Reduce):
    """The smallest along axes (REDUCE_MIN); quanta are compared as they are."""

    def _reduced(self, signature: Signature, rows: Array) -> Array:
        del signature
        return np.asarray(rows.min(axis=1))


@dataclass(frozen=True, slots=True)
class ReduceAll(_Reduce):
    """Whether all are true along axes (REDUCE_ALL)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Bool; reduced axes are 1, or gone."""
        x = only(inputs)
        if x.dtype is not DType.BOOL:
            raise GraphError(f"input {x.name!r}", f"{x.dtype.label} is not bool")
        return _Reduce.infer(self, inputs)

    def _reduced(self, signature: Signature, rows: Array) -> Array:
        del signature
        return np.asarray(rows.all(axis=1))


def reduced_elements(shape: Sequence[int], axes: Sequence[int]) -> int:
    """How many elements become one."""
    return math.prod(shape[axis] for axis in axes)
