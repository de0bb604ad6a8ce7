"""Comparisons and logic, whose results are bool."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.elementwise.arithmetic import pair
from smidgen.ops.elementwise.plain import is_quantized
from smidgen.ops.support.broadcast import broadcast_shape, operands
from smidgen.ops.support.operands import only
from smidgen.ops.support.unary import centred

COMPARISON_SHIFT = 8
"""Centred quanta are multiplied by 2**8 before they are scaled (comparisons.cc, kLeftShift)."""


class Relation(Enum):
    """What a comparison asks."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LESS = "<"
    LESS_EQUAL = "<="

    @property
    def label(self) -> str:
        """The lower-case name used in printed graphs and in C."""
        return self.name.lower()


_HOLDS: Mapping[Relation, Callable[[Any, Any], Any]] = {
    Relation.EQUAL: operator.eq,
    Relation.NOT_EQUAL: operator.ne,
    Relation.GREATER: operator.gt,
    Relation.GREATER_EQUAL: operator.ge,
    Relation.LESS: operator.lt,
    Relation.LESS_EQUAL: operator.le,
}


@dataclass(frozen=True, slots=True)
class Compare(Op):
    """Whether `relation` holds, element by element (TensorFlow Lite, EQUAL, LESS and their kin)."""

    relation: Relation

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Bool, of the broadcast shape of both inputs, which share a dtype."""
        return (TensorType(DType.BOOL, broadcast_shape(*operands(inputs))),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Quanta are brought to real values in fixed point first."""
        a, b = pair(inputs)
        if is_quantized(signature.input(0)):
            a, b = (
                comparable(values, signature.input(index)) for index, values in enumerate((a, b))
            )
        return (np.asarray(_HOLDS[self.relation](a, b)),)


def comparison_multiplier(tensor: Tensor) -> Multiplier:
    """The scale of an operand, as a fixed-point factor."""
    return quantize_multiplier(tensor.quant.scale)


def comparable(values: Array, tensor: Tensor) -> Array:
    """Quanta as fixed-point numbers that compare with those of another scale."""
    factor = comparison_multiplier(tensor)
    return multiply(centred(values, tensor) << COMPARISON_SHIFT, factor.mantissa, factor.shift)


@dataclass(frozen=True, slots=True)
class LogicalAnd(Op):
    """Whether both are true (TensorFlow Lite, LOGICAL_AND)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Bool, of the broadcast shape of both inputs."""
        return (_logical_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """On bool."""
        del signature
        a, b = pair(inputs)
        return (np.logical_and(a, b),)


@dataclass(frozen=True, slots=True)
class LogicalOr(Op):
    """Whether one of both is true (TensorFlow Lite, LOGICAL_OR)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Bool, of the broadcast shape of both inputs."""
        return (_logical_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """On bool."""
        del signature
        a, b = pair(inputs)
        return (np.logical_or(a, b),)


@dataclass(frozen=True, slots=True)
class LogicalNot(Op):
    """Whether it is false (TensorFlow Lite, LOGICAL_NOT)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type, bool."""
        x = only(inputs)
        _require_bool(x)
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """On bool."""
        del signature
        assert inputs[0] is not None
        return (np.logical_not(inputs[0]),)


def _logical_type(inputs: Sequence[Tensor | None]) -> TensorType:
    a, b = operands(inputs)
    _require_bool(a)
    return TensorType(DType.BOOL, broadcast_shape(a, b))


def _require_bool(tensor: Tensor) -> None:
    if tensor.dtype is not DType.BOOL:
        raise GraphError(f"operand {tensor.name!r}", f"{tensor.dtype.label} is not bool")
