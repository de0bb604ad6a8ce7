"""Einsum: two operands at a time, by axes that are summed, kept or shared, as a matrix product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.core.dtypes import DType
from smidgen.frontends.onnx.broadcasting import shape_of
from smidgen.frontends.onnx.call import Call
from smidgen.frontends.onnx.elementwise import converted
from smidgen.frontends.onnx.products import multiply
from smidgen.frontends.onnx.reduction import reduce_axes
from smidgen.frontends.onnx.shaping import reshaped
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.ops.reduce.ops import Sum

_MOST_LETTERS = 20


@dataclass(frozen=True, slots=True)
class _Term:
    """An operand and the name of each of its axes."""

    operand: Operand
    axes: tuple[str, ...]

    @property
    def extents(self) -> dict[str, int]:
        """How long each named axis is."""
        return dict(zip(self.axes, shape_of(self.operand), strict=True))


def einsum(call: Call) -> Value:
    """The sum over the axes that `equation` does not name behind its arrow."""
    terms, wanted = _parsed(call, call.text("equation", "").replace(" ", ""))
    while len(terms) > 1:
        first, second, *rest = terms
        needed = {*wanted, *(axis for term in rest for axis in term.axes)}
        terms = [_product(call, first, second, needed), *rest]
    value = call.scope.as_value(_summed(call, terms[0], set(wanted)).operand, call.stem)
    left = [axis for axis in terms[0].axes if axis in wanted]
    return Value(value.tensor, value.layout.permuted([left.index(axis) for axis in wanted]))


def _parsed(call: Call, equation: str) -> tuple[list[_Term], tuple[str, ...]]:
    """The operands with named axes, and the names of the result's axes in order."""
    left, arrow, right = equation.partition("->")
    texts = left.split(",")
    if len(texts) != len(call.operands) or len(equation) > 8 * _MOST_LETTERS:
        call.damaged(f"equation {equation!r} for {len(call.operands)} operands")
    terms = [_named(call, text, index) for index, text in enumerate(texts)]
    every = [axis for term in terms for axis in term.axes]
    dots = sorted({axis for axis in every if axis.startswith(".")}, key=lambda a: -int(a[1:]))
    if arrow:
        wanted = _letters(right, dots)
    else:
        wanted = (*dots, *sorted(a for a in set(every) - set(dots) if every.count(a) == 1))
    if not set(wanted) <= set(every) or len(set(wanted)) != len(wanted):
        call.damaged(f"equation {equation!r} is none")
    return terms, wanted


def _letters(text: str, dots: Sequence[str]) -> tuple[str, ...]:
    before, _, after = text.partition("...")
    return (*before, *(dots if "..." in text else ()), *after)


def _named(call: Call, text: str, index: int) -> _Term:
    """Operand `index`; the axes that an ellipsis stands for are numbered from the last."""
    operand = call.operand(index)
    hidden = len(shape_of(operand)) - len(text.replace("...", ""))
    axes = _letters(text, [f".{number}" for number in reversed(range(max(hidden, 0)))])
    if len(axes) != len(shape_of(operand)):
        call.damaged(f"{text!r} for an operand of {len(shape_of(operand))} axes")
    if isinstance(operand, Value) and call.scope.dtype(operand) is not DType.FLOAT32:
        operand = converted(call, operand, DType.FLOAT32)
    if len(set(axes)) != len(axes):
        call.refuse(f"{text!r} takes a diagonal", "name each axis of an operand once")
    return _Term(operand, axes)


def _summed(call: Call, term: _Term, needed: set[str]) -> _Term:
    """`term` without the axes that nobody names any more."""
    gone = tuple(place for place, axis in enumerate(term.axes) if axis not in needed)
    if not gone:
        return term
    value = call.scope.as_value(term.operand, call.stem)
    kept = tuple(axis for axis in term.axes if axis in needed)
    return _Term(reduce_axes(call, value, gone, Sum, keep=False), kept)


def _product(call: Call, first: _Term, second: _Term, needed: set[str]) -> _Term:
    """Both multiplied, and summed over what they share and nobody else names."""
    first = _summed(call, first, needed | set(second.axes))
    second = _summed(call, second, needed | set(first.axes))
    shared = [axis for axis in first.axes if axis in second.axes]
    batch = [axis for axis in shared if axis in needed]
    inner = [axis for axis in shared if axis not in needed]
    rows = [axis for axis in first.axes if axis not in shared]
    columns = [axis for axis in second.axes if axis not in shared]
    extents = {**first.extents, **second.extents}
    if any(first.extents[axis] != second.extents[axis] for axis in shared):
        call.damaged("axes of one name have different extents")
    left = _matrix(call, first, (batch, rows, inner), extents)
    right = _matrix(call, second, (batch, inner, columns), extents)
    axes = (*batch, *rows, *columns)
    product = multiply(call, left, right)
    return _Term(reshaped(call, product, [extents[axis] for axis in axes]), axes)


def _matrix(
    call: Call, term: _Term, groups: Sequence[Sequence[str]], extents: dict[str, int]
) -> Operand:
    """`term` with its axes in `groups`, each of which is one axis; no batch, no axis for it."""
    order = [term.axes.index(axis) for group in groups for axis in group]
    shape = [math.prod(extents[axis] for axis in group) for group in groups]
    shape = shape if groups[0] else shape[1:]
    if isinstance(term.operand, Constant):
        return Constant(term.operand.values.transpose(order).reshape(shape))
    turned = Value(term.operand.tensor, term.operand.layout.permuted(order))
    return reshaped(call, turned, shape)
