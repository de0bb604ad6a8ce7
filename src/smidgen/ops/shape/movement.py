"""What the ops that move elements within one tensor share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.shape.moves import Move, apply


class Movement(Op):
    """An op whose output is made of elements of its first input, and of nothing else.

    `moves` is its meaning: the reference carries the moves out in NumPy, the C kernel does the same
    with memcpy, whatever the element type.
    """

    __slots__ = ()

    @abstractmethod
    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """The copies that fill the output from an input of `shape`."""

    def background(self, signature: Signature) -> Array | None:
        """The value, a NumPy scalar array, that the moves are drawn on; None if they cover all."""
        del signature
        return None

    def fills_with_zero(self, signature: Signature) -> bool:
        """Whether the background means 0 in quanta of the first input, as in a convolution."""
        x, background = signature.input(0), self.background(signature)
        if x.dtype is DType.FLOAT32 or x.quantization is None:
            return bool(background == 0)
        return len(x.quant.scales) == 1 and bool(background == x.quant.zero_point)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The moves, on the background."""
        x, output = inputs[0], signature.output
        assert x is not None
        canvas = np.zeros(output.elements, output.dtype.numpy)
        fill = self.background(signature)
        if fill is not None:
            canvas[...] = fill
        apply(self.moves(x.shape), x.reshape(-1), canvas)
        return (canvas.reshape(output.shape),)
