"""Which rule each op, or family of ops, has; what is not listed keeps all its channels."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.compiler.passes.channels.arithmetic import BinaryRule, ReduceRule
from smidgen.compiler.passes.channels.channelwise import (
    ConcatRule,
    PadRule,
    PointwiseRule,
    PoolRule,
    ReshapeRule,
)
from smidgen.compiler.passes.channels.rule import ChannelRule
from smidgen.compiler.passes.channels.site import Site, has_channels
from smidgen.compiler.passes.channels.weighted import ConvRule, DenseRule, DepthwiseRule
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.quantization.ops import Quantize
from smidgen.ops.reduce.ops import Mean, ReduceMax, ReduceMin, Sum
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.unary import Unary

RULES: Mapping[type[object], ChannelRule] = {
    Conv2D: ConvRule(),
    DepthwiseConv2D: DepthwiseRule(),
    Dense: DenseRule(),
    AveragePool2D: PoolRule(),
    MaxPool2D: PoolRule(),
    Clamp: PointwiseRule(),
    Quantize: PointwiseRule(),
    Unary: PointwiseRule(),
    Add: BinaryRule(),
    Sub: BinaryRule(),
    Mul: BinaryRule(),
    Minimum: BinaryRule(),
    Maximum: BinaryRule(),
    Mean: ReduceRule(),
    Sum: ReduceRule(),
    ReduceMax: ReduceRule(),
    ReduceMin: ReduceRule(),
    Pad: PadRule(),
    Concat: ConcatRule(),
    Reshape: ReshapeRule(),
}

_CAREFUL = ChannelRule()


def rule_for(site: Site) -> ChannelRule:
    """The rule that answers for a node."""
    rule = next((RULES[kind] for kind in type(site.node.op).__mro__ if kind in RULES), None)
    if rule is None or not all(has_channels(tensor) for tensor in site.activations):
        return _CAREFUL
    if all(tensor.is_constant for tensor in site.signature.inputs if tensor is not None):
        return _CAREFUL  # an output of the graph that follows from constants alone
    return rule if rule.applies(site) else _CAREFUL
