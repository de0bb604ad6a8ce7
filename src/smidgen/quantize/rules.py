"""How each op is quantised, in one table: a new op adds one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedOp
from smidgen.graph.graph import ABSENT, Node
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.functions import Elu, Erf, Gelu, HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.normalization import L2Normalize
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.activation.prelu import Prelu
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.transpose import TransposeConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.add_n import AddN
from smidgen.ops.elementwise.arithmetic import Div, Mul, SquaredDifference, Sub
from smidgen.ops.elementwise.comparison import Compare, LogicalAnd, LogicalNot, LogicalOr
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.ops import Add
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
from smidgen.ops.index.gather import Gather, GatherNd, UpdateSlice
from smidgen.ops.index.ops import ArgMax, ArgMin, CumSum, Select
from smidgen.ops.matmul.ops import BatchMatMul
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.recurrent.lstm import BIASES, CELL, HIDDEN, INPUT_WEIGHTS, RECURRENT_WEIGHTS, Lstm
from smidgen.ops.reduce.ops import Mean, ReduceAll, ReduceMax, ReduceMin, Sum
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.state.ops import AssignState, ReadState
from smidgen.quantize.scales import quantized

Port = tuple[str, int]
"""("in" | "out", index) of an operand."""


class Form(Enum):
    """What an operand asks of its quantisation beyond the specification's default."""

    SYMMETRIC = "symmetric"
    """Zero point 0."""
    POWER_OF_TWO = "power of two"
    """int16 with zero point 0 and a scale that is a power of two, whatever the layer's type."""
    INT8 = "int8"
    """int8 with zero point 0 in 16x8, too, e.g. a table of slopes."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Constant weights, the bias that their products are added to, and what they multiply."""

    weights: int
    bias: int | None
    source: int
    axis: int | None
    """The output channels' axis; None for one scale."""
    output_scale: float | None = None
    """The scale of the sums where it is not that of output 0."""


@dataclass(frozen=True, slots=True)
class QuantizationRule:
    """What the specification demands of an op's operands.

    Inputs that are neither weights nor bias are activations, also where they are constant. Operands
    that are not float32 (positions, conditions) stay as they are.
    """

    weights_axis: int | None = None
    """The output channels' axis in input 1, for layers with weights; input 2 is then the bias."""
    shared: bool = False
    """Whether all activations around the op have one quantisation."""
    fixed: Quantization | None = None
    """The int8 output's quantisation, where the specification fixes it."""

    in_quanta: Callable[..., Op] | None = None
    """Rewrites attributes of the op that hold real values into quanta of its output, given its
    quantisation and, where it is not int8, its type."""
    fixed_int16: Quantization | None = None
    """The same for an int16 output."""
    layers: tuple[Parameter, ...] = ()
    """Weights and biases of an op that has several."""
    ties: tuple[tuple[Port, ...], ...] = ()
    """Operands that have one quantisation, where not all of them do."""
    forms: Mapping[Port, Form] | None = None
    """Special demands of some operands."""

    @property
    def has_weights(self) -> bool:
        """Whether inputs 1 and 2 are weights and bias."""
        return self.weights_axis is not None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All weights of the op."""
        return (Parameter(1, 2, 0, self.weights_axis),) if self.has_weights else self.layers

    def fixed_for(self, dtype: DType) -> Quantization | None:
        """The quantisation that the specification fixes for an output of `dtype`."""
        return self.fixed_int16 if dtype is DType.INT16 else self.fixed

    def form(self, port: Port) -> Form | None:
        """The special demand of an operand."""
        return (self.forms or {}).get(port)


def _pad_in_quanta(op: Op, output: Quantization, dtype: DType = DType.INT8) -> Op:
    """A Pad whose value counts quanta of `output`; the absent value is real zero already."""
    assert isinstance(op, Pad)
    if op.value is None:
        return op
    value = np.asarray(op.value, np.float64)
    return replace(op, value=int(quantized(value, output, dtype, *dtype.range)))


_UNIT = Quantization((1 / 32768,), (0,))
_GATE_SCALE = 2.0**-12
"""The scale of the sums inside an LSTM (lstm_eval.h: Q3.12)."""

_ANY = QuantizationRule()
_SHARED = QuantizationRule(shared=True)


def _lstm() -> QuantizationRule:
    """Weights have one scale each; biases belong to the input's products; the cell is int16."""
    fed = [
        Parameter(INPUT_WEIGHTS + gate, BIASES + gate, 0, None, _GATE_SCALE) for gate in range(4)
    ]
    back = [
        Parameter(RECURRENT_WEIGHTS + gate, None, HIDDEN, None, _GATE_SCALE) for gate in range(4)
    ]
    hidden: tuple[Port, ...] = (("in", HIDDEN), ("out", 0), ("out", 1))
    cell: tuple[Port, ...] = (("in", CELL), ("out", 2))
    return QuantizationRule(
        layers=(*fed, *back), ties=(hidden, cell), forms=dict.fromkeys(cell, Form.POWER_OF_TWO)
    )


