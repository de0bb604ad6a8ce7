"""Constants as the MVE kernels want them (smg_mve.h, smg_dot_2x4_s8_mve.h)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.ops.kernel import CArray, CStruct, CValue
from smidgen.ops.support.lanes import BLOCK, requantize_words, rounds_up
from smidgen.ops.support.requantize import Multipliers

LANES = 16


def steps_of(products: int) -> int:
    """Vectors of 16 that hold `products` values."""
    return -(-products // LANES)


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """A layer's constants for smg_dot_2x4_s8_mve: `struct` is smg_dot_s8_mve_t."""

    struct: CStruct
    up: bool
    """Whether the kernel's variant that rounds upwards will do."""

    @property
    def suffix(self) -> str:
        """What the kernel's name ends with."""
        return "_up" if self.up else ""


def pack_dots(
    weights: Array,
    bias: Array,
    multipliers: Multipliers,
    zero_points: tuple[int, int],
    clamp: tuple[int, int],
) -> Dots:
    """For weights [outputs, products]; `zero_points` are the input's and the output's."""
    up = rounds_up(multipliers, zero_points[1], clamp)
    folded = bias - zero_points[0] * weights.sum(axis=1)
    fields: tuple[tuple[str, CValue], ...] = (
        ("steps", steps_of(weights.shape[1])),
        ("outputs", len(weights)),
        ("out_zero_point", zero_points[1]),
        ("low", clamp[0]),
        ("high", clamp[1]),
        ("blocks", _dot_blocks(weights, requantize_words(folded, multipliers, up))),
    )
    return Dots(CStruct("smg_dot_s8_mve_t", fields), up)


def _dot_blocks(weights: Array, words: Array) -> CArray:
    outputs, products = weights.shape
    padded = np.zeros((len(words) * BLOCK, steps_of(products) * LANES), np.int8)
    padded[:outputs, :products] = weights
    steps = padded.reshape(len(words), BLOCK, -1, LANES).transpose(0, 2, 1, 3)
    tail = np.ascontiguousarray(steps).reshape(len(words), -1).view("<i4")
    comment = "by four outputs: bias, multipliers and shifts, then weights in vectors of 16"
    stream = np.concatenate([words.reshape(len(words), -1), tail], axis=1)
    return CArray(DType.INT32, stream, comment)


def dot_instructions(products: int, outputs: int) -> float:
    """Of smg_dot_2x4_s8_mve for two columns."""
    return -(-outputs // BLOCK) * (16.0 * steps_of(products) + 36) + 30
