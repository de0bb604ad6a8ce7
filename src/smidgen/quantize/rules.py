"""How each op is quantised, in one table: a new op adds one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedOp
from smidgen.graph.graph import Node
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.quantize.scales import quantized


@dataclass(frozen=True, slots=True)
class QuantizationRule:
    """What the specification demands of an op's operands.

    Inputs that are neither weights nor bias are int8 activations, also where they are constant.
    """

    weights_axis: int | None = None
    """The output channels' axis in input 1, for layers with weights; input 2 is then the bias."""
    shared: bool = False
    """Whether all activations around the op have one quantisation."""
    fixed: Quantization | None = None
    """The output's quantisation, where the specification fixes it."""

    in_quanta: Callable[[Op, Quantization], Op] | None = None
    """Rewrites attributes of the op that hold real values into quanta of its output."""

    @property
    def has_weights(self) -> bool:
        """Whether inputs 1 and 2 are weights and bias."""
        return self.weights_axis is not None


def _pad_in_quanta(op: Op, output: Quantization) -> Op:
    """A Pad whose value counts quanta of `output`; the absent value is real zero already."""
    assert isinstance(op, Pad)
    if op.value is None:
        return op
    quantum = quantized(np.asarray(op.value, np.float64), output, DType.INT8, -128, 127)
    return replace(op, value=int(quantum))


RULES: Mapping[type, QuantizationRule] = {
    Conv2D: QuantizationRule(weights_axis=0),
    DepthwiseConv2D: QuantizationRule(weights_axis=3),
    Dense: QuantizationRule(weights_axis=0),
    Add: QuantizationRule(),
    Sub: QuantizationRule(),
    Mul: QuantizationRule(),
    Clamp: QuantizationRule(),
    Softmax: QuantizationRule(fixed=Quantization((1 / 256,), (-128,))),
    AveragePool2D: QuantizationRule(shared=True),
    MaxPool2D: QuantizationRule(shared=True),
    Reshape: QuantizationRule(shared=True),
    Pad: QuantizationRule(shared=True, in_quanta=_pad_in_quanta),
    Movement: QuantizationRule(shared=True),
    Concat: QuantizationRule(shared=True),
    Pack: QuantizationRule(shared=True),
    Split: QuantizationRule(shared=True),
    Unpack: QuantizationRule(shared=True),
}
"""The rule of each op class, or of a base class of it."""


def rule_of(node: Node) -> QuantizationRule:
    """The rule for `node`; raises UnsupportedOp where the table has none."""
    for kind in type(node.op).__mro__:
        if kind in RULES:
            return RULES[kind]
    raise UnsupportedOp(
        f"{node.name} ({node.op.kind})",
        "there is no rule for quantising it to int8",
        "leave it out of the model, or replace it by an op that has one: "
        + ", ".join(sorted(kind.__name__ for kind in RULES)),
    )


def activation_inputs(node: Node) -> tuple[str, ...]:
    """The inputs of `node` that are activations: all but weights, bias and absent ones."""
    inputs = node.inputs[:1] if rule_of(node).has_weights else node.inputs
    return tuple(name for name in inputs if name)
