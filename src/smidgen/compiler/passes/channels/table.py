"""Which rule each op has; ops that are not listed keep all their channels."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.compiler.passes.channels.channelwise import (
    AddRule,
    ConcatRule,
    PadRule,
    PointwiseRule,
    PoolRule,
    ReshapeRule,
)
from smidgen.compiler.passes.channels.rule import ChannelRule
from smidgen.compiler.passes.channels.site import Site, has_channels
from smidgen.compiler.passes.channels.weighted import ConvRule, DenseRule, DepthwiseRule
from smidgen.graph.op import Op
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.quantization.ops import Quantize
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad

RULES: Mapping[type[Op], ChannelRule] = {
    Conv2D: ConvRule(),
    DepthwiseConv2D: DepthwiseRule(),
    Dense: DenseRule(),
    AveragePool2D: PoolRule(),
    MaxPool2D: PoolRule(),
    Clamp: PointwiseRule(),
    Quantize: PointwiseRule(),
    Add: AddRule(),
    Pad: PadRule(),
    Concat: ConcatRule(),
    Reshape: ReshapeRule(),
}

_CAREFUL = ChannelRule()


def rule_for(site: Site) -> ChannelRule:
    """The rule that answers for a node."""
    rule = RULES.get(type(site.node.op))
    if rule is None or not all(has_channels(tensor) for tensor in site.activations):
        return _CAREFUL
    return rule if rule.applies(site) else _CAREFUL
