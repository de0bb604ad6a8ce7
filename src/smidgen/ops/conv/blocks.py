"""Convolutions that sum several pixels in each multiplication: what the blocks have in common.

Windows of some pixels are packed to columns of words, from which a kernel makes four outputs of
each pixel at a time. How many pixels share how many words is a `Block`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

from smidgen.core.dtypes import Array, DType
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.windows import Shape, may_copy, windows
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    KernelCall,
    OutputArg,
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.columns import Segmented, interleave
from smidgen.ops.support.lowering import wrapped_int32
from smidgen.ops.support.overlap import safe_pixel_distance
from smidgen.targets.catalogue import Core

_OUTPUTS = 4
_COMMENT = "weights, four outputs interleaved"


@dataclass(frozen=True, slots=True)
class Block:
    """So many pixels, whose columns are so many words for each product."""

    name: str
    """Of the kernel; its C function and parameter struct have the same after ``smg_``."""
    pixels: int
    words: int
    copy_bytes: int
    """Scratch for each product of a window where windows may have to be copied."""
    limit: int
    """What the magnitudes of sums must stay below; they are made in segments."""
    bias: int = 0
    """What the sum of each segment starts at."""

    def call(
        self,
        kernel: str,
        op: Conv2D | DepthwiseConv2D,
        shapes: tuple[Shape, Shape, Shape],
        packed: Segmented,
        zero_point: int,
        clamp: tuple[int, int],
    ) -> KernelCall:
        """The call of `kernel` for input, OHWI weights and output of `shapes`."""
        fields: tuple[tuple[str, CValue], ...] = (
            ("windows", windows(op, shapes, zero_point)),
            ("scale", packed.scaling.struct(clamp)),
            ("out_channels", shapes[1][0]),
            ("depth", prod(shapes[1][1:])),
            ("segment", packed.segment),
            ("weights", CArray(DType.INT8, interleave(packed.weights, _OUTPUTS), _COMMENT)),
            ("words", CArray(DType.INT32, self._words(packed), "scaling of each output")),
        )
        return KernelCall(
            kernel,
            f"smg_{self.name}.h",
            f"smg_{self.name}",
            CStruct(f"smg_{self.name}_t", fields),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=self._scratch_bytes(op, shapes[1]),
            overlaps=(Overlap(0, 0, ahead=self._ahead(op, shapes)),),
        )

    def cost(
        self, op: Conv2D | DepthwiseConv2D, shapes: tuple[Shape, Shape, Shape], core: Core
    ) -> Cost:
        """Products, what is done once for each output, and the making of columns."""
        _, weights, output = shapes
        groups = ceil(output[1] * output[2] / self.pixels)
        depth, blocks = prod(weights[1:]), ceil(weights[0] / _OUTPUTS)
        step = _OUTPUTS + self.words + _multiply_add(core) * self.words * _OUTPUTS
        outputs = 20.0 * self.pixels * _OUTPUTS
        gather = (4.5 if not may_copy(op, weights) else 7.0) * self.pixels * depth + 150
        return Cost(
            groups * (blocks * (1.05 * step * depth + outputs) + gather),
            flash_bytes=blocks * _OUTPUTS * (depth + 12),
            scratch_bytes=self._scratch_bytes(op, weights),
        )

    def _words(self, packed: Segmented) -> Array:
        """The scaling of each output, with the biases of all segments taken off."""
        words = packed.scaling.words.copy()
        segments = ceil(packed.weights.shape[1] / packed.segment)
        words[:, 0] -= segments * self.bias * max(packed.scaling.scale, 1)
        return wrapped_int32(words)

    def _scratch_bytes(self, op: Conv2D | DepthwiseConv2D, weights: Shape) -> int:
        """The words of each product, and copies behind them where windows may need copies."""
        each = self.copy_bytes if may_copy(op, weights) else 4 * self.words
        return each * prod(weights[1:])

    def _ahead(self, op: Conv2D | DepthwiseConv2D, shapes: tuple[Shape, Shape, Shape]) -> int:
        x, weights, output = shapes
        window = (weights[1], weights[2])
        return safe_pixel_distance(
            x, output, window, op.stride, op.padding, op.dilation, pixels=self.pixels
        )


TRIO = Block("conv2d_s8_trio", pixels=3, words=2, copy_bytes=10, limit=1 << 20)
OCTET = Block("conv2d_s8_octet", pixels=8, words=5, copy_bytes=28, limit=1 << 19, bias=1 << 19)


def _multiply_add(core: Core) -> int:
    """Instructions that add a product to a sum."""
    return 1 if "thumb2" in core.features else 2
