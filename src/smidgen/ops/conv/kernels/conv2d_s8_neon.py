"""Int8 convolution on AArch64 cores with Advanced SIMD (NEON)."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, ohwi
from smidgen.ops.conv.neon import columns_call, columns_cost
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.windows import Shape, gives_one_pixel
from smidgen.ops.dense.neon import vector_call
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lowering import bias_or_zeros
from smidgen.ops.support.neon import DOTPROD, NEON, Dots, Products, pack_dots, vector_instructions
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


class _ConvInt8(Kernel):
    """Four pixels and a block of outputs at a time."""

    products: ClassVar[Products]

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by blocks of outputs; the input zero point moves into the bias."""
        del core
        assert isinstance(op, (Conv2D, DepthwiseConv2D))
        dots, zero_point = _dots(op, signature, self.products), signature.input(0).quant.zero_point
        shapes = _shapes(op, signature)
        return columns_call(self.name, op, shapes, self.products, dots, zero_point)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `columns_cost`."""
        del core
        assert isinstance(op, (Conv2D, DepthwiseConv2D))
        return columns_cost(op, _shapes(op, signature), self.products)


class _Conv2DInt8(_ConvInt8):
    """Any int8 convolution without groups."""

    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups."""
        del op
        return (
            accepts_int8(signature) and signature.input(0).shape[3] == signature.input(1).shape[3]
        )


class _SingleChannelInt8(_ConvInt8):
    """Int8 depthwise convolution of a single channel, which is a convolution."""

    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, one input channel."""
        del op
        return accepts_int8(signature) and signature.input(0).shape[3] == 1


class _Conv2DVectorInt8(Kernel):
    """A convolution with one output pixel whose window is contiguous at the input's start."""

    op = Conv2D
    products: ClassVar[Products]

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One contiguous window of int8, no groups."""
        assert isinstance(op, Conv2D)
        return accepts_int8(signature) and gives_one_pixel(op, signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The call of a fully connected layer."""
        del core
        assert isinstance(op, Conv2D)
        dots = _dots(op, signature, self.products)
        return vector_call(self.name, self.products, dots, prod(signature.input(1).shape[1:]))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `vector_instructions`."""
        del op, core
        outputs, *window = signature.input(1).shape
        return Cost(vector_instructions(self.products, prod(window), outputs))


class Conv2DInt8Neon(_Conv2DInt8):
    """With widening products."""

    name = "conv2d_s8_neon"
    requires = NEON.features
    products = NEON


class Conv2DInt8Dotprod(_Conv2DInt8):
    """With dot products."""

    name = "conv2d_s8_dotprod"
    requires = DOTPROD.features
    products = DOTPROD


class SingleChannelInt8Neon(_SingleChannelInt8):
    """With widening products."""

    name = "conv2d_s8_neon"
    requires = NEON.features
    products = NEON


class SingleChannelInt8Dotprod(_SingleChannelInt8):
    """With dot products."""

    name = "conv2d_s8_dotprod"
    requires = DOTPROD.features
    products = DOTPROD


class Conv2DVectorInt8Neon(_Conv2DVectorInt8):
    """With widening products."""

    name = "conv2d_vector_s8_neon"
    requires = NEON.features
    products = NEON


class Conv2DVectorInt8Dotprod(_Conv2DVectorInt8):
    """With dot products."""

    name = "conv2d_vector_s8_dotprod"
    requires = DOTPROD.features
    products = DOTPROD


def _shapes(op: Op, signature: Signature) -> tuple[Shape, Shape, Shape]:
    return signature.input(0).shape, ohwi(op, signature).shape, signature.output.shape


def _dots(op: Conv2D | DepthwiseConv2D, signature: Signature, products: Products) -> Dots:
    x, output = signature.input(0), signature.output
    outputs = output.shape[3]
    return pack_dots(
        products,
        ohwi(op, signature).reshape(outputs, -1),
        bias_or_zeros(signature, outputs),
        per_channel(x, signature.input(1), output, outputs),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
    )


KERNELS: tuple[Kernel, ...] = (
    Conv2DInt8Neon(),
    Conv2DInt8Dotprod(),
    SingleChannelInt8Neon(),
    SingleChannelInt8Dotprod(),
    Conv2DVectorInt8Neon(),
    Conv2DVectorInt8Dotprod(),
)
