"""What the kernels of two operands share: the walk, the choice by type, in-place operation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.plain import float_limits, int32_limits
from smidgen.ops.kernel import Cost, CStruct, CValue, InputArg, Kernel, KernelCall, OutputArg
from smidgen.ops.support.activation import Activation, clamp_range
from smidgen.ops.support.broadcast import MAX_WALK_RANK, elementwise_overlaps, walk_of
from smidgen.targets.catalogue import Core

SUFFIXES: Mapping[DType, str] = {
    DType.BOOL: "bool",
    DType.INT8: "s8",
    DType.UINT8: "u8",
    DType.INT16: "s16",
    DType.UINT16: "u16",
    DType.INT32: "s32",
    DType.UINT32: "u32",
    DType.INT64: "s64",
    DType.UINT64: "u64",
    DType.FLOAT32: "f32",
}
Fields = tuple[tuple[str, CValue], ...]


class BinaryKernel(Kernel):
    """A C function of a `smg_walk_t` and further fields, for each type of the operands."""

    header: ClassVar[str]
    params: ClassVar[str]
    dtypes: ClassVar[tuple[DType, ...]]
    instructions: ClassVar[float]
    """A rough count for one element."""

    @abstractmethod
    def stem(self, op: Op) -> str:
        """The C function without the suffix for its type."""

    @abstractmethod
    def fields(self, op: Op, signature: Signature) -> Fields:
        """The fields of the parameters after the walk."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """By the type of the operands, and at most MAX_WALK_RANK axes once merged."""
        del op
        walk = walk_of(signature.input(0).shape, signature.input(1).shape, signature.output.shape)
        return signature.input(0).dtype in self.dtypes and len(walk.extents) <= MAX_WALK_RANK

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """One call on both operands; each may be overwritten where it is as large as the output."""
        del core
        a, b = signature.input(0), signature.input(1)
        walk = walk_of(a.shape, b.shape, signature.output.shape)
        fields = (("walk", walk.struct()), *self.fields(op, signature))
        return KernelCall(
            self.name,
            self.header,
            f"{self.stem(op)}_{SUFFIXES[a.dtype]}",
            CStruct(self.params, fields),
            (InputArg(0), InputArg(1), OutputArg(0)),
            overlaps=elementwise_overlaps(signature, 2),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """`instructions` for each element."""
        del op, core
        return Cost(self.instructions * signature.output.elements)


class QuantizedKernel(BinaryKernel):
    """A binary kernel on quanta of 8 or 16 bits."""

    dtypes: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.INT16)

    def accepts(self, op: Op, signature: Signature) -> bool:
        """As any binary kernel, and both operands have a scale."""
        tensors = (signature.input(0), signature.input(1))
        quantized = all(tensor.quantization is not None for tensor in tensors)
        return quantized and super().accepts(op, signature)


def zero_points(signature: Signature) -> Fields:
    """The zero points of the operands and the output."""
    return (
        ("a_zero_point", signature.input(0).quant.zero_point),
        ("b_zero_point", signature.input(1).quant.zero_point),
        ("out_zero_point", signature.output.quant.zero_point),
    )


def clamp_fields(activation: Activation, signature: Signature) -> Fields:
    """`low` and `high` in the terms of the output."""
    low: CValue
    high: CValue
    if signature.output.dtype is DType.FLOAT32:
        low, high = float_limits(activation)
    elif signature.output.dtype is DType.INT32:
        low, high = int32_limits(activation)
    else:
        low, high = clamp_range(activation, signature.output)
    return (("low", low), ("high", high))
