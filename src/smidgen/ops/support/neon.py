"""Constants as the Advanced SIMD kernels want them (smg_neon.h, smg_dot_s8_*.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.ops.kernel import CArray, CStruct, CValue
from smidgen.ops.support.lanes import BLOCK, requantize_words, rounds_up
from smidgen.ops.support.requantize import Multipliers

STEP = 8
"""Products that columns are filled up to a multiple of."""


@dataclass(frozen=True, slots=True)
class Products:
    """One way of summing products: what its C is called, and how it wants weights and time."""

    name: str
    """What C functions and headers end with."""
    features: frozenset[str]
    block: int
    """Outputs at a time."""
    packed: Callable[[Array], Array]
    """Weights [blocks, outputs of each, products] in the order in which they are read."""
    has_full_range: bool
    """Whether weights of -128 need code of their own."""
    column_instructions: float
    """Of sixteen products of a block of four columns."""
    vector_instructions: float
    """Of sixteen products of a block of one column."""
    finish_instructions: float
    """To make a block of outputs of four columns."""


def _by_sixteen(weights: Array) -> Array:
    """Sixteen products of each output in turn, and eight at the end where they are left."""
    blocks, outputs, products = weights.shape
    whole = products // 16 * 16
    steps = weights[:, :, :whole].reshape(blocks, outputs, -1, 16).transpose(0, 2, 1, 3)
    rest = weights[:, :, whole:]
    return np.concatenate([steps.reshape(blocks, -1), rest.reshape(blocks, -1)], axis=1)


def _by_four(weights: Array) -> Array:
    """Four products of each output in turn."""
    blocks, outputs, _ = weights.shape
    return weights.reshape(blocks, outputs, -1, 4).transpose(0, 2, 1, 3).reshape(blocks, -1)


NEON = Products("neon", frozenset({"neon"}), 4, _by_sixteen, True, 58.0, 20.0, 60.0)
DOTPROD = Products("dotprod", frozenset({"neon", "dotprod"}), 8, _by_four, False, 48.0, 20.0, 80.0)


def steps_of(products: int) -> int:
    """Steps of eight that hold `products` values."""
    return -(-products // STEP)


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """A layer's constants for sums of products: `struct` is smg_dot_s8_*_t."""

    struct: CStruct
    up: bool
    """Whether the kernel's variant that rounds upwards will do."""

    @property
    def suffix(self) -> str:
        """What the kernel's name ends with."""
        return "_up" if self.up else ""


def finish_struct(zero_point: int, clamp: tuple[int, int]) -> CStruct:
    """smg_finish_neon_t."""
    fields = (("zero_point", zero_point), ("low", clamp[0]), ("high", clamp[1]))
    return CStruct("smg_finish_neon_t", fields)


def pack_dots(
    products: Products,
    weights: Array,
    bias: Array,
    multipliers: Multipliers,
    zero_points: tuple[int, int],
    clamp: tuple[int, int],
) -> Dots:
    """For weights [outputs, products]; `zero_points` are the input's and the output's."""
    up = rounds_up(multipliers, zero_points[1], clamp)
    words = requantize_words(bias - zero_points[0] * weights.sum(axis=1), multipliers, up=False)
    full_range = (("full_range", has_lowest(weights)),) if products.has_full_range else ()
    fields: tuple[tuple[str, CValue], ...] = (
        ("steps", steps_of(weights.shape[1])),
        ("outputs", len(weights)),
        *full_range,
        ("finish", finish_struct(zero_points[1], clamp)),
        ("blocks", _blocks(products, weights, words)),
    )
    return Dots(CStruct(f"smg_dot_s8_{products.name}_t", fields), up)


def has_lowest(weights: Array) -> int:
    """1 where a weight is -128, of which two products may not be added in 16 bits."""
    return int(weights.min(initial=0) == -128)


def _blocks(products: Products, weights: Array, words: Array) -> CArray:
    outputs, depth = weights.shape
    count = -(-outputs // products.block)
    filled = np.zeros((count * products.block, steps_of(depth) * STEP), np.int8)
    filled[:outputs, :depth] = weights
    tail = products.packed(filled.reshape(count, products.block, -1))
    head = filled_up(words, count * products.block // BLOCK).reshape(count, -1)
    stream = np.concatenate([head, np.ascontiguousarray(tail).view("<i4")], axis=1)
    comment = f"by {products.block} outputs: bias, multipliers and shifts, then weights"
    return CArray(DType.INT32, stream, comment)


def filled_up(words: Array, blocks: int) -> Array:
    """`words` [blocks, words, 4] of so many blocks; of those that are added all is 0."""
    return np.concatenate([words, np.zeros((blocks - len(words), *words.shape[1:]), np.int32)])


def dot_instructions(products: Products, depth: int, outputs: int) -> float:
    """Of all outputs of four columns."""
    blocks = -(-outputs // products.block)
    each = products.column_instructions * steps_of(depth) / 2
    return blocks * (each + products.finish_instructions)


def vector_instructions(products: Products, depth: int, outputs: int) -> float:
    """Of all outputs of one column."""
    blocks = -(-outputs // products.block)
    return blocks * (products.vector_instructions * steps_of(depth) / 2 + 30.0)
