"""Int8 fully connected layers on cores without SIMD."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.blocks import OCTET, TRIO, Block
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.dense.rows import row_count, row_shapes
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Segmented, interleave, pack_segments
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.targets.catalogue import Core

_COMMENT = "weights + 128, outputs interleaved"


class DenseInt8Interleaved(Kernel):
    """One row, eight outputs at a time, or four where registers are few."""

    name = "dense_s8_interleaved"
    op = Dense

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One row of int8, symmetric weights."""
        del op
        return row_count(signature) == 1 and _accepts(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights interleaved by blocks of outputs, and a table of scalings."""
        assert isinstance(op, Dense)
        packed = _packed(op, signature, TRIO.limit)
        outputs, inputs = signature.input(1).shape
        weights = interleave(packed.weights, block_outputs(core)).astype(np.int16) + 128
        fields: tuple[tuple[str, CValue], ...] = (
            ("inputs", inputs),
            ("outputs", outputs),
            ("scale", packed.scaling.struct(clamp_range(op.activation, signature.output))),
            ("weights", CArray(DType.UINT8, weights.astype(np.uint8), _COMMENT)),
            ("words", CArray(DType.INT32, packed.scaling.words, "scaling of each output")),
        )
        return KernelCall(
            self.name,
            "smg_dense_s8_interleaved.h",
            "smg_dense_s8_interleaved",
            CStruct("smg_dense_s8_interleaved_t", fields),
            (InputArg(0), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Two to four instructions for each product."""
        del op
        outputs, inputs = signature.input(1).shape
        block = block_outputs(core)
        blocks = ceil(outputs / block)
        each = 2.2 if "thumb2" in core.features else 3.7
        return Cost(
            blocks * block * (each * inputs + 25) + 3.0 * inputs,
            flash_bytes=blocks * block * (inputs + 12),
        )


class DenseRowsInt8Trio(Kernel):
    """Several rows, as a convolution with one tap: it shares that kernel's code."""

    name = "dense_rows_s8_trio"
    op = Dense
    block: ClassVar[Block] = TRIO

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Several rows of int8, symmetric weights."""
        del op
        return row_count(signature) > 1 and _accepts(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A row becomes a pixel."""
        del core
        assert isinstance(op, Dense)
        return self.block.call(
            self.name,
            Conv2D(),
            row_shapes(signature),
            _packed(op, signature, self.block.limit),
            signature.input(0).quant.zero_point,
            clamp_range(op.activation, signature.output),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `Block.cost`."""
        del op
        return self.block.cost(Conv2D(), row_shapes(signature), core)


class DenseRowsInt8Octet(DenseRowsInt8Trio):
    """The same, of eight rows at a time, where there are registers for it."""

    name = "dense_rows_s8_octet"
    requires = frozenset({"rv32m"})
    block = OCTET


def block_outputs(core: Core) -> int:
    """Outputs at a time: SMG_DENSE_BLOCK of the header, on a core."""
    few_registers = "thumb" in core.features and "thumb2" not in core.features
    return 4 if few_registers else 8


def _accepts(signature: Signature) -> bool:
    return accepts_int8(signature) and not signature.input(1).quant.zero_point


@lru_cache(maxsize=256)
def _packed(op: Dense, signature: Signature, limit: int) -> Segmented:
    output = signature.output
    return pack_segments(
        constant(signature, 1),
        bias_or_zeros(signature, signature.input(1).shape[0]),
        multipliers(signature),
        (signature.input(0).quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
        limit,
    )


KERNELS: tuple[Kernel, ...] = (
    DenseInt8Interleaved(),
    DenseRowsInt8Trio(),
    DenseRowsInt8Octet(),
)
