"""Select, ArgMax, ArgMin and CumSum, and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier, wrap32
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.operands import only, required

CUMSUM_SHIFT = 20
"""Running sums of int8 are kept finer than the input by so many bits (micro/kernels/cumsum.cc)."""


@dataclass(frozen=True, slots=True)
class Select(Op):
    """a where the condition holds, else b, with broadcasting; quanta as they are (SELECT_V2)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of condition, a and b."""
        condition, a, b = required(inputs, 3)
        if condition.dtype is not DType.BOOL or a.dtype is not b.dtype:
            raise GraphError(f"condition {condition.name!r}", "is not bool, or a and b differ")
        try:
            shape = np.broadcast_shapes(condition.shape, a.shape, b.shape)
        except ValueError:
            raise GraphError(f"condition {condition.name!r}", "does not broadcast") from None
        return (TensorType(a.dtype, shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy.where."""
        condition, a, b = inputs
        assert condition is not None and a is not None and b is not None
        chosen = np.where(condition, a, b)
        return (np.broadcast_to(chosen, signature.output.shape).copy(),)


@dataclass(frozen=True, slots=True)
class _ArgExtreme(Op):
    """The index along `axis`, which goes, of an extreme; of equal ones the first."""

    axis: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Int32, without the axis."""
        x = only(inputs)
        if not 0 <= self.axis < len(x.shape) or not x.elements:
            raise GraphError(f"input {x.name!r}", f"{x.shape} has nothing along {self.axis}")
        return (TensorType(DType.INT32, (*x.shape[: self.axis], *x.shape[self.axis + 1 :])),)


@dataclass(frozen=True, slots=True)
class ArgMax(_ArgExtreme):
    """Where the largest is (ARG_MAX)."""

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy.argmax."""
        del signature
        assert inputs[0] is not None
        return (np.asarray(inputs[0].argmax(self.axis), np.int32),)


@dataclass(frozen=True, slots=True)
class ArgMin(_ArgExtreme):
    """Where the smallest is (ARG_MIN)."""

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy.argmin."""
        del signature
        assert inputs[0] is not None
        return (np.asarray(inputs[0].argmin(self.axis), np.int32),)


@dataclass(frozen=True, slots=True)
class CumSum(Op):
    """Running sums along `axis` (CUMSUM); `exclusive` ones leave the element itself out."""

    axis: int
    exclusive: bool = False
    reverse: bool = False

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type."""
        x = only(inputs)
        if not 0 <= self.axis < len(x.shape):
            raise GraphError(f"input {x.name!r}", f"{x.shape} has no axis {self.axis}")
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Floats are added in sequence; int8 on a finer scale, rescaled at every element."""
        x, output = inputs[0], signature.output
        assert x is not None
        forwards = np.flip(x, self.axis) if self.reverse else x
        if output.dtype is DType.FLOAT32:
            sums = self._running(forwards, np.zeros((), np.float32))
        else:
            sums = self._quanta(forwards, signature)
        ordered = np.flip(sums, self.axis) if self.reverse else sums
        return (np.ascontiguousarray(ordered.astype(output.dtype.numpy)),)

    def _running(self, values: Array, start: Array) -> Array:
        """Sums along the axis, from `start`."""
        extents = [1 if axis == self.axis else n for axis, n in enumerate(values.shape)]
        first = np.broadcast_to(start, extents).astype(values.dtype)
        sums = np.cumsum(np.concatenate([first, values], self.axis), self.axis, values.dtype)
        kept = [slice(None)] * values.ndim
        kept[self.axis] = slice(0, -1) if self.exclusive else slice(1, None)
        return np.asarray(sums[tuple(kept)])

    def _quanta(self, x: Array, signature: Signature) -> Array:
        output = signature.output
        start, halved, factor = self.fixed_point(signature)
        steps = multiply(self.fine(x, signature), halved.mantissa, halved.shift)
        sums = wrap32(self._running(steps, np.asarray(start)))
        quanta = multiply(sums, factor.mantissa, factor.shift) + output.quant.zero_point
        return np.asarray(np.clip(quanta, *output.dtype.range))

    @staticmethod
    def fine(x: Array, signature: Signature) -> Array:
        """Centred quanta, finer by 2**20."""
        return (x.astype(np.int64) - signature.input(0).quant.zero_point) << CUMSUM_SHIFT

    @staticmethod
    def fixed_point(signature: Signature) -> tuple[int, Multiplier, Multiplier]:
        """Where the sum starts, and the multipliers of each step and of the output.

        Micro starts at minus the zero point instead of at zero (reference/cumsum.h): kept.
        """
        x, output = signature.input(0).quant, signature.output.quant
        doubled = 2 * x.scale
        halved = quantize_multiplier(x.scale / doubled)
        factor = quantize_multiplier(doubled / ((1 << CUMSUM_SHIFT) * output.scale))
        fine = np.array([-x.zero_point << CUMSUM_SHIFT])
        return int(multiply(fine, halved.mantissa, halved.shift)[0]), halved, factor
