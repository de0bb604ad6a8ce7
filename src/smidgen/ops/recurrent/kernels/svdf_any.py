"""SVDF of every type, in portable C."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    View,
)
from smidgen.ops.recurrent.svdf import Svdf, feature_multiplier, time_multiplier
from smidgen.ops.support.lowering import wrapped_int32
from smidgen.targets.catalogue import Core

_ARGUMENTS = (InputArg(0), InputArg(1), InputArg(2), OutputArg(0), OutputArg(1))
_STATE_IN_PLACE = (View(("output", 1), ("input", 4)),)


def _sizes(op: Svdf, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    batches, inputs = signature.input(0).shape
    filters, memory = signature.input(2).shape
    return (
        ("batches", batches),
        ("inputs", inputs),
        ("units", filters // op.rank),
        ("rank", op.rank),
        ("memory", memory),
    )


def _call(name: str, function: str, header: str, params: CStruct) -> KernelCall:
    return KernelCall(name, header, function, params, _ARGUMENTS, views=_STATE_IN_PLACE)


class SvdfQuanta(Kernel):
    """Int8 SVDF with a state of int8 or int16."""

    name = "svdf_q"
    op = Svdf

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out; feature and time weights without zero points; a constant bias."""
        del op
        x, features, time, state = (signature.input(i) for i in (0, 1, 2, 4))
        tensors, bias = (x, features, time, state, signature.output), signature.optional(3)
        return (
            all(tensor.quantization is not None for tensor in tensors)
            and x.dtype is features.dtype is signature.output.dtype is DType.INT8
            and time.dtype is state.dtype
            and state.dtype in (DType.INT8, DType.INT16)
            and not any((*features.quant.zero_points, *time.quant.zero_points))
            and (bias is None or (bias.is_constant and bias.dtype is DType.INT32))
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are, as arguments."""
        del core
        assert isinstance(op, Svdf)
        state, fed = signature.input(4), feature_multiplier(signature)
        low, high = state.dtype.range
        params = CStruct(
            "smg_svdf_q_t",
            (
                *_sizes(op, signature),
                ("zero_point", signature.input(0).quant.zero_point),
                ("state_zero_point", state.quant.zero_point),
                ("state_low", low),
                ("state_high", high),
                ("state_mantissa", fed.mantissa),
                ("state_shift", fed.shift),
                ("finish", _finish(signature)),
            ),
        )
        function = "smg_svdf_q16" if state.dtype is DType.INT16 else "smg_svdf_q8"
        return _call(self.name, function, "smg_svdf_q.h", params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 10 instructions for each weight."""
        del core
        return Cost(10.0 * op.macs(signature) + 60.0 * signature.output.elements)


def _finish(signature: Signature) -> CStruct:
    output, bias, factor = signature.output, signature.optional(3), time_multiplier(signature)
    low, high = output.dtype.range
    table = None
    if bias is not None:
        table = CArray(DType.INT32, wrapped_int32(bias.values.astype(np.int64)), "bias")
    fields: tuple[tuple[str, CValue], ...] = (
        ("per_channel", 0),
        ("zero_point", output.quant.zero_point),
        ("low", low),
        ("high", high),
        ("bias", table),
        ("wide_bias", None),
        ("mantissas", CArray(DType.INT32, np.array([factor.mantissa]))),
        ("shifts", CArray(DType.INT8, np.array([factor.shift]))),
    )
    return CStruct("smg_finish_t", fields)


class SvdfReal(Kernel):
    """Float SVDF."""

    name = "svdf_f32"
    op = Svdf

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Floats only, and a constant bias."""
        del op
        tensors = [tensor for tensor in signature.inputs if tensor is not None]
        bias = signature.optional(3)
        return all(tensor.dtype is DType.FLOAT32 for tensor in tensors) and (
            bias is None or bias.is_constant
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are, as arguments."""
        del core
        assert isinstance(op, Svdf)
        low, high = op.activation.value
        bias = signature.optional(3)
        fields: tuple[tuple[str, CValue], ...] = (
            ("low", float(low)),
            ("high", float(high)),
            ("per_channel", 0),
            ("weight_zero_point", 0),
            ("scales", None),
            ("bias", None if bias is None else CArray(DType.FLOAT32, bias.values, "bias")),
        )
        finish = CStruct("smg_real_t", fields)
        params = CStruct("smg_svdf_f32_t", (*_sizes(op, signature), ("finish", finish)))
        return _call(self.name, "smg_svdf_f32", "smg_svdf_f32.h", params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 60 instructions for each weight without an FPU, 6 with one."""
        each = 6.0 if "fpu" in core.features else 60.0
        return Cost(each * op.macs(signature) + 60.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (SvdfQuanta(), SvdfReal())
