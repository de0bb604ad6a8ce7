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
from smidgen.targets.catalogue import Core


class _PoolInt8(Kernel):
    """What both int8 poolings share: one parameter struct."""

    function: str

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
        fields: tuple[tuple[str, CValue], ...] = (
            ("in_rows", x.shape[1]),
            ("in_cols", x.shape[2]),
            ("channels", x.shape[3]),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("win_rows", op.window[0]),
            ("win_cols", op.window[1]),
            ("stride_rows", op.stride[0]),
            ("stride_cols", op.stride[1]),
            ("top", op.padding.top),
            ("left", op.padding.left),
            ("low", low),
            ("high", high),
        )
        return KernelCall(
            self.name,
            "smg_pool2d_s8.h",
            self.function,
            CStruct("smg_pool2d_s8_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0, ahead=ahead),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About five instructions for each element of each window."""
        del core
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        return Cost((5.0 * math.prod(op.window) + 20.0) * signature.output.elements)


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


KERNELS: tuple[Kernel, ...] = (AveragePoolInt8(), MaxPoolInt8())
