"""The call of smg_dense_s8_dsp: one vector times a matrix, for every op that comes down to that."""

from __future__ import annotations

from math import ceil

from smidgen.ops.kernel import Cost, CStruct, InputArg, KernelCall, OutputArg, ScratchArg
from smidgen.ops.support.columns import Packed, padded_depth

BLOCK = 8
"""Outputs that the inner kernel makes at a time."""

# What 700 bytes of code that no other layer may use are worth, in instructions.
_OWN_CODE = 500.0


def vector_call(
    name: str, packed: Packed, outputs: int, inputs: int, clamp: tuple[int, int]
) -> KernelCall:
    """`outputs` sums over `inputs` values, packed in blocks of `BLOCK`."""
    depth = padded_depth(inputs)
    fields = (
        ("inputs", inputs),
        ("depth", depth),
        ("outputs", outputs),
        ("scale", packed.scaling.scale),
        ("addend", packed.scaling.addend),
        ("low", clamp[0]),
        ("high", clamp[1]),
        ("weights", packed.words),
    )
    return KernelCall(
        name,
        "smg_dense_s8_dsp.h",
        "smg_dense_s8_dsp",
        CStruct("smg_dense_s8_dsp_t", fields),
        (InputArg(0), OutputArg(0), ScratchArg()),
        # Without copy nothing is needed, but the call names the scratch all the same.
        scratch_bytes=depth if depth != inputs else 4,
    )


def vector_cost(outputs: int, inputs: int) -> Cost:
    """1.02 instructions for each product, and 80 for each block."""
    blocks, depth = ceil(outputs / BLOCK), padded_depth(inputs)
    return Cost(
        blocks * (8.2 * depth + 80) + _OWN_CODE,
        flash_bytes=blocks * BLOCK * (depth + 12),
        scratch_bytes=depth,
    )
