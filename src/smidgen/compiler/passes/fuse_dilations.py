"""space to batch -> convolution -> batch to space becomes one dilated convolution.

Dealt out in blocks of b, pixel k of an axis is pixel k // b of batch k % b, so that a window that
steps by d there steps by b * d here. What the first op pads by p, the convolution by i and the last
op crops by c is padded by p + i * b - c. (TensorFlow's converter writes dilated layers so.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.shape.batches import BatchToSpace, SpaceToBatch
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.support.window import Padding


def fuse_dilations(graph: Graph) -> Graph:
    """Let the convolution of every such chain read what the chain reads, dilated.

    A 1-D chain, whose convolution lies between two reshapes, keeps them, and lies along rows if it
    can, where kernels find more of a dilated window in one piece. Chains that something else
    reads too, that change scales, or that no padding stands for, stay as they are.
    """
    instead: dict[str, Node | None] = {}
    tensors: list[Tensor] = []
    for node in graph.nodes:
        chain = _chain(graph, node)
        fused = None if chain is None or not _moves_only(graph, chain) else chain.fused(graph)
        if chain is not None and fused is not None:
            instead |= dict.fromkeys((old.name for old in chain.nodes), None)
            instead |= {new.name: new for new in fused.nodes}
            tensors += fused.tensors
    nodes = (instead.get(node.name, node) for node in graph.nodes)
    return graph.with_nodes((node for node in nodes if node is not None), tensors)


@dataclass(frozen=True, slots=True)
class _Axis:
    """Block, padding (before, after) and crops of one spatial axis."""

    block: int = 1
    padding: tuple[int, int] = (0, 0)
    crops: tuple[int, int] = (0, 0)

    def around(self, inner: tuple[int, int], stride: int) -> tuple[int, int]:
        """The padding (before, after) of the dilated convolution; negative where there is none."""
        before, after = (
            outside + inside * self.block - crop * stride
            for outside, inside, crop in zip(self.padding, inner, self.crops, strict=True)
        )
        return before, after


@dataclass(frozen=True, slots=True)
class _Fused:
    """What a chain becomes: nodes under the names of old ones, and tensors of another shape."""

    nodes: tuple[Node, ...]
    tensors: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True)
class _Chain:
    """Nodes of which each is the only reader of the one before it.

    `opening` and `closing` are the reshapes around the convolution of a 1-D chain.
    """

    scatter: Node
    opening: Node | None
    conv: Node
    closing: Node | None
    gather: Node

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All of them in order."""
        nodes = (self.scatter, self.opening, self.conv, self.closing, self.gather)
        return tuple(node for node in nodes if node is not None)

    def fused(self, graph: Graph) -> _Fused | None:
        """The nodes that do the same, or None."""
        axes = tuple(_axes(self.scatter, self.gather))
        if self.opening is None or self.closing is None:
            op = _dilated(self.conv, (*axes, _Axis(), _Axis())[:2]) if len(axes) <= 2 else None
            return None if op is None else _Fused((self._convolution(op),))
        ends = (self.opening, self.closing)
        for added in (1, 2) if len(axes) == 1 else ():
            op = _dilated(self.conv, (_Axis(), *axes) if added == 1 else (*axes, _Axis()))
            if op is not None and all(_adds_axis(graph, end, added) for end in ends):
                return self._between_reshapes(graph, op, added)
        return None

    def _convolution(self, op: Conv2D | DepthwiseConv2D) -> Node:
        inputs = (*self.scatter.inputs, *self.conv.inputs[1:])
        return replace(self.conv, op=op, inputs=inputs, outputs=self.gather.outputs)

    def _between_reshapes(self, graph: Graph, op: Conv2D | DepthwiseConv2D, added: int) -> _Fused:
        assert self.opening is not None and self.closing is not None
        weights = graph.tensors[self.conv.inputs[1]]
        own = weights.is_constant and len(graph.consumers[weights.name]) == 1
        if added == 1 and own and _is_one_row(op, weights):
            op, weights, added = *_upright(op, weights), 2
        x, y = graph.tensors[self.scatter.inputs[0]], graph.tensors[self.gather.outputs[0]]
        image = replace(graph.tensors[self.conv.inputs[0]], shape=_with_axis(x.shape, added))
        result = replace(graph.tensors[self.conv.outputs[0]], shape=_with_axis(y.shape, added))
        nodes = (
            replace(self.opening, op=Reshape(image.shape), inputs=self.scatter.inputs),
            replace(self.conv, op=op),
            replace(self.closing, op=Reshape(y.shape), outputs=self.gather.outputs),
        )
        return _Fused(nodes, (image, weights, result))


