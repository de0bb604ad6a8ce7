"""Int8 fully connected layers on Arm cores with the DSP extension."""

from __future__ import annotations

from functools import lru_cache

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.kernels import conv2d_s8_dsp as columns
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.dense.rows import row_count, row_shapes
from smidgen.ops.dense.vector import BLOCK, vector_call, vector_cost
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Packed, pack_layer
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.targets.catalogue import Core


class DenseVectorInt8Dsp(Kernel):
    """One row, eight outputs at a time, with SMLAD."""

    name = "dense_s8_dsp"
    op = Dense
    requires = frozenset({"dsp"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One row of int8, symmetric weights, and numbers that allow its shortcuts."""
        assert isinstance(op, Dense)
        return row_count(signature) == 1 and _accepts(op, signature, BLOCK)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in blocks of eight outputs with their requantisation behind them."""
        del core
        assert isinstance(op, Dense)
        packed = _packed(op, signature, BLOCK)
        assert packed is not None
        outputs, inputs = signature.input(1).shape
        clamp = clamp_range(op.activation, signature.output)
        return vector_call(self.name, packed, outputs, inputs, clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `vector_cost`."""
        del op, core
        return vector_cost(*signature.input(1).shape)


class DenseRowsInt8Dsp(Kernel):
    """Any number of rows, as a convolution with one tap: it shares that kernel's code."""

    name = "dense_rows_s8_dsp"
    op = Dense
    requires = frozenset({"dsp"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, symmetric weights, and numbers that allow its shortcuts."""
        assert isinstance(op, Dense)
        return _accepts(op, signature, columns.BLOCK)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A row becomes a pixel."""
        del core
        assert isinstance(op, Dense)
        packed = _packed(op, signature, columns.BLOCK)
        assert packed is not None
        zero_point = signature.input(0).quant.zero_point
        clamp = clamp_range(op.activation, signature.output)
        return columns.columns_call(
            self.name, Conv2D(), row_shapes(signature), packed, zero_point, clamp
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `columns_cost`."""
        del op, core
        return columns.columns_cost(Conv2D(), row_shapes(signature))


def _accepts(op: Dense, signature: Signature, block: int) -> bool:
    return (
        accepts_int8(signature)
        and not signature.input(1).quant.zero_point
        and _packed(op, signature, block) is not None
    )


@lru_cache(maxsize=256)
def _packed(op: Dense, signature: Signature, block: int) -> Packed | None:
    output = signature.output
    return pack_layer(
        constant(signature, 1),
        bias_or_zeros(signature, signature.input(1).shape[0]),
        multipliers(signature),
        (signature.input(0).quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
        block,
    )


KERNELS: tuple[Kernel, ...] = (DenseVectorInt8Dsp(), DenseRowsInt8Dsp())
