"""Pooling of every type, in portable C."""

from __future__ import annotations

import math
from collections.abc import Mapping

from smidgen.core.dtypes import DType
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
from smidgen.ops.support.generic import window_struct
from smidgen.ops.support.overlap import safe_conv_distance
from smidgen.targets.catalogue import Core

_SUFFIXES: Mapping[DType, str] = {DType.INT8: "q8", DType.INT16: "q16", DType.FLOAT32: "f32"}


class _PoolAny(Kernel):
    """What both poolings share."""

    stem: str

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, int16 or float32, the same in and out; quanta are quantised."""
        del op
        x, output = signature.input(0), signature.output
        if x.dtype is not output.dtype or x.dtype not in _SUFFIXES:
            return False
        return x.dtype is DType.FLOAT32 or output.quantization is not None

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Window, stride, padding and clamp."""
        del core
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        x, output = signature.input(0), signature.output
        is_real = x.dtype is DType.FLOAT32
        low, high = op.activation.value if is_real else clamp_range(op.activation, output)
        fields: tuple[tuple[str, CValue], ...] = (
            ("window", window_struct(x, output, op.window, op.stride, op.padding)),
            ("low", low),
            ("high", high),
        )
        header = f"smg_pool2d_{'f32' if is_real else 'q'}"
        return KernelCall(
            self.name,
            f"{header}.h",
            f"{self.stem}_{_SUFFIXES[x.dtype]}",
            CStruct(f"{header}_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=_overlaps(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 20 instructions for each element of each window."""
        del core
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        return Cost((20.0 * math.prod(op.window) + 40.0) * signature.output.elements)


def _overlaps(op: AveragePool2D | MaxPool2D, signature: Signature) -> tuple[Overlap, ...]:
    x, output = signature.input(0), signature.output
    if x.shape[0] != 1:
        return ()
    ahead = safe_conv_distance(
        x.shape,
        output.shape,
        op.window,
        op.stride,
        op.padding,
        multiplier=1,
        element_bytes=x.dtype.nbytes(1),
    )
    return (Overlap(0, 0, ahead=ahead),)


class AveragePoolAny(_PoolAny):
    """Average pooling of every type."""

    name = "average_pool2d_any"
    op = AveragePool2D
    stem = "smg_average_pool2d"


class MaxPoolAny(_PoolAny):
    """Max pooling of every type."""

    name = "max_pool2d_any"
    op = MaxPool2D
    stem = "smg_max_pool2d"


KERNELS: tuple[Kernel, ...] = (AveragePoolAny(), MaxPoolAny())
