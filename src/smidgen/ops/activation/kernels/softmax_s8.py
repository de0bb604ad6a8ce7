"""The int8 softmax."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.activation.softmax import (
    exps_of_differences,
    input_multiplier,
    smallest_difference,
)
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.lowering import all_int8
from smidgen.targets.catalogue import Core

_MANY = 100
"""Outputs from which on the table is worth its flash: it then saves 10,000 instructions."""


class SoftmaxInt8(Kernel):
    """Int8 softmax over the last axis, in portable C."""

    name = "softmax_s8"
    op = Softmax

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, with the output quantisation that the specification fixes."""
        del op
        return all_int8(signature.input(0), signature.output)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The input multiplier, which brings differences to Q5.26."""
        del core
        assert isinstance(op, Softmax)
        x = signature.input(0)
        factor = input_multiplier(x.quant.scale, op.beta)
        params = CStruct(
            "smg_softmax_s8_t",
            (
                ("rows", x.elements // x.shape[-1]),
                ("depth", x.shape[-1]),
                ("mantissa", factor.mantissa),
                ("left_shift", factor.shift),
                ("smallest_difference", smallest_difference(factor.shift)),
            ),
        )
        return KernelCall(
            self.name,
            "smg_softmax_s8.h",
            "smg_softmax_s8",
            params,
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=4 * x.shape[-1],
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 130 instructions for each element."""
        del op, core
        return Cost(130.0 * signature.output.elements)


class SoftmaxTableInt8(SoftmaxInt8):
    """The same with the exps of all differences in a table of up to a kilobyte, and no scratch."""

    name = "softmax_table_s8"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """So many outputs that the table is worth its flash."""
        return super().accepts(op, signature) and signature.output.elements >= _MANY

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The table, as long as its entries are not 0."""
        del core
        assert isinstance(op, Softmax)
        x, table = signature.input(0), _table(op, signature)
        params = CStruct(
            "smg_softmax_table_s8_t",
            (
                ("rows", x.elements // x.shape[-1]),
                ("depth", x.shape[-1]),
                ("entries", len(table)),
                ("exps", CArray(DType.INT32, table, "exp of the differences 0, -1, -2, ...")),
            ),
        )
        return KernelCall(
            self.name,
            "smg_softmax_table_s8.h",
            "smg_softmax_table_s8",
            params,
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 35 instructions for each element."""
        del core
        assert isinstance(op, Softmax)
        return Cost(35.0 * signature.output.elements, flash_bytes=4.0 * len(_table(op, signature)))


def _table(op: Softmax, signature: Signature) -> Array:
    """The exps, Q0.31, down to the last that is not 0."""
    exps = exps_of_differences(
        -np.arange(256), input_multiplier(signature.input(0).quant.scale, op.beta)
    )
    return np.trim_zeros(exps, "b").astype(np.int32)


KERNELS: tuple[Kernel, ...] = (SoftmaxInt8(), SoftmaxTableInt8())
