"""Int8 fully connected layer on 8-bit AVR."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
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
from smidgen.ops.support.lowering import bias_or_zeros, bias_table, constant, multiplier_tables
from smidgen.targets.catalogue import Core

_MOST_ELEMENTS = 32_767
_PRODUCT_INSTRUCTIONS, _OUTPUT_INSTRUCTIONS = 9.0, 180.0


class DenseInt8Avr(Kernel):
    """Any int8 fully connected layer with symmetric weights that 16-bit indices reach."""

    name = "dense_s8_avr"
    op = Dense
    requires = frozenset({"avr"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, constant symmetric weights, and no more than 32767 elements."""
        del op
        if not accepts_int8(signature) or signature.input(1).quant.zero_point:
            return False
        tensors = (signature.input(0), signature.input(1), signature.output)
        return all(each.elements <= _MOST_ELEMENTS for each in tensors)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OI); the input zero point moves into the bias."""
        del core
        assert isinstance(op, Dense)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        outputs, depth = weights.shape
        sums = constant(signature, 1).sum(axis=1)
        low, high = clamp_range(op.activation, output)
        table = multipliers(signature)
        fields: tuple[tuple[str, CValue], ...] = (
            ("rows", x.elements // depth),
            ("depth", depth),
            ("outputs", outputs),
            ("out_zero_point", output.quant.zero_point),
            ("low", low),
            ("high", high),
            ("per_channel", int(np.size(table.mantissas) > 1)),
            ("weights", CArray(DType.INT8, weights.values, "weights, OI")),
            ("bias", bias_table(bias_or_zeros(signature, outputs) - x.quant.zero_point * sums)),
            *multiplier_tables(table),
        )
        return KernelCall(
            self.name,
            "smg_dense_s8_avr.h",
            "smg_dense_s8_avr",
            CStruct("smg_dense_s8_avr_t", fields),
            (InputArg(0), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Nine instructions for a product, and those of the requantisation."""
        del core
        weights, outputs = signature.input(1), signature.output.elements
        return Cost(
            _PRODUCT_INSTRUCTIONS * op.macs(signature) + _OUTPUT_INSTRUCTIONS * outputs,
            flash_bytes=weights.nbytes + 9 * weights.shape[0],
        )


KERNELS: tuple[Kernel, ...] = (DenseInt8Avr(),)
