"""SUB, MUL, DIV, MINIMUM and other operators of two operands; comparisons and logic; ADD_N."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.options import DivOptions, MulOptions, SubOptions
from smidgen.graph.op import Op
from smidgen.ops.elementwise.add_n import MOST_INPUTS, AddN
from smidgen.ops.elementwise.arithmetic import Div, Mul, SquaredDifference, Sub
from smidgen.ops.elementwise.comparison import (
    Compare,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    Relation,
)
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.modulo import FloorDiv, FloorMod

_WITHOUT_OPTIONS: Mapping[str, Op] = {
    "MINIMUM": Minimum(),
    "MAXIMUM": Maximum(),
    "SQUARED_DIFFERENCE": SquaredDifference(),
    "FLOOR_DIV": FloorDiv(),
    "FLOOR_MOD": FloorMod(),
    "LOGICAL_AND": LogicalAnd(),
    "LOGICAL_OR": LogicalOr(),
    "LOGICAL_NOT": LogicalNot(),
    **{relation.name: Compare(relation) for relation in Relation},
}


@converts("SUB")
def subtraction(conversion: Conversion, operator: TfliteOperator) -> None:
    """Broadcasts."""
    options = conversion.options(operator, SubOptions)
    conversion.emit(operator, Sub(conversion.activation(operator, options.activation)))


@converts("MUL")
def multiplication(conversion: Conversion, operator: TfliteOperator) -> None:
    """Broadcasts."""
    options = conversion.options(operator, MulOptions)
    conversion.emit(operator, Mul(conversion.activation(operator, options.activation)))


@converts("DIV")
def division(conversion: Conversion, operator: TfliteOperator) -> None:
    """Broadcasts."""
    options = conversion.options(operator, DivOptions)
    conversion.emit(operator, Div(conversion.activation(operator, options.activation)))


@converts(*_WITHOUT_OPTIONS)
def without_options(conversion: Conversion, operator: TfliteOperator) -> None:
    """The operator's name says all."""
    conversion.emit(operator, _WITHOUT_OPTIONS[operator.name])


@converts("ADD_N")
def sum_of_many(conversion: Conversion, operator: TfliteOperator) -> None:
    """At most as many inputs as the kernel has pointers."""
    if len(operator.inputs) > MOST_INPUTS:
        raise UnsupportedOp(
            conversion.where(operator),
            f"{len(operator.inputs)} inputs, more than {MOST_INPUTS}",
            "add them in groups",
        )
    conversion.emit(operator, AddN())
