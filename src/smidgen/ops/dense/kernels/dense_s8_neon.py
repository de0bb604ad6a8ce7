"""Int8 fully connected layers on AArch64 cores with Advanced SIMD (NEON)."""

from __future__ import annotations

from typing import ClassVar

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.neon import columns_call, columns_cost
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
from smidgen.ops.dense.neon import vector_call
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.dense.rows import row_count, row_shapes
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.neon import DOTPROD, NEON, Dots, Products, pack_dots, vector_instructions
from smidgen.targets.catalogue import Core


class _DenseInt8(Kernel):
    """Symmetric int8 weights, in the blocks of smg_dot_s8_*.h."""

    op = Dense
    products: ClassVar[Products]

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, symmetric weights."""
        del op
        return accepts_int8(signature) and not signature.input(1).quant.zero_point


class _VectorInt8(_DenseInt8):
    """One row, a block of outputs at a time."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """As above, and one row."""
        return row_count(signature) == 1 and super().accepts(op, signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by blocks of outputs; the input zero point moves into the bias."""
        del core
        assert isinstance(op, Dense)
        dots, depth = _dots(op, signature, self.products), signature.input(1).shape[1]
        return vector_call(self.name, self.products, dots, depth)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `vector_instructions`."""
        del op, core
        outputs, depth = signature.input(1).shape
        return Cost(vector_instructions(self.products, depth, outputs))


class _RowsInt8(_DenseInt8):
    """Any number of rows, as a convolution with one tap: it shares that kernel's code."""

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A row becomes a pixel."""
        del core
        assert isinstance(op, Dense)
        dots, zero_point = _dots(op, signature, self.products), signature.input(0).quant.zero_point
        shapes = row_shapes(signature)
        return columns_call(self.name, Conv2D(), shapes, self.products, dots, zero_point)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `columns_cost`."""
        del op, core
        return columns_cost(Conv2D(), row_shapes(signature), self.products)


class DenseVectorInt8Neon(_VectorInt8):
    """With widening products."""

    name = "dense_s8_neon"
    requires = NEON.features
    products = NEON


class DenseVectorInt8Dotprod(_VectorInt8):
    """With dot products."""

    name = "dense_s8_dotprod"
    requires = DOTPROD.features
    products = DOTPROD


class DenseRowsInt8Neon(_RowsInt8):
    """With widening products."""

    name = "dense_rows_s8_neon"
    requires = NEON.features
    products = NEON


class DenseRowsInt8Dotprod(_RowsInt8):
    """With dot products."""

    name = "dense_rows_s8_dotprod"
    requires = DOTPROD.features
    products = DOTPROD


def _dots(op: Dense, signature: Signature, products: Products) -> Dots:
    x, output = signature.input(0), signature.output
    return pack_dots(
        products,
        constant(signature, 1),
        bias_or_zeros(signature, signature.input(1).shape[0]),
        multipliers(signature),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
    )


KERNELS: tuple[Kernel, ...] = (
    DenseVectorInt8Neon(),
    DenseVectorInt8Dotprod(),
    DenseRowsInt8Neon(),
    DenseRowsInt8Dotprod(),
)
