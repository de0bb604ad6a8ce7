"""Int8 fully connected layers on cores without SIMD."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.blocks import OCTET, TRIO, Block
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.interleaved import SUM_LIMIT, fits, interleaved_call, interleaved_cost
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.dense.rows import row_count, row_shapes
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Segmented, pack_segments
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.targets.catalogue import Core


class DenseInt8Interleaved(Kernel):
    """One row, eight or four outputs at a time."""

    name = "dense_s8_interleaved"
    op = Dense

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One row of int8, symmetric weights, and not too many inputs."""
        assert isinstance(op, Dense)
        one_row = row_count(signature) == 1 and _accepts(signature)
        return one_row and fits(_packed(op, signature, SUM_LIMIT))

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights interleaved by blocks of outputs, and a table of scalings."""
        del core
        assert isinstance(op, Dense)
        clamp = clamp_range(op.activation, signature.output)
        return interleaved_call(self.name, _packed(op, signature, SUM_LIMIT), clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `interleaved_cost`."""
        del op
        outputs, inputs = signature.input(1).shape
        return interleaved_cost(outputs, inputs, core)


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
