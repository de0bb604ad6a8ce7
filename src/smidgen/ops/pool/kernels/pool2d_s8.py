"""Kernels of the poolings."""

from __future__ import annotations

import math

from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lowering import all_int8
from smidgen.ops.support.overlap import safe_conv_distance
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import Core


class _PoolInt8(Kernel):
    """What both int8 poolings share: one parameter struct."""

    function: str
    header = "smg_pool2d_s8.h"

    def function_for(self, op: AveragePool2D | MaxPool2D) -> str:
        """The C function that runs `op`."""
        del op
        return self.function

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, batch 1."""
        del op
        return signature.input(0).shape[0] == 1 and all_int8(signature.input(0), signature.output)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Nothing to pack: window, stride, padding and clamp."""
        del core
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        x, output = signature.input(0), signature.output
        low, high = clamp_range(op.activation, output)
        ahead = safe_conv_distance(
            x.shape, output.shape, op.window, op.stride, op.padding, multiplier=1
        )
        size, window = _flattened(op, (x.shape[1], x.shape[2]))
        fields: tuple[tuple[str, CValue], ...] = (
            ("in_rows", size[0]),
            ("in_cols", size[1]),
            ("channels", x.shape[3]),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("win_rows", window[0]),
            ("win_cols", window[1]),
            ("stride_rows", op.stride[0]),
            ("stride_cols", op.stride[1]),
            ("top", op.padding.top),
            ("left", op.padding.left),
            ("low", low),
            ("high", high),
        )
        return KernelCall(
            self.name,
            self.header,
            self.function_for(op),
            CStruct("smg_pool2d_s8_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0, ahead=ahead),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About five instructions for each element of each window."""
        del core
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        return Cost((5.0 * math.prod(op.window) + 20.0) * signature.output.elements)


def _flattened(
    op: AveragePool2D | MaxPool2D, size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Image and window; one window over the whole image goes over one long row."""
    if op.window == size and op.padding == Padding():
        long = (1, size[0] * size[1])
        return long, long
    return size, op.window


class AveragePoolInt8(_PoolInt8):
    """Any int8 average pooling, in portable C."""

    name = "average_pool2d_s8"
    op = AveragePool2D
    function = "smg_average_pool2d_s8"


class MaxPoolInt8(_PoolInt8):
    """Any int8 max pooling, in portable C."""

    name = "max_pool2d_s8"
    op = MaxPool2D
    function = "smg_max_pool2d_s8"


class _PoolInt8Dsp(_PoolInt8):
    """What both int8 poolings of four channels at a time share."""

    requires = frozenset({"dsp", "unaligned"})
    header = "smg_pool2d_s8_dsp.h"

    def function_for(self, op: AveragePool2D | MaxPool2D) -> str:
        """One for windows of 2x2 without padding, one for all others."""
        two = op.window == (2, 2) and op.padding == Padding()
        return self.function.replace("pool2d_", "pool2d_2x2_") if two else self.function

    def accepts(self, op: Op, signature: Signature) -> bool:
        """A multiple of four channels."""
        return super().accepts(op, signature) and signature.output.shape[3] % 4 == 0

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About six instructions for each pixel of each window, for four channels."""
        del core
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        return Cost((1.5 * math.prod(op.window) + 10.0) * signature.output.elements)


class AveragePoolInt8Dsp(_PoolInt8Dsp):
    """Int8 average pooling of four channels at a time."""

    name = "average_pool2d_s8_dsp"
    op = AveragePool2D
    function = "smg_average_pool2d_s8_dsp"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Sums that fit in 16 bits, too."""
        assert isinstance(op, AveragePool2D)
        return super().accepts(op, signature) and math.prod(op.window) < 256


class MaxPoolInt8Dsp(_PoolInt8Dsp):
    """Int8 max pooling of four channels at a time."""

    name = "max_pool2d_s8_dsp"
    op = MaxPool2D
    function = "smg_max_pool2d_s8_dsp"


KERNELS: tuple[Kernel, ...] = (
    AveragePoolInt8(),
    MaxPoolInt8(),
    AveragePoolInt8Dsp(),
    MaxPoolInt8Dsp(),
)
