"""Weights and requantisation as smg_dot_4x2_s8_dsp.h and its relatives want them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.ops.kernel import CArray, CStruct
from smidgen.ops.support.line import fit_lines, staircase, sum_bounds
from smidgen.ops.support.lowering import wrapped_int32
from smidgen.ops.support.requantize import Multipliers

PAIR_SCALE_SHIFT = 8
"""The least log2 of a line's scale where odd outputs come as 256 times their sum."""
_LARGEST_PRODUCT = 1 << 14
_LARGEST_RIGHT_SHIFT = 16


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How sums of products become outputs.

    `words` is [outputs, words of each]: two (a line, `scale` > 0) or three (bias, mantissa and
    power of two, `scale` = 0; bias, mantissa and shift, `scale` < 0). See smg_scale.h.
    """

    scale: int
    addend: int
    words: Array

    def struct(self, clamp: tuple[int, int]) -> CStruct:
        """What smg_scale.h wants besides the words; its outputs are signed at once."""
        fields = (
            ("scale", self.scale),
            ("addend", self.addend - (128 << 16)),
            ("low", clamp[0]),
            ("high", clamp[1]),
        )
        return CStruct("smg_scale_t", fields)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A layer's constants, ready for a kernel."""

    words: CArray
    scaling: Scaling


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """A layer's constants for cores without SIMD: weights [outputs, products], not yet interleaved.

    `segment` is how many products may be summed at a time.
    """

    weights: Array
    segment: int
    scaling: Scaling


def pack_segments(
    weights: Array,
    bias: Array,
    multipliers: Multipliers,
    zero_points: tuple[int, int],
    clamp: tuple[int, int],
    limit: int,
) -> Segmented:
    """As `pack_layer`, for cores without SIMD; sums of a segment stay below `limit`."""
    kept, folded = fold(weights, bias, multipliers, zero_points[0])
    segment = segment_of(kept, limit)
    found = scaling(kept, folded, multipliers, zero_points[1], clamp)
    found = found or general_scaling(folded, multipliers, zero_points[1])
    return Segmented(kept, segment, found)


def pack_layer(
    weights: Array,
    bias: Array,
    multipliers: Multipliers,
    zero_points: tuple[int, int],
    clamp: tuple[int, int],
    block: int,
) -> Packed | None:
    """Weights [outputs, products], bias and multipliers in blocks of `block` outputs.

    `zero_points` are the input's and the output's. None where the numbers do not allow it.
    """
    kept, folded = fold(weights, bias, multipliers, zero_points[0])
    if not can_pair(kept):
        return None
    found = scaling(kept, folded, multipliers, zero_points[1], clamp, PAIR_SCALE_SHIFT)
    if found is None or np.abs(sum_bounds(kept)).max(initial=0) >= 1 << 23:
        return None
    comment = f"weights in pairs of outputs, {block} outputs a block, each with its scaling"
    return Packed(CArray(DType.INT32, pack(kept, found, block), comment), found)


def fold(
    weights: Array, bias: Array, multipliers: Multipliers, input_zero_point: int
) -> tuple[Array, Array]:
    """Weights [outputs, products], and bias with the input's zero point folded in.

    Outputs that are constant because their multiplier is 0 lose both.
    """
    alive = np.broadcast_to(multipliers.mantissas, bias.shape) != 0
    kept = weights * alive[:, None]
    return kept, (bias - input_zero_point * weights.sum(axis=1)) * alive


def scaling(
    weights: Array,
    bias: Array,
    multipliers: Multipliers,
    zero_point: int,
    clamp: tuple[int, int],
    least_shift: int = 0,
) -> Scaling | None:
    """The cheapest exact scaling of folded `weights` and `bias`; None where no fast one exists.

    A line's scale is at least 2**`least_shift`.
    """
    if clamp[0] >= zero_point:
        # Below the zero point ties are rounded the other way, and no one line can follow.
        stairs = staircase(weights, bias, multipliers, zero_point, clamp)
        lines = fit_lines(stairs, least_shift) if stairs else None
        if lines:
            words = np.stack([lines.intercepts, lines.slopes], axis=1)
            return Scaling(lines.scale, lines.drop, words)
    return _stepwise(weights, bias, multipliers, zero_point)


def general_scaling(bias: Array, multipliers: Multipliers, zero_point: int) -> Scaling:
    """The reference's own arithmetic, for numbers that allow nothing faster."""
    mantissas = np.broadcast_to(multipliers.mantissas, bias.shape)
    shifts = np.broadcast_to(multipliers.shifts, bias.shape)
    words = np.stack([wrapped_int32(bias), mantissas, shifts], axis=1)
    return Scaling(-1, (zero_point + 128) << 16, words)


