"""Int8 convolution on Arm cores with MVE (Helium)."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, ohwi
from smidgen.ops.conv.mve import columns_call, columns_cost
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.windows import Shape
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lowering import bias_or_zeros
from smidgen.ops.support.mve import Dots, pack_dots
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


class _ConvInt8Mve(Kernel):
    """Two pixels and four outputs at a time."""

    name = "conv2d_s8_mve"
    requires = frozenset({"mve"})

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in vectors of 16; the input zero point moves into the bias."""
        del core
        assert isinstance(op, (Conv2D, DepthwiseConv2D))
        zero_point = signature.input(0).quant.zero_point
        return columns_call(self.name, op, _shapes(op, signature), _dots(op, signature), zero_point)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `columns_cost`."""
        del core
        assert isinstance(op, (Conv2D, DepthwiseConv2D))
        return columns_cost(op, _shapes(op, signature))


class Conv2DInt8Mve(_ConvInt8Mve):
    """Any int8 convolution without groups."""

    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups."""
        del op
        return (
            accepts_int8(signature) and signature.input(0).shape[3] == signature.input(1).shape[3]
        )


class SingleChannelInt8Mve(_ConvInt8Mve):
    """Int8 depthwise convolution of a single channel, which is a convolution."""

    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, one input channel."""
        del op
        return accepts_int8(signature) and signature.input(0).shape[3] == 1


def _shapes(op: Op, signature: Signature) -> tuple[Shape, Shape, Shape]:
    return signature.input(0).shape, ohwi(op, signature).shape, signature.output.shape


def _dots(op: Conv2D | DepthwiseConv2D, signature: Signature) -> Dots:
    x, output = signature.input(0), signature.output
    outputs = output.shape[3]
    return pack_dots(
        ohwi(op, signature).reshape(outputs, -1),
        bias_or_zeros(signature, outputs),
        per_channel(x, signature.input(1), output, outputs),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
    )


KERNELS: tuple[Kernel, ...] = (Conv2DInt8Mve(), SingleChannelInt8Mve())
