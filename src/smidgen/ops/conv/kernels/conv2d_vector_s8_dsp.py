"""Int8 convolutions that give one pixel, on Arm cores with the DSP extension: fully connected."""

from __future__ import annotations

from math import prod

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8
from smidgen.ops.conv.kernels.conv2d_s8_dsp import packed_conv
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.conv.windows import gives_one_pixel
from smidgen.ops.dense.vector import BLOCK, vector_call, vector_cost
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.targets.catalogue import Core


class Conv2DVectorInt8Dsp(Kernel):
    """A convolution with one output pixel whose window is contiguous at the input's start."""

    name = "conv2d_vector_s8_dsp"
    op = Conv2D
    requires = frozenset({"dsp"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One contiguous window of int8, no groups, and numbers that allow its shortcuts."""
        assert isinstance(op, Conv2D)
        return (
            accepts_int8(signature)
            and gives_one_pixel(op, signature)
            and packed_conv(op, signature, BLOCK) is not None
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in blocks of eight outputs with their requantisation behind them."""
        del core
        assert isinstance(op, Conv2D)
        packed = packed_conv(op, signature, BLOCK)
        assert packed is not None
        outputs, *window = signature.input(1).shape
        clamp = clamp_range(op.activation, signature.output)
        return vector_call(self.name, packed, outputs, prod(window), clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `vector_cost`."""
        del op, core
        outputs, *window = signature.input(1).shape
        return vector_cost(outputs, prod(window))


KERNELS: tuple[Kernel, ...] = (Conv2DVectorInt8Dsp(),)