def _add_n() -> QuantizationRule:
    """Micro counts the inputs' zero point once too often, so it must be 0; all have one scale."""
    ports: tuple[Port, ...] = tuple(("in", index) for index in range(64))
    return QuantizationRule(ties=(ports,), forms=dict.fromkeys(ports, Form.SYMMETRIC))


RULES: Mapping[type, QuantizationRule] = {
    Conv2D: QuantizationRule(weights_axis=0),
    DepthwiseConv2D: QuantizationRule(weights_axis=3),
    TransposeConv2D: QuantizationRule(weights_axis=0),
    Dense: QuantizationRule(weights_axis=0),
    **dict.fromkeys((Add, Sub, Mul, Div, SquaredDifference, BatchMatMul, Clamp), _ANY),
    **dict.fromkeys((Abs, Ceil, Cos, Exp, Floor, Log, Neg, Round, Rsqrt, Sin, Sqrt, Square), _ANY),
    **dict.fromkeys((LeakyRelu, Elu, HardSwish, Gelu, Erf, Mean, Sum), _ANY),
    Prelu: QuantizationRule(forms={("in", 1): Form.INT8}),
    Softmax: QuantizationRule(fixed=Quantization((1 / 256,), (-128,)), fixed_int16=_UNIT),
    Logistic: QuantizationRule(fixed=Quantization((1 / 256,), (-128,)), fixed_int16=_UNIT),
    Tanh: QuantizationRule(fixed=Quantization((1 / 128,), (0,)), fixed_int16=_UNIT),
    LogSoftmax: QuantizationRule(fixed=Quantization((1 / 16,), (127,))),
    L2Normalize: QuantizationRule(fixed=Quantization((1 / 128,), (0,))),
    **dict.fromkeys((AveragePool2D, MaxPool2D, ReduceMax, ReduceMin, Minimum, Maximum), _SHARED),
    **dict.fromkeys((ResizeNearest, ResizeBilinear, Gather, Concat, Pack, Split, Unpack), _SHARED),
    **dict.fromkeys((Reshape, Movement), _SHARED),
    Pad: QuantizationRule(shared=True, in_quanta=_pad_in_quanta),
}
"""The rule of each op class, or of a base class of it, that holds for any scales."""

SPECIAL_RULES: Mapping[type, QuantizationRule] = {
    Lstm: _lstm(),
    AddN: _add_n(),
    CumSum: QuantizationRule(forms={("in", 0): Form.SYMMETRIC}),
    **dict.fromkeys((ArgMax, ArgMin, Compare, LogicalAnd, LogicalNot, LogicalOr, ReduceAll), _ANY),
    **dict.fromkeys((Select, GatherNd, UpdateSlice, ReadState, AssignState), _SHARED),
}
"""Rules of ops that ask more of their operands, or that have operands which are no quanta."""


def find_rule(op: Op) -> QuantizationRule | None:
    """The rule for `op`, or None where there is none."""
    for kind in type(op).__mro__:
        if kind in RULES or kind in SPECIAL_RULES:
            return RULES.get(kind) or SPECIAL_RULES[kind]
    return None


def rule_of(node: Node) -> QuantizationRule:
    """The rule for `node`; raises UnsupportedOp where the table has none."""
    rule = find_rule(node.op)
    if rule is not None:
        return rule
    raise UnsupportedOp(
        f"{node.name} ({node.op.kind})",
        "there is no rule for quantising it",
        f'keep it in float (keep={{"{node.op.kind}": "float"}}), or replace it by an op that has '
        "one: " + ", ".join(sorted(kind.__name__ for kind in (*RULES, *SPECIAL_RULES))),
    )


def parameter_inputs(node: Node) -> frozenset[int]:
    """The inputs of `node` that are weights and biases."""
    found: set[int] = set()
    for parameter in rule_of(node).parameters:
        found.add(parameter.weights)
        if parameter.bias is not None:
            found.add(parameter.bias)
    return frozenset(found)


def activation_ports(node: Node) -> tuple[tuple[Port, str], ...]:
    """The activations around `node`, inputs first: all but weights, biases and absent ones."""
    parameters = parameter_inputs(node)
    inputs: list[tuple[Port, str]] = [
        (("in", index), name)
        for index, name in enumerate(node.inputs)
        if name != ABSENT and index not in parameters
    ]
    return (*inputs, *((("out", index), name) for index, name in enumerate(node.outputs)))


def activation_inputs(node: Node) -> tuple[str, ...]:
    """The inputs of `node` that are activations: all but weights, bias and absent ones."""
    return tuple(name for port, name in activation_ports(node) if port[0] == "in")
