"""Int8 fully connected layer in portable C."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.dense.ops import Dense, multipliers
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
from smidgen.ops.support.lowering import (
    all_int8,
    bias_or_zeros,
    bias_table,
    constant,
    multiplier_tables,
    weights_are_constant,
)
from smidgen.targets.catalogue import Core


class DenseInt8(Kernel):
    """Any int8 fully connected layer, in portable C."""

    name = "dense_s8"
    op = Dense

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, constant weights with one zero point."""
        del op
        return accepts_int8(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OI); the input zero point moves into the bias."""
        del core
        assert isinstance(op, Dense)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        outputs, depth = weights.shape
        centred = constant(signature, 1) - weights.quant.zero_point
        folded = bias_or_zeros(signature, outputs) - x.quant.zero_point * centred.sum(axis=1)
        low, high = clamp_range(op.activation, output)
        table = multipliers(signature)
        fields: tuple[tuple[str, CValue], ...] = (
            ("rows", x.elements // depth),
            ("depth", depth),
            ("outputs", outputs),
            ("weight_zero_point", weights.quant.zero_point),
            ("out_zero_point", output.quant.zero_point),
            ("low", low),
            ("high", high),
            ("per_channel", int(np.size(table.mantissas) > 1)),
            ("weights", CArray(DType.INT8, weights.values, "weights, OI")),
            ("bias", bias_table(folded)),
            *multiplier_tables(table),
        )
        return KernelCall(
            self.name,
            "smg_dense_s8.h",
            "smg_dense_s8",
            CStruct("smg_dense_s8_t", fields),
            (InputArg(0), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About six instructions for each multiply-accumulate."""
        del core
        weights = signature.input(1)
        return Cost(
            6.0 * op.macs(signature) + 30.0 * signature.output.elements,
            flash_bytes=weights.nbytes + 9 * weights.shape[0],
        )


def accepts_int8(signature: Signature) -> bool:
    """Int8 in and out, constant weights with one zero point."""
    weights = signature.input(1)
    return (
        all_int8(signature.input(0), weights, signature.output)
        and len(set(weights.quant.zero_points)) == 1
        and weights_are_constant(signature)
    )


KERNELS: tuple[Kernel, ...] = (DenseInt8(),)