def _stepwise(
    weights: Array, bias: Array, multipliers: Multipliers, zero_point: int
) -> Scaling | None:
    """High product and shift as the reference does them, the shift as a product with 2^(16 - n)."""
    lowest, highest = sum_bounds(weights)
    mantissas = np.broadcast_to(multipliers.mantissas, bias.shape)
    alive = mantissas != 0
    shifts = np.where(alive, -np.broadcast_to(multipliers.shifts, bias.shape), 1)
    most = np.maximum(np.abs(lowest + bias), np.abs(highest + bias))
    fits = (
        (shifts >= 1)
        & (shifts <= _LARGEST_RIGHT_SHIFT)
        & ((mantissas >= 1 << 30) | ~alive)
        & (most < 1 << 31)
        & ((most >> shifts) < (1 << 15) - 512)
    )
    if not fits.all():
        return None
    powers = np.int64(1) << (_LARGEST_RIGHT_SHIFT - shifts)
    addend = ((zero_point + 128) << 16) + (1 << 15)
    return Scaling(0, addend, np.stack([bias, mantissas, powers], axis=1))


def can_pair(weights: Array) -> bool:
    """Whether 256 * w[o + 1] + w[o] fits in 16 bits for each pair of outputs."""
    padded = _pad(weights, (2, 1))
    return bool((256 * padded[1::2] + padded[::2]).min(initial=0) >= -(1 << 15))


def pack(weights: Array, scale: Scaling, block: int) -> Array:
    """Blocks of `block` outputs, as int32 words: their weights, then their scaling.

    Weights [outputs, products] become, for each two of k = (0, 2), (1, 3), (4, 6), ..., one word
    for each pair of outputs (smg_dot_4x2_s8_dsp.h). Outputs and products are filled up with 0.
    """
    padded = _pad(weights, (block, 4))
    blocks, depth = padded.shape[0] // block, padded.shape[1]
    split = padded.reshape(blocks, block // 2, 2, depth // 4, 4)
    halves = (256 * split[:, :, 1] + split[:, :, 0]) & 0xFFFF
    steps = np.stack(
        [halves[..., 0] | halves[..., 2] << 16, halves[..., 1] | halves[..., 3] << 16], axis=-1
    )
    stream = steps.transpose(0, 2, 3, 1).reshape(blocks, -1)
    table = _pad(with_doubled_mantissas(scale), (block, 1))
    words = table.reshape(blocks, block, -1).transpose(0, 2, 1)
    joined = np.concatenate([stream, words.reshape(blocks, -1)], axis=1).reshape(-1)
    return (joined & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def with_doubled_mantissas(scale: Scaling) -> Array:
    """The words as SMMLAR wants them: (a * (2m - 2^32) + a * 2^32) / 2^32 = a * m / 2^31."""
    if scale.scale:
        return scale.words
    bias, mantissas, powers = scale.words.T
    doubled = np.where(mantissas != 0, 2 * mantissas - (1 << 32), 0)
    return np.stack([bias, doubled, powers], axis=1)


def segment_of(weights: Array, limit: int) -> int:
    """The products that may be summed at a time: their number divided by 1, 2, 3, ...

    Whatever the int8 inputs are, sums of weights [outputs, products] stay below `limit`.
    """
    outputs, depth = weights.shape
    always_safe = limit // _LARGEST_PRODUCT - 1
    for parts in range(1, depth // always_safe + 2):
        segment = -(-depth // parts)
        split = np.pad(weights, ((0, 0), (0, -depth % segment)))
        magnitudes: Array = np.abs(split).reshape(outputs, -1, segment).sum(axis=2)
        if 128 * int(magnitudes.max(initial=0)) < limit:
            return int(segment)
    return int(min(depth, always_safe))


def interleave(weights: Array, block: int) -> Array:
    """Weights [outputs, products] as [outputs / block, products, block], filled up with 0."""
    padded = _pad(weights, (block, 1))
    return padded.reshape(-1, block, padded.shape[1]).transpose(0, 2, 1).astype(np.int8)


def padded_depth(products: int) -> int:
    """The products of an output as they are packed: a multiple of four."""
    return -(-products // 4) * 4


def _pad(table: Array, multiples: tuple[int, int]) -> Array:
    missing = [-size % multiple for size, multiple in zip(table.shape, multiples, strict=True)]
    return np.pad(table, [(0, count) for count in missing])
