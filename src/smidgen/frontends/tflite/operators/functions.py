"""LOGISTIC, TANH, EXP and other operators of one operand."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.options import GeluOptions, LeakyReluOptions
from smidgen.graph.op import Op
from smidgen.ops.activation.functions import Elu, Gelu, HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.elementwise.unary import (
    Abs,
    Ceil,
    Cos,
    Exp,
    Floor,
    Log,
    Neg,
    Round,
    Rsqrt,
    Sin,
    Sqrt,
    Square,
)

_WITHOUT_OPTIONS: Mapping[str, Op] = {
    "ABS": Abs(),
    "CEIL": Ceil(),
    "COS": Cos(),
    "ELU": Elu(),
    "EXP": Exp(),
    "FLOOR": Floor(),
    "HARD_SWISH": HardSwish(),
    "LOG": Log(),
    "LOGISTIC": Logistic(),
    "NEG": Neg(),
    "ROUND": Round(),
    "RSQRT": Rsqrt(),
    "SIN": Sin(),
    "SQRT": Sqrt(),
    "SQUARE": Square(),
    "TANH": Tanh(),
}


@converts(*_WITHOUT_OPTIONS)
def function(conversion: Conversion, operator: TfliteOperator) -> None:
    """The operator's name says all."""
    conversion.emit(operator, _WITHOUT_OPTIONS[operator.name])


@converts("LEAKY_RELU")
def leaky_relu(conversion: Conversion, operator: TfliteOperator) -> None:
    """With a constant slope."""
    conversion.emit(operator, LeakyRelu(conversion.options(operator, LeakyReluOptions).alpha))


@converts("GELU")
def gelu(conversion: Conversion, operator: TfliteOperator) -> None:
    """Exact or by tanh."""
    conversion.emit(operator, Gelu(conversion.options(operator, GeluOptions).approximate))
