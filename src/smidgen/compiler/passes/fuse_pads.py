"""pad -> convolution becomes a convolution that pads, where the padding is the zero point.

Convolutions pad with the input's zero point, poolings with nothing; so only convolutions take it.
"""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.graph import Graph, Node
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.window import Padding


def fuse_pads(graph: Graph) -> Graph:
    """Let every convolution that reads a padded image read the image; unread pads are left over."""
    return graph.with_nodes(_fused(graph, node) for node in graph.nodes)


def _fused(graph: Graph, node: Node) -> Node:
    if not isinstance(node.op, (Conv2D, DepthwiseConv2D)):
        return node
    pad = graph.producers.get(node.inputs[0])
    if pad is None or not isinstance(pad.op, Pad) or not _pads_with_zero(graph, pad):
        return node
    (_, top, left, _), (_, bottom, right, _) = pad.op.before, pad.op.after
    old = node.op.padding
    padding = Padding(old.top + top, old.bottom + bottom, old.left + left, old.right + right)
    op = replace(node.op, padding=padding)
    return replace(node, op=op, inputs=(pad.inputs[0], *node.inputs[1:]))


def _pads_with_zero(graph: Graph, pad: Node) -> bool:
    """Rows and columns only, of real zeros, and on the scale of the image."""
    assert isinstance(pad.op, Pad)
    signature = graph.signature(pad)
    x, output = signature.input(0), signature.output
    if len(x.shape) != 4 or any((*pad.op.before[::3], *pad.op.after[::3])):
        return False
    return x.quantization == output.quantization and pad.op.fills_with_zero(signature)
