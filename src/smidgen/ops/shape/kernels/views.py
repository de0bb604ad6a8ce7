"""Views: outputs that lie inside an input, so that no code runs."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import Cost, Kernel, KernelCall, View
from smidgen.ops.shape.arrange import BroadcastTo, DepthToSpace, SpaceToDepth, Transpose
from smidgen.ops.shape.join import Split, Unpack
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import is_whole
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.slicing import Slice
from smidgen.targets.catalogue import Core


def is_stored(tensor: Tensor) -> bool:
    """Whether a view may lie inside: it has bytes in the arena, which no state keeps for itself."""
    return tensor.data is None and tensor.dtype.value.bits >= 8


class _ViewKernel(Kernel):
    """What all views share: no instructions."""

    name = "view"

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Nothing."""
        del op, signature, core
        return Cost(0.0)


class _PiecesView(_ViewKernel):
    """Pieces that follow each other in memory."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Where every axis before the cut has one element."""
        assert isinstance(op, (Split, Unpack))
        return op.outer(signature) == 1 and is_stored(signature.input(0))

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """No call: each output begins where the one before it ends."""
        del op, core
        views, offset = [], 0
        for index, piece in enumerate(signature.outputs):
            views.append(View(("output", index), ("input", 0), offset))
            offset += piece.nbytes
        return KernelCall(self.name, views=tuple(views))


class SplitView(_PiecesView):
    """A split along the outermost axis."""

    op = Split


class UnpackView(_PiecesView):
    """An unpack along the outermost axis."""

    op = Unpack


class _DenseView(_ViewKernel):
    """A movement that turns out to keep its elements together and in order."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Where it is one dense copy."""
        assert isinstance(op, Movement)
        x, y = signature.input(0), signature.output
        return y.elements > 0 and is_stored(x) and is_whole(op.moves(x.shape), y.elements)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """No call: the output lies inside the input."""
        del core
        assert isinstance(op, Movement)
        x = signature.input(0)
        (whole,) = op.moves(x.shape)
        offset = x.dtype.nbytes(whole.source)
        return KernelCall(self.name, views=(View(("output", 0), ("input", 0), offset),))


class ReshapeView(_DenseView):
    """A reshape is the same bytes under another name."""

    op = Reshape


class SliceView(_DenseView):
    """A slice of whole rows."""

    op = Slice


class TransposeView(_DenseView):
    """A transpose that moves axes of one element only."""

    op = Transpose


class BroadcastView(_DenseView):
    """A broadcast to as many elements."""

    op = BroadcastTo


class SpaceToDepthView(_DenseView):
    """Blocks that lie together already."""

    op = SpaceToDepth


class DepthToSpaceView(_DenseView):
    """Blocks that lie together already."""

    op = DepthToSpace


KERNELS: tuple[Kernel, ...] = (
    ReshapeView(),
    SplitView(),
    UnpackView(),
    SliceView(),
    TransposeView(),
    BroadcastView(),
    SpaceToDepthView(),
    DepthToSpaceView(),
)
