"""Kernels along the last axis: wide softmaxes, log-softmax, vectors scaled to length 1."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.core.fixedpoint import multiply
from smidgen.graph.op import Op, Signature
from smidgen.ops.activation.log_softmax import LogSoftmax, reverse_multiplier, summands
from smidgen.ops.activation.normalization import L2Normalize
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.activation.softmax import exp_on_negative, input_multiplier, smallest_difference
from smidgen.ops.activation.softmax16 import difference_multiplier, exp_table, reciprocal_table
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.targets.catalogue import Core

Fields = tuple[tuple[str, CValue], ...]


class RowKernel(Kernel):
    """A C function of rows of `depth` elements; in place where both types are one."""

    header: ClassVar[str]
    types: ClassVar[tuple[DType, DType]]
    """Of input and output."""
    instructions: ClassVar[float]
    """A rough count for one element."""

    @abstractmethod
    def fields(self, op: Op, signature: Signature) -> Fields:
        """The fields of the parameters after `rows` and `depth`."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """By type; integers need a scale."""
        del op
        tensors = (signature.input(0), signature.output)
        if tuple(tensor.dtype for tensor in tensors) != self.types or not tensors[0].shape:
            return False
        return all(t.dtype is DType.FLOAT32 or t.quantization is not None for t in tensors)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """One call on all rows."""
        del core
        x = signature.input(0)
        fields = (
            ("rows", x.elements // max(x.shape[-1], 1)),
            ("depth", x.shape[-1]),
            *self.fields(op, signature),
        )
        same = self.types[0] is self.types[1]
        return KernelCall(
            self.name,
            self.header,
            f"smg_{self.name}",
            CStruct(f"smg_{self.name}_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),) if same else (),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """`instructions` for each element."""
        del op, core
        return Cost(self.instructions * signature.output.elements)


class SoftmaxInt16(RowKernel):
    """Int16 softmax by interpolation."""

    name = "softmax_s16"
    op = Softmax
    header = "smg_softmax_wide.h"
    types = (DType.INT16, DType.INT16)
    instructions = 60.0

    def fields(self, op: Op, signature: Signature) -> Fields:
        """The multiplier of differences and both tables."""
        assert isinstance(op, Softmax)
        factor = difference_multiplier(signature.input(0).quant.scale, op.beta)
        return (
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
            ("exp_table", CArray(DType.INT16, exp_table(), "exp on [-10, 0]")),
            ("reciprocal_table", CArray(DType.INT16, reciprocal_table(), "1 / (1 + x) on [0, 1]")),
        )


class SoftmaxInt8ToInt16(RowKernel):
    """Int8 softmax with int16 output, exp by table."""

    name = "softmax_s8_s16"
    op = Softmax
    header = "smg_softmax_wide.h"
    types = (DType.INT8, DType.INT16)
    instructions = 40.0

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Exp of each difference that two quanta can have."""
        assert isinstance(op, Softmax)
        factor = input_multiplier(signature.input(0).quant.scale, op.beta)
        difference = -np.arange(256, dtype=np.int64)
        counted = difference >= smallest_difference(factor.shift)
        scaled = multiply(np.where(counted, difference, 0), factor.mantissa, factor.shift)
        exps = np.where(counted, exp_on_negative(scaled), 0)
        return (("exps", CArray(DType.INT32, exps, "exp of 0, -1 ... quanta, Q0.31")),)


class SoftmaxFloat(RowKernel):
    """float32 softmax."""

    name = "softmax_f32"
    op = Softmax
    header = "smg_softmax_wide.h"
    types = (DType.FLOAT32, DType.FLOAT32)
    instructions = 100.0

    def fields(self, op: Op, signature: Signature) -> Fields:
        """The factor in the exponent."""
        del signature
        assert isinstance(op, Softmax)
        return (("beta", float(op.beta)),)


class LogSoftmaxInt8(RowKernel):
    """Int8 log-softmax, exp by table."""

    name = "log_softmax_s8"
    op = LogSoftmax
    header = "smg_log_softmax.h"
    types = (DType.INT8, DType.INT8)
    instructions = 40.0

    def fields(self, op: Op, signature: Signature) -> Fields:
        """The multipliers to Q5.26 and back, and the table."""
        del op
        factor = input_multiplier(signature.input(0).quant.scale, 1.0)
        reverse = reverse_multiplier(factor)
        return (
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
            ("reverse_mantissa", reverse.mantissa),
            ("reverse_shift", reverse.shift),
            ("smallest_difference", smallest_difference(factor.shift)),
            ("summands", CArray(DType.INT32, summands(factor), "exp of 0, -1 ... quanta, Q12.19")),
        )


class LogSoftmaxFloat(RowKernel):
    """float32 log-softmax."""

    name = "log_softmax_f32"
    op: ClassVar[type[Op]] = LogSoftmax
    header = "smg_log_softmax.h"
    types = (DType.FLOAT32, DType.FLOAT32)
    instructions = 100.0

    def fields(self, op: Op, signature: Signature) -> Fields:
        """None but the counts."""
        del op, signature
        return ()


class L2NormalizeInt8(RowKernel):
    """Int8 vectors to length 1."""

    name = "l2_normalize_s8"
    op = L2Normalize
    header = "smg_l2_normalize.h"
    types = (DType.INT8, DType.INT8)
    instructions = 30.0

    def fields(self, op: Op, signature: Signature) -> Fields:
        """The input's zero point."""
        del op
        return (("zero_point", signature.input(0).quant.zero_point),)


class L2NormalizeFloat(LogSoftmaxFloat):
    """float32 vectors to length 1."""

    name = "l2_normalize_f32"
    op: ClassVar[type[Op]] = L2Normalize
    header = "smg_l2_normalize.h"
    instructions = 30.0


KERNELS: tuple[Kernel, ...] = (
    SoftmaxInt16(),
    SoftmaxInt8ToInt16(),
    SoftmaxFloat(),
    LogSoftmaxInt8(),
    LogSoftmaxFloat(),
    L2NormalizeInt8(),
    L2NormalizeFloat(),
)
