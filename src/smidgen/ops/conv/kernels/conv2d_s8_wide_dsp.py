"""Int8 convolution with 16-bit weights on Arm cores with the DSP extension."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, prod

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.conv.windows import Shape, may_copy, pixel_step, windows
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import PAIR_SCALE_SHIFT, Scaling, fold, scaling
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.overlap import safe_pixel_distance
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core

_BLOCK, _PIXELS = 4, 2
_STEPS, _STEP_BYTES = 8, 44
_FEW_WEIGHTS = 1100
"""So many weights may take twice their flash in any build: what it gains is large for them."""


@dataclass(frozen=True, slots=True)
class _Runs:
    """The rows of a window as the C reads them: words first, then what is left of each."""

    rows: int
    words: int
    left: int

    @property
    def rest(self) -> int:
        """Products behind the words, rounded up to pairs."""
        return -(-self.rows * self.left // 2) * 2

    @property
    def products(self) -> int:
        """The products of an output as they are packed: at least two pairs."""
        return max(4, 4 * self.rows * self.words + self.rest)

    def order(self) -> list[int]:
        """For each half of a column its product in the window; -1 where there is none."""
        run = 4 * self.words + self.left
        starts = [row * run + 4 * word for row in range(self.rows) for word in range(self.words)]
        rest = [
            row * run + 4 * self.words + byte
            for row in range(self.rows)
            for byte in range(self.left)
        ]
        order = [start + k for start in starts for k in (0, 2, 1, 3)] + rest
        return order + [-1] * (self.products - len(order))


class Conv2DInt8WideDsp(Kernel):
    """Convolutions with few weights, two pixels and four channels at a time, with SMLAD."""

    name = "conv2d_s8_wide_dsp"
    op = Conv2D
    requires = frozenset({"dsp", "unaligned"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, symmetric weights, no groups, no gaps in window rows; scaling that is a line."""
        assert isinstance(op, Conv2D)
        weights = signature.input(1).shape
        return (
            accepts_int8(signature)
            and signature.input(0).shape[3] == weights[3]
            and (weights[2] == 1 or op.dilation[1] == 1)
            and (self.spends_flash or prod(weights) <= _FEW_WEIGHTS)
            and _packed(op, signature) is not None
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in blocks of four outputs between their intercepts and slopes."""
        del core
        assert isinstance(op, Conv2D)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        shapes = (x.shape, weights.shape, output.shape)
        return KernelCall(
            self.name,
            "smg_conv2d_s8_wide_dsp.h",
            "smg_conv2d_s8_wide_dsp" + ("_even" if _is_even(op, shapes) else ""),
            CStruct("smg_conv2d_s8_wide_dsp_t", _fields(op, signature, shapes)),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=_scratch_bytes(op, weights.shape),
            overlaps=(Overlap(0, 0, ahead=_ahead(op, shapes)),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """0.69 instructions for each product, 35 for each 4 x 2 outputs, and the columns."""
        del core
        assert isinstance(op, Conv2D)
        shapes = (signature.input(0).shape, signature.input(1).shape, signature.output.shape)
        products, blocks = _runs(shapes[1]).products, ceil(shapes[1][0] / _BLOCK)
        each_pair = 20 if _is_even(op, shapes) else 90
        pairs = ceil(shapes[2][1] * shapes[2][2] / _PIXELS)
        return Cost(
            pairs * (blocks * (5.5 * products + 35) + 2.2 * products + each_pair),
            flash_bytes=blocks * _BLOCK * (2 * products + 8),
            scratch_bytes=_scratch_bytes(op, shapes[1]),
        )


class Conv2DInt8WideDspAnySize(Conv2DInt8WideDsp):
    """The same for any number of weights, where flash may be spent."""

    spends_flash = True


def _runs(weights: Shape) -> _Runs:
    _, rows, cols, depth = weights
    return _Runs(rows, cols * depth // 4, cols * depth % 4)


def _is_even(op: Conv2D, shapes: tuple[Shape, Shape, Shape]) -> bool:
    """Whether the assembly finds all pixels by itself."""
    x, weights, _ = shapes
    return pixel_step(op, x, weights) > 0 and weights[0] % _BLOCK == 0


@lru_cache(maxsize=256)
def _packed(op: Conv2D, signature: Signature) -> tuple[CArray, Scaling] | None:
    """The words of weights and scaling, if its sums may be scaled as they are made."""
    x, w, output = signature.input(0), signature.input(1), signature.output
    weights, bias = fold(
        constant(signature, 1).reshape(w.shape[0], -1),
        bias_or_zeros(signature, w.shape[0]),
        per_channel(x, w, output, w.shape[0]),
        x.quant.zero_point,
    )
    multipliers = per_channel(x, w, output, w.shape[0])
    clamp = clamp_range(op.activation, output)
    found = scaling(weights, bias, multipliers, output.quant.zero_point, clamp, PAIR_SCALE_SHIFT)
    if found is None or found.scale <= 0:
        return None
    scaled = weights * (found.scale >> PAIR_SCALE_SHIFT)
    if scaled.min(initial=0) < -(1 << 15) or scaled.max(initial=0) >= 1 << 15:
        return None
    comment = "intercepts, 16-bit weights and slopes of four outputs a block"
    return CArray(DType.INT32, _blocks(scaled, found, _runs(w.shape)), comment), found


def _blocks(weights: Array, found: Scaling, runs: _Runs) -> Array:
    """[blocks, 4 starts, products / 2 x 4 pairs, 4 slopes] as int32 words."""
    outputs = weights.shape[0]
    missing = -outputs % _BLOCK
    ordered = np.pad(weights, ((0, missing), (0, 1)))[:, runs.order()].reshape(
        -1, _BLOCK, runs.products // 2, 2
    )
    pairs = (ordered[..., 0] & 0xFFFF) | (ordered[..., 1] & 0xFFFF) << 16
    table = np.pad(found.words, ((0, missing), (0, 0))).reshape(-1, _BLOCK, 2)
    parts = [table[:, :, 0], pairs.transpose(0, 2, 1).reshape(len(pairs), -1), table[:, :, 1]]
    joined = np.concatenate(parts, axis=1).reshape(-1)
    return (joined & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _fields(
    op: Conv2D, signature: Signature, shapes: tuple[Shape, Shape, Shape]
) -> tuple[tuple[str, CValue], ...]:
    x, weights, _ = shapes
    packed = _packed(op, signature)
    assert packed is not None
    clamp = clamp_range(op.activation, signature.output)
    _, _, cols, depth = weights
    return (
        ("windows", windows(op, shapes, signature.input(0).quant.zero_point)),
        ("out_channels", weights[0]),
        ("run_bytes", cols * depth),
        ("run_step", op.dilation[0] * x[2] * depth),
        ("block_words", _BLOCK * (_runs(weights).products // 2 + 2)),
        ("dot", _dot(op, shapes, packed)),
        ("low", clamp[0]),
        ("high", clamp[1]),
    )


def _dot(op: Conv2D, shapes: tuple[Shape, Shape, Shape], packed: tuple[CArray, Scaling]) -> CStruct:
    x, weights, _ = shapes
    words, found = packed
    pairs = _runs(weights).products // 2
    even = _is_even(op, shapes)
    return CStruct(
        "smg_dot_4x2_s16_t",
        (
            ("weights", words),
            ("widen", prod(weights[1:]) if even else 0),
            ("entry", (1 - pairs) % _STEPS * _STEP_BYTES + 1),
            ("x_bytes", 8 * pairs),
            ("out_bytes", weights[0] // _BLOCK * _BLOCK),
            ("y_step", weights[0]),
            ("x_step", pixel_step(op, x, weights)),
            ("addend", found.addend),
        ),
    )


def _scratch_bytes(op: Conv2D, weights: Shape) -> int:
    """Two columns of 16-bit values, and copies of two windows where windows may need copies."""
    copies = 2 * prod(weights[1:]) if may_copy(op, weights) else 0
    return 4 * _runs(weights).products + copies


def _ahead(op: Conv2D, shapes: tuple[Shape, Shape, Shape]) -> int:
    x, weights, output = shapes
    window = (weights[1], weights[2])
    return safe_pixel_distance(
        x, output, window, op.stride, op.padding, op.dilation, pixels=_PIXELS
    )


KERNELS: tuple[Kernel, ...] = (
    Conv2DInt8WideDsp(),
    Conv2DInt8WideDspAnySize(),
)
