"""Int8 fully connected layers on Arm cores with MVE (Helium)."""

from __future__ import annotations

from math import ceil

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.mve import columns_call, columns_cost
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.dense.rows import row_count, row_shapes
from smidgen.ops.kernel import Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lanes import BLOCK
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.mve import Dots, pack_dots, steps_of
from smidgen.targets.catalogue import Core


class _DenseInt8Mve(Kernel):
    """Symmetric int8 weights, in the blocks of smg_dot_2x4_s8_mve.h."""

    op = Dense
    requires = frozenset({"mve"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, symmetric weights."""
        del op
        return accepts_int8(signature) and not signature.input(1).quant.zero_point


class DenseVectorInt8Mve(_DenseInt8Mve):
    """One row, four outputs at a time."""

    name = "dense_s8_mve"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """As above, and one row."""
        return row_count(signature) == 1 and super().accepts(op, signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in vectors of 16; the input zero point moves into the bias."""
        del core
        assert isinstance(op, Dense)
        dots = _dots(op, signature)
        fields = (("depth", signature.input(1).shape[1]), ("dot", dots.struct))
        return KernelCall(
            self.name,
            "smg_dense_s8_mve.h",
            f"smg_dense_s8_mve{dots.suffix}",
            CStruct("smg_dense_s8_mve_t", fields),
            (InputArg(0), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Ten instructions for each vector of products of four outputs."""
        del op, core
        outputs, products = signature.input(1).shape
        return Cost(ceil(outputs / BLOCK) * (10.0 * steps_of(products) + 35) + 40)


class DenseRowsInt8Mve(_DenseInt8Mve):
    """Any number of rows, as a convolution with one tap: it shares that kernel's code."""

    name = "dense_rows_s8_mve"

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A row becomes a pixel."""
        del core
        assert isinstance(op, Dense)
        zero_point = signature.input(0).quant.zero_point
        return columns_call(
            self.name, Conv2D(), row_shapes(signature), _dots(op, signature), zero_point
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `columns_cost`."""
        del op, core
        return columns_cost(Conv2D(), row_shapes(signature))


def _dots(op: Dense, signature: Signature) -> Dots:
    x, output = signature.input(0), signature.output
    return pack_dots(
        constant(signature, 1),
        bias_or_zeros(signature, signature.input(1).shape[0]),
        multipliers(signature),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
    )


KERNELS: tuple[Kernel, ...] = (DenseVectorInt8Mve(), DenseRowsInt8Mve())
