"""Batched matrix products of every type, in portable C."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import CArray, Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.ops.matmul.ops import BatchMatMul
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.generic import finish_struct
from smidgen.ops.support.requantize import per_tensor
from smidgen.targets.catalogue import Core

_ARGUMENTS = (InputArg(0), InputArg(1), OutputArg(0))


def _shape(op: BatchMatMul, signature: Signature) -> CStruct:
    a, b, output = signature.input(0), signature.input(1), signature.output
    depth = a.shape[-2] if op.transpose_a else a.shape[-1]
    rows, cols = output.shape[-2:]
    batch = output.shape[:-2]
    return CStruct(
        "smg_matmul_t",
        (
            ("batches", math.prod(batch)),
            ("rows", rows),
            ("depth", depth),
            ("cols", cols),
            ("a_row", 1 if op.transpose_a else depth),
            ("a_step", rows if op.transpose_a else 1),
            ("b_col", depth if op.transpose_b else 1),
            ("b_step", 1 if op.transpose_b else cols),
            ("a_starts", _starts(a, batch)),
            ("b_starts", _starts(b, batch)),
        ),
    )


def _starts(tensor: Tensor, batch: tuple[int, ...]) -> CArray:
    """The element at which the matrix of each batch of the output starts."""
    own = tensor.shape[:-2]
    starts = np.arange(math.prod(own), dtype=np.int64) * math.prod(tensor.shape[-2:])
    spread = np.broadcast_to(starts.reshape(own), batch)
    return CArray(DType.INT32, spread.astype(np.int32), "where the matrix of each batch starts")


class MatMulQuanta(Kernel):
    """Batched product of int8 or int16 matrices."""

    name = "matmul_q"
    op = BatchMatMul

    def accepts(self, op: Op, signature: Signature) -> bool:
        """One integer type and one scale for each operand."""
        del op
        operands = (signature.input(0), signature.input(1), signature.output)
        return all(
            t.dtype is operands[0].dtype and t.quantization is not None and t.quant.axis is None
            for t in operands
        ) and operands[0].dtype in (DType.INT8, DType.INT16)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Starts of the matrices, and the requantisation."""
        del core
        assert isinstance(op, BatchMatMul)
        a, b, output = signature.input(0), signature.input(1), signature.output
        wide = a.dtype is DType.INT16
        finish = finish_struct(signature, per_tensor(a, b, output), Activation.NONE, wide)
        params = CStruct(
            "smg_matmul_q_t",
            (
                ("shape", _shape(op, signature)),
                ("a_zero_point", a.quant.zero_point),
                ("b_zero_point", b.quant.zero_point),
                ("finish", finish),
            ),
        )
        function = f"smg_matmul_q{16 if wide else 8}"
        return KernelCall(self.name, "smg_matmul_q.h", function, params, _ARGUMENTS)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 12 instructions for each multiply-accumulate."""
        del core
        return Cost(12.0 * op.macs(signature) + 40.0 * signature.output.elements)


class MatMulReal(Kernel):
    """Batched product of float matrices."""

    name = "matmul_f32"
    op = BatchMatMul

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Floats only."""
        del op
        operands = (signature.input(0), signature.input(1), signature.output)
        return all(tensor.dtype is DType.FLOAT32 for tensor in operands)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Starts of the matrices."""
        del core
        assert isinstance(op, BatchMatMul)
        shape = _shape(op, signature)
        return KernelCall(self.name, "smg_matmul_f32.h", "smg_matmul_f32", shape, _ARGUMENTS)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 60 instructions for each multiply-accumulate without an FPU, 6 with one."""
        each = 6.0 if "fpu" in core.features else 60.0
        return Cost(each * op.macs(signature) + 40.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (MatMulQuanta(), MatMulReal())
