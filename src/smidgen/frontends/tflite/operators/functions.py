"""LOGISTIC, TANH, EXP and other operators of one operand."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.options import GeluOptions, L2NormOptions, LeakyReluOptions
from smidgen.graph.op import Op
from smidgen.ops.activation.functions import Elu, Gelu, HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.normalization import L2Normalize
from smidgen.ops.activation.prelu import Prelu
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
from smidgen.ops.support.activation import Activation

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
    "LOG_SOFTMAX": LogSoftmax(),
    "NEG": Neg(),
    "PRELU": Prelu(),
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


@converts("L2_NORMALIZATION")
def l2_normalization(conversion: Conversion, operator: TfliteOperator) -> None:
    """Over the last axis; Micro refuses a fused activation, too."""
    fused = conversion.options(operator, L2NormOptions).activation
    if conversion.activation(operator, fused) is not Activation.NONE:
        raise UnsupportedOp(
            conversion.where(operator),
            f"fused activation {fused.name}",
            "put the activation into a layer of its own",
        )
    conversion.emit(operator, L2Normalize())
