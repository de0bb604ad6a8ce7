"""Int8 convolution of 3 x 3 taps on Arm cores with the DSP extension, by Winograd's algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.conv.windows import Shape, windows
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import (
    Scaling,
    fold,
    general_scaling,
    scaling,
    with_doubled_mantissas,
)
from smidgen.ops.support.line import sum_bounds
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.overlap import safe_tile_distance
from smidgen.ops.support.requantize import per_channel
from smidgen.ops.support.window import Padding
from smidgen.ops.support.winograd import SUM_FACTOR, pack_winograd, transformed
from smidgen.targets.catalogue import Core

_TAPS = (3, 3)
_WINDOW = (4, 6)
_TILE = (2, 4)
_LARGEST_SUM = 1 << 29
_LEAST_SCALE_SHIFT = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    words: CArray
    scaling: Scaling


class Conv2DInt8WinogradDsp(Kernel):
    """3 x 3 taps, stride 1, in 4 products for 9; its weights take 32 bytes for 9."""

    name = "conv2d_s8_winograd_dsp"
    op = Conv2D
    requires = frozenset({"dsp"})
    spends_flash = True

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups, input channels a multiple of 4."""
        assert isinstance(op, Conv2D)
        return (
            accepts_int8(signature)
            and signature.input(1).shape[1:3] == _TAPS
            and op.stride == (1, 1)
            and op.dilation == (1, 1)
            and signature.input(0).shape[3] == signature.input(1).shape[3]
            and signature.input(0).shape[3] % 4 == 0
            and _packed(op, signature) is not None
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Transformed weights in blocks of four outputs, with their requantisation behind them."""
        del core
        assert isinstance(op, Conv2D)
        x, output = signature.input(0), signature.output
        ahead = safe_tile_distance(x.shape, output.shape, _WINDOW, _TILE, op.padding)
        return KernelCall(
            self.name,
            "smg_conv2d_s8_winograd_dsp.h",
            "smg_conv2d_s8_winograd_dsp",
            _params(op, signature),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=_scratch_bytes(x.shape[3]),
            overlaps=(Overlap(0, 0, ahead),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """5.5 instructions for each channel, place and eight outputs; 65 for each four pixels."""
        del op, core
        channels, output = signature.input(0).shape[3], signature.output.shape
        blocks = ceil(output[3] / 4)
        pairs = ceil(output[1] / _TILE[0]) * ceil(output[2] / _TILE[1])
        block = 16 * (5.5 * channels + 15) + 8 * 65
        return Cost(
            pairs * (blocks * block + 90 * channels + 200),
            flash_bytes=blocks * 4 * (32 * channels + 12),
            scratch_bytes=_scratch_bytes(channels),
        )


@lru_cache(maxsize=256)
def _packed(op: Conv2D, signature: Signature) -> _Packed | None:
    """The constants, or None where four times a sum could leave 32 bits."""
    x, w, output = signature.input(0), signature.input(1), signature.output
    outputs = w.shape[0]
    multipliers = per_channel(x, w, output, outputs)
    weights = constant(signature, 1)
    kept, bias = fold(
        weights.reshape(outputs, -1),
        bias_or_zeros(signature, outputs),
        multipliers,
        x.quant.zero_point,
    )
    if np.abs(sum_bounds(kept)).max(initial=0) >= _LARGEST_SUM:
        return None
    zero_point, clamp = output.quant.zero_point, clamp_range(op.activation, output)
    found = scaling(kept, bias, multipliers, zero_point, clamp, _LEAST_SCALE_SHIFT)
    found = found or general_scaling(bias, multipliers, zero_point)
    words = found.words if found.scale else with_doubled_mantissas(found)
    table = pack_winograd(transformed(kept.reshape(weights.shape)), words)
    comment = "transformed weights, 4 outputs a block, each with its scaling"
    return _Packed(CArray(DType.INT32, table, comment), found)


def _params(op: Conv2D, signature: Signature) -> CStruct:
    x, output = signature.input(0), signature.output
    packed = _packed(op, signature)
    assert packed is not None
    return CStruct(
        "smg_conv2d_s8_winograd_dsp_t",
        (
            ("windows", _windows(op, x.shape, output.shape, x.quant.zero_point)),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("out_channels", output.shape[3]),
            ("scaling", _scale_struct(packed.scaling, clamp_range(op.activation, output))),
            ("weights", packed.words),
        ),
    )


def _scale_struct(found: Scaling, clamp: tuple[int, int]) -> CStruct:
    """`found` for sums that come as SUM_FACTOR times themselves."""
    scale = found.scale // SUM_FACTOR if found.scale > 0 else found.scale
    return Scaling(scale, found.addend, found.words).struct(clamp)


def _windows(op: Conv2D, x: Shape, output: Shape, zero_point: int) -> CStruct:
    """What each two tiles read, padded by as much as the last ones hang over the image."""
    rows, cols = ceil(output[1] / _TILE[0]), ceil(output[2] / _TILE[1])
    top, left = op.padding.top, op.padding.left
    bottom = max(0, (rows - 1) * _TILE[0] + _WINDOW[0] - top - x[1])
    right = max(0, (cols - 1) * _TILE[1] + _WINDOW[1] - left - x[2])
    tiles = Conv2D(stride=_TILE, padding=Padding(top, bottom, left, right))
    return windows(tiles, (x, (1, *_WINDOW, x[3]), (1, rows, cols, 1)), zero_point)


def _scratch_bytes(channels: int) -> int:
    """Sums of four outputs and two tiles, two transformed tiles, and a copy of a window."""
    return 4 * 128 + 64 * channels + _WINDOW[0] * _WINDOW[1] * channels


KERNELS: tuple[Kernel, ...] = (Conv2DInt8WinogradDsp(),)