def _chain(graph: Graph, conv: Node) -> _Chain | None:
    """The chain around `conv`, with both reshapes or with none."""
    if not isinstance(conv.op, (Conv2D, DepthwiseConv2D)):
        return None
    scatter, gather = _source(graph, conv), _reader(graph, conv)
    opening = closing = None
    if scatter and gather and isinstance(scatter.op, Reshape) and isinstance(gather.op, Reshape):
        opening, closing = scatter, gather
        scatter, gather = _source(graph, opening), _reader(graph, closing)
    if scatter is None or not isinstance(scatter.op, SpaceToBatch):
        return None
    if gather is None or not isinstance(gather.op, BatchToSpace):
        return None
    same = scatter.op.block == gather.op.block
    return _Chain(scatter, opening, conv, closing, gather) if same else None


def _source(graph: Graph, node: Node) -> Node | None:
    """The producer of the first input, if `node` alone reads it."""
    name = node.inputs[0]
    return graph.producers.get(name) if graph.has_one_reader(name) else None


def _reader(graph: Graph, node: Node) -> Node | None:
    """The one node that reads what `node` makes, as its first input."""
    name = node.outputs[0]
    reader = graph.consumers[name][0] if graph.has_one_reader(name) else None
    return reader if reader is not None and reader.inputs[0] == name else None


def _moves_only(graph: Graph, chain: _Chain) -> bool:
    """Whether all but the convolution keep the scale, and what is added means 0."""
    assert isinstance(chain.scatter.op, SpaceToBatch)
    around = [graph.signature(node) for node in chain.nodes if node is not chain.conv]
    kept = all(each.input(0).quantization == each.output.quantization for each in around)
    filled = bool(graph.tensors[chain.gather.outputs[0]].elements)
    return kept and filled and chain.scatter.op.fills_with_zero(around[0])


def _axes(scatter: Node, gather: Node) -> Iterator[_Axis]:
    assert isinstance(scatter.op, SpaceToBatch) and isinstance(gather.op, BatchToSpace)
    margins = zip(scatter.op.block, scatter.op.padding, gather.op.crops, strict=True)
    return (_Axis(*each) for each in margins)


def _dilated(conv: Node, axes: tuple[_Axis, ...]) -> Conv2D | DepthwiseConv2D | None:
    """The convolution over rows and columns that lie in one piece, or None if there is none."""
    op, (rows, cols) = conv.op, axes
    assert isinstance(op, (Conv2D, DepthwiseConv2D))
    if any(a.block > 1 and stride > 1 for a, stride in zip(axes, op.stride, strict=True)):
        return None
    padding = Padding(
        *rows.around((op.padding.top, op.padding.bottom), op.stride[0]),
        *cols.around((op.padding.left, op.padding.right), op.stride[1]),
    )
    if min(padding.top, padding.bottom, padding.left, padding.right) < 0:
        return None
    dilation = (op.dilation[0] * rows.block, op.dilation[1] * cols.block)
    return replace(op, padding=padding, dilation=dilation)


def _is_one_row(op: Conv2D | DepthwiseConv2D, weights: Tensor) -> bool:
    return weights.shape[1] == 1 and not (op.padding.top or op.padding.bottom)


def _upright(
    op: Conv2D | DepthwiseConv2D, weights: Tensor
) -> tuple[Conv2D | DepthwiseConv2D, Tensor]:
    """What does to a column what `op` does to a row, and its weights."""
    filters, _, taps, depth = weights.shape
    shape = (filters, taps, 1, depth)
    turned = replace(
        op,
        stride=op.stride[::-1],
        padding=Padding(top=op.padding.left, bottom=op.padding.right),
        dilation=op.dilation[::-1],
    )
    return turned, replace(weights, shape=shape, data=weights.values.reshape(shape))


def _adds_axis(graph: Graph, reshape: Node, added: int) -> bool:
    """Whether `reshape` adds an axis of 1 at `added` of its output, or takes it away again."""
    signature = graph.signature(reshape)
    flat, image = sorted((signature.input(0).shape, signature.output.shape), key=len)
    return image == _with_axis(flat, added)


def _with_axis(shape: tuple[int, ...], at: int) -> tuple[int, ...]:
    return (*shape[:at], 1, *shape[at:])
