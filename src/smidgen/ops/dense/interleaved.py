"""The call of smg_dense_s8_interleaved: one vector times a matrix, on cores without SIMD."""

from __future__ import annotations

from math import ceil

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.ops.kernel import CArray, Cost, CStruct, CValue, InputArg, KernelCall, OutputArg
from smidgen.ops.support.columns import Segmented, interleave
from smidgen.targets.catalogue import Core

SUM_LIMIT = 1 << 22
"""What the magnitudes of the sums of a segment must stay below."""
_BLOCK, _WORD = 8, 4
_MOST_SEGMENTS = 16
_COMMENT = "weights + 128, a byte for each of four outputs"


def fits(packed: Segmented) -> bool:
    """Whether the header has room for the totals of so many segments."""
    inputs: int = packed.weights.shape[1]
    return ceil(inputs / packed.segment) <= _MOST_SEGMENTS


def interleaved_call(kernel: str, packed: Segmented, clamp: tuple[int, int]) -> KernelCall:
    """The call of `kernel` for weights [outputs, inputs] that `fits`."""
    outputs, inputs = packed.weights.shape
    fields: tuple[tuple[str, CValue], ...] = (
        ("inputs", inputs),
        ("outputs", outputs),
        ("segment", packed.segment),
        ("scale", packed.scaling.struct(clamp)),
        ("weights", CArray(DType.INT32, _words(packed.weights), _COMMENT)),
        ("words", CArray(DType.INT32, packed.scaling.words, "scaling of each output")),
    )
    return KernelCall(
        kernel,
        "smg_dense_s8_interleaved.h",
        "smg_dense_s8_interleaved",
        CStruct("smg_dense_s8_interleaved_t", fields),
        (InputArg(0), OutputArg(0)),
    )


def interleaved_cost(outputs: int, inputs: int, core: Core) -> Cost:
    """1.5 to 3 instructions for each product, by core, and the scaling of each output."""
    padded = _WORD * ceil(outputs / _WORD)
    if "thumb2" in core.features:
        each = 1.6
    elif "rv32m" in core.features:
        each = 2.8
    else:
        each = 3.0
    return Cost(
        padded * (each * inputs + 25) + 3.0 * inputs,
        flash_bytes=padded * (inputs + 12),
    )


def _words(weights: Array) -> Array:
    """Blocks of eight outputs, [inputs, 2] words each, and a last one of [inputs, 1] words."""
    outputs = len(weights)
    rest = outputs % _BLOCK if outputs % _BLOCK <= _WORD else 0
    parts = [interleave(weights[: outputs - rest], _BLOCK), interleave(weights[-rest:], _WORD)]
    joined = np.concatenate([part.reshape(-1) for part in (parts if rest else parts[:1])])
    return (joined.astype(np.int16) + 128).astype(np.uint8).view("<i4")
