"""LSTM of every type, in portable C."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import Multiplier
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
from smidgen.ops.recurrent.lstm import BIASES, CELL, GATES, HIDDEN, INPUT_WEIGHTS, Lstm
from smidgen.ops.recurrent.lstm import RECURRENT_WEIGHTS as RECURRENT
from smidgen.ops.recurrent.lstm_arithmetic import Factors
from smidgen.ops.support.lowering import constant, wrapped_int32
from smidgen.ops.support.sigmoid16 import SIGMOID_TABLE
from smidgen.targets.catalogue import Core

_ARGUMENTS = (InputArg(0), OutputArg(0), OutputArg(1), OutputArg(2))
_STATES_IN_PLACE = (
    View(("output", 1), ("input", HIDDEN)),
    View(("output", 2), ("input", CELL)),
)
_WEIGHTS = range(INPUT_WEIGHTS, HIDDEN)


def _sizes(op: Lstm, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    first, second, inputs = signature.input(0).shape
    steps, batches = (first, second) if op.time_major else (second, first)
    return (
        ("batches", batches),
        ("steps", steps),
        ("inputs", inputs),
        ("units", signature.output.shape[2]),
        ("batch_stride", 1 if op.time_major else steps),
        ("step_stride", batches if op.time_major else 1),
    )


def _call(name: str, function: str, header: str, params: CStruct) -> KernelCall:
    return KernelCall(name, header, function, params, _ARGUMENTS, views=_STATES_IN_PLACE)


class LstmQuanta(Kernel):
    """LSTM on int8 or int16 with int8 weights and a 16-bit cell state."""

    name = "lstm_q"
    op = Lstm

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Constant int8 weights without zero points, one scale each; states of the right types."""
        del op
        x, hidden, cell = signature.input(0), signature.input(HIDDEN), signature.input(CELL)
        weights = [signature.input(i) for i in range(INPUT_WEIGHTS, BIASES)]
        return (
            x.dtype in (DType.INT8, DType.INT16)
            and hidden.dtype is x.dtype
            and cell.dtype is DType.INT16
            and all(t.quantization is not None for t in (x, hidden, cell, *weights))
            and _is_power_of_two(cell.quant.scale)
            and all(t.dtype is DType.INT8 and len(t.quant.scales) == 1 for t in weights)
            and not any(t.quant.zero_point for t in weights)
            and all(signature.input(i).is_constant for i in _WEIGHTS)
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Zero points move into biases."""
        del core
        assert isinstance(op, Lstm)
        factors = Factors.of(signature, op.cell_clip)
        fields: tuple[tuple[str, CValue], ...] = (
            *_sizes(op, signature),
            ("hidden_zero_point", signature.input(HIDDEN).quant.zero_point),
            ("cell_clip", factors.clip),
            ("tanh_multiplier", factors.tanh_multiplier),
            ("tanh_shift", factors.tanh_shift),
            ("keep", _factor(factors.keep)),
            ("add", _factor(factors.add)),
            ("show", _factor(factors.show)),
            *((gate, _gate(signature, index, factors)) for index, gate in enumerate(GATES)),
            ("sigmoid_table", CArray(DType.UINT16, SIGMOID_TABLE, "sigmoid(i / 24), Q0.16")),
        )
        bits = 16 if signature.input(0).dtype is DType.INT16 else 8
        params = CStruct("smg_lstm_q_t", fields)
        return _call(self.name, f"smg_lstm_q{bits}", "smg_lstm_q.h", params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 8 instructions for each multiply-accumulate."""
        del core
        return Cost(8.0 * op.macs(signature) + 400.0 * signature.output.elements)


def _is_power_of_two(scale: float) -> bool:
    """Whether the tanh of such a cell state is one shift, and one that 32 bits hold."""
    power = math.log2(scale)
    return abs(power - round(power)) < 1e-3 and -24 <= round(power) <= 0


def _factor(factor: Multiplier) -> CStruct:
    return CStruct("smg_factor_t", (("mantissa", factor.mantissa), ("shift", factor.shift)))


def _gate(signature: Signature, gate: int, factors: Factors) -> CStruct:
    weights, back = (signature.input(first + gate) for first in (INPUT_WEIGHTS, RECURRENT))
    bias = constant(signature, BIASES + gate)
    x, hidden = signature.input(0), signature.input(HIDDEN)
    is_wide = x.dtype is DType.INT16
    folded = bias - x.quant.zero_point * constant(signature, INPUT_WEIGHTS + gate).sum(axis=1)
    from_state = -hidden.quant.zero_point * constant(signature, RECURRENT + gate).sum(axis=1)
    name = GATES[gate]
    fields: tuple[tuple[str, CValue], ...] = (
        ("weights", CArray(DType.INT8, weights.values, f"{name} gate, weights")),
        ("recurrent", CArray(DType.INT8, back.values, f"{name} gate, recurrent weights")),
        ("bias", None if is_wide else _bias(folded, f"{name} gate, bias")),
        ("back_bias", None if is_wide else _bias(from_state, f"{name} gate, recurrent bias")),
        ("wide_bias", CArray(DType.INT64, bias, f"{name} gate, bias") if is_wide else None),
        ("fed", _factor(factors.inputs[gate])),
        ("back", _factor(factors.recurrent[gate])),
    )
    return CStruct("smg_lstm_gate_t", fields)


def _bias(values: Array, comment: str) -> CArray:
    return CArray(DType.INT32, wrapped_int32(np.asarray(values, np.int64)), comment)


class LstmReal(Kernel):
    """Float LSTM."""

    name = "lstm_f32"
    op = Lstm

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Floats only, with constant weights."""
        del op
        return all(
            tensor is not None and tensor.dtype is DType.FLOAT32 for tensor in signature.inputs
        ) and all(signature.input(i).is_constant for i in _WEIGHTS)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are."""
        del core
        assert isinstance(op, Lstm)
        gates = (
            (gate, CStruct("smg_lstm_f32_gate_t", _real_gate(signature, index)))
            for index, gate in enumerate(GATES)
        )
        clip = ("cell_clip", float(op.cell_clip))
        params = CStruct("smg_lstm_f32_t", (*_sizes(op, signature), clip, *gates))
        return _call(self.name, "smg_lstm_f32", "smg_lstm_f32.h", params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 60 instructions for each multiply-accumulate without an FPU, 6 with one."""
        each = 6.0 if "fpu" in core.features else 60.0
        return Cost(each * op.macs(signature) + 400.0 * signature.output.elements)


def _real_gate(signature: Signature, gate: int) -> tuple[tuple[str, CValue], ...]:
    places = (("weights", INPUT_WEIGHTS), ("recurrent", RECURRENT), ("bias", BIASES))
    return tuple(
        (name, CArray(DType.FLOAT32, signature.input(first + gate).values, f"{GATES[gate]} gate"))
        for name, first in places
    )


KERNELS: tuple[Kernel, ...] = (LstmQuanta(), LstmReal())
