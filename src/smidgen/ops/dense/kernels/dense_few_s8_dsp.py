"""Int8 fully connected layers with few outputs on Arm cores with the DSP extension."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.dense.kernels.dense_s8 import accepts_int8
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.dense.rows import row_count
from smidgen.ops.kernel import CArray, Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Scaling, fold, general_scaling, scaling
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.targets.catalogue import Core

_BLOCK = 4
# What code that no other layer may use is worth, in instructions.
_OWN_CODE = 100.0


class DenseFewInt8Dsp(Kernel):
    """One row, four outputs at a time, with SMLAD; any depth and any multiplier."""

    name = "dense_few_s8_dsp"
    op = Dense
    requires = frozenset({"dsp", "unaligned"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One row of int8, symmetric weights."""
        del op
        return (
            accepts_int8(signature)
            and row_count(signature) == 1
            and not signature.input(1).quant.zero_point
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by four inputs and four outputs, and a table of scalings."""
        del core
        assert isinstance(op, Dense)
        weights, found = _packed(op, signature)
        outputs, inputs = signature.input(1).shape
        fields = (
            ("inputs", inputs),
            ("outputs", outputs),
            ("in_blocks", _in_blocks(outputs)),
            ("scale", found.struct(clamp_range(op.activation, signature.output))),
            ("weights", CArray(DType.INT32, _blocks(weights), "weights, four inputs a word")),
            ("words", CArray(DType.INT32, found.words, "scaling of each output")),
        )
        return KernelCall(
            self.name,
            "smg_dense_few_s8_dsp.h",
            "smg_dense_few_s8_dsp",
            CStruct("smg_dense_few_s8_dsp_t", fields),
            (InputArg(0), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """1.38 instructions for each product, 2.3 of an output alone, and 25 for each output."""
        del op, core
        outputs, inputs = signature.input(1).shape
        blocks = ceil(_in_blocks(outputs) / _BLOCK)
        alone = max(0, outputs - blocks * _BLOCK)
        return Cost(
            blocks * (5.6 * inputs + 100) + alone * (2.3 * inputs + 25) + _OWN_CODE,
            flash_bytes=(blocks * _BLOCK + alone) * (inputs + 12),
        )


def _in_blocks(outputs: int) -> int:
    """Outputs that are made by fours: the last three too, since one alone takes nearly twice."""
    return outputs - outputs % _BLOCK if outputs % _BLOCK < _BLOCK - 1 else outputs


@lru_cache(maxsize=256)
def _packed(op: Dense, signature: Signature) -> tuple[Array, Scaling]:
    x, output = signature.input(0), signature.output
    table = multipliers(signature)
    bias = bias_or_zeros(signature, signature.input(1).shape[0])
    weights, folded = fold(constant(signature, 1), bias, table, x.quant.zero_point)
    clamp, zero_point = clamp_range(op.activation, output), output.quant.zero_point
    found = scaling(weights, folded, table, zero_point, clamp)
    return weights, found or general_scaling(folded, table, zero_point)


def _blocks(weights: Array) -> Array:
    """Weights [outputs, inputs] as words [outputs / 4, inputs / 4, 4], then those made alone."""
    padded = np.pad(weights, ((0, 0), (0, -weights.shape[1] % _BLOCK)))
    in_blocks = _in_blocks(len(weights))
    block = np.pad(padded[:in_blocks], ((0, -in_blocks % _BLOCK), (0, 0)))
    split = block.reshape(-1, _BLOCK, padded.shape[1] // _BLOCK, _BLOCK).transpose(0, 2, 1, 3)
    joined = np.concatenate([split.reshape(-1), padded[in_blocks:].reshape(-1)])
    return joined.astype(np.int8).view("<i4")


KERNELS: tuple[Kernel, ...] = (DenseFewInt8Dsp(),)
