"""Int8 convolution on cores without SIMD, several pixels in each multiplication."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import ClassVar

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.blocks import OCTET, TRIO, Block
from smidgen.ops.conv.fields import accepts_int8, ohwi
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.windows import Shape, gives_one_pixel
from smidgen.ops.dense.interleaved import SUM_LIMIT, fits, interleaved_call, interleaved_cost
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Segmented, pack_segments
from smidgen.ops.support.lowering import bias_or_zeros
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


class Conv2DInt8Trio(Kernel):
    """Any int8 convolution without groups, four outputs of three pixels at a time."""

    name = TRIO.name
    op: ClassVar[type[Op]] = Conv2D
    block: ClassVar[Block] = TRIO

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups."""
        del op
        same = signature.input(0).shape[3] == signature.input(1).shape[3]
        return accepts_int8(signature) and same

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights interleaved by four outputs, and a table of scalings."""
        del core
        assert isinstance(op, Conv2D | DepthwiseConv2D)
        packed = _packed(op, signature, self.block.limit)
        zero_point = signature.input(0).quant.zero_point
        clamp = clamp_range(op.activation, signature.output)
        return self.block.call(self.name, op, _shapes(op, signature), packed, zero_point, clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `Block.cost`."""
        assert isinstance(op, Conv2D | DepthwiseConv2D)
        return self.block.cost(op, _shapes(op, signature), core)


class SingleChannelInt8Trio(Conv2DInt8Trio):
    """Int8 depthwise convolution of a single channel, which is a convolution."""

    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, one input channel."""
        del op
        return accepts_int8(signature) and signature.input(0).shape[3] == 1


class Conv2DInt8Octet(Conv2DInt8Trio):
    """Any convolution without groups, eight pixels at a time, where there are registers for it."""

    name = OCTET.name
    requires = frozenset({"rv32m"})
    block = OCTET


class SingleChannelInt8Octet(SingleChannelInt8Trio):
    """A depthwise convolution of a single channel, eight pixels at a time."""

    name = OCTET.name
    requires = frozenset({"rv32m"})
    block = OCTET


class Conv2DVectorInt8(Kernel):
    """A convolution with one output pixel whose window is contiguous: fully connected."""

    name = "conv2d_vector_s8"
    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One contiguous window of int8, no groups, and not too many products."""
        assert isinstance(op, Conv2D)
        one_pixel = accepts_int8(signature) and gives_one_pixel(op, signature)
        return one_pixel and fits(_packed(op, signature, SUM_LIMIT))

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights interleaved by blocks of outputs, and a table of scalings."""
        del core
        assert isinstance(op, Conv2D)
        clamp = clamp_range(op.activation, signature.output)
        return interleaved_call(self.name, _packed(op, signature, SUM_LIMIT), clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `interleaved_cost`."""
        del op
        outputs, *window = signature.input(1).shape
        return interleaved_cost(outputs, prod(window), core)


def _shapes(op: Op, signature: Signature) -> tuple[Shape, Shape, Shape]:
    return signature.input(0).shape, ohwi(op, signature).shape, signature.output.shape


@lru_cache(maxsize=256)
def _packed(op: Conv2D | DepthwiseConv2D, signature: Signature, limit: int) -> Segmented:
    x, output = signature.input(0), signature.output
    channels = output.shape[3]
    return pack_segments(
        ohwi(op, signature).reshape(channels, -1),
        bias_or_zeros(signature, channels),
        per_channel(x, signature.input(1), output, channels),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
        limit,
    )


KERNELS: tuple[Kernel, ...] = (
    Conv2DInt8Trio(),
    SingleChannelInt8Trio(),
    Conv2DInt8Octet(),
    SingleChannelInt8Octet(),
    Conv2DVectorInt8(),
)
