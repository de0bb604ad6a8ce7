"""Leaky relu with a slope for each channel."""

from __future__ import annotations

from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.activation.prelu import Prelu, prelu_multipliers
from smidgen.ops.elementwise.lowering import BinaryKernel, Fields, zero_points
from smidgen.ops.kernel import Kernel


class PreluQuanta(BinaryKernel):
    """Int8, or int16; with an int8 slope."""

    name = "prelu"
    op = Prelu
    header = "smg_prelu.h"
    params = "smg_prelu_t"
    dtypes: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.INT16)
    instructions = 30.0

    def stem(self, op: Op) -> str:
        """For int8 and int16."""
        del op
        return "smg_prelu"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Zero points and the multipliers of both sides."""
        del op
        above, below = prelu_multipliers(signature)
        return (
            *zero_points(signature),
            ("above_mantissa", above.mantissa),
            ("above_shift", above.shift),
            ("below_mantissa", below.mantissa),
            ("below_shift", below.shift),
        )

    def accepts(self, op: Op, signature: Signature) -> bool:
        """The slope is int8, and all have scales."""
        tensors = (signature.input(0), signature.input(1), signature.output)
        quantized = all(tensor.quantization is not None for tensor in tensors)
        return quantized and tensors[1].dtype is DType.INT8 and super().accepts(op, signature)


class PreluFloat(BinaryKernel):
    """float32."""

    name = "prelu_f32"
    op = Prelu
    header = "smg_prelu.h"
    params = "smg_prelu_f32_t"
    dtypes = (DType.FLOAT32,)
    instructions = 12.0

    def stem(self, op: Op) -> str:
        """For float32."""
        del op
        return "smg_prelu"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """None but the walk."""
        del op, signature
        return ()

    def accepts(self, op: Op, signature: Signature) -> bool:
        """The slope is float32, too."""
        return signature.input(1).dtype is DType.FLOAT32 and super().accepts(op, signature)


KERNELS: tuple[Kernel, ...] = (PreluQuanta(), PreluFloat())
