"""Int8 depthwise convolution for Arm cores with the DSP extension."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, output_fields
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    ScratchArg,
)
from smidgen.ops.support.lowering import bias_or_zeros, constant, multiplier_tables, wrapped_int32
from smidgen.ops.support.requantize import Multipliers, accumulator_bound, per_channel
from smidgen.targets.catalogue import Core

_MOST_SHIFT = 22
"""Up to here rounding and output zero point have room above the shifted product."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of the image, and the window along it."""

    size: int
    window: int
    stride: int
    dilation: int
    before: int
    outputs: int

    @property
    def reach(self) -> int:
        """Padded positions from the first to the last that any output reads."""
        return (self.outputs - 1) * self.stride + (self.window - 1) * self.dilation + 1

    def read(self, room: int) -> int:
        """The input positions that are read at all, given room for `room` padded ones."""
        return min(self.size, room - self.before)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The layer as the C sees it: rows are the axis of tap pairs and of four outputs at a time."""

    rows: _Axis
    cols: _Axis
    swapped: bool

    @property
    def steps(self) -> int:
        """Pairs of taps down a column of the window; stride 1 has them at two phases.

        The loop for stride 2 takes two at a time.
        """
        if self.rows.stride == 1:
            return self.rows.window // 2 + 1
        return -(-self.rows.window // 4) * 2

    @property
    def plane_pairs(self) -> int:
        """Pairs in a column of a plane, with what the last four outputs read beyond the image."""
        pairs_apart = self.rows.stride  # two outputs are stride pairs apart, four twice that
        blocks = -(-self.rows.outputs // 4)
        return 2 * pairs_apart * blocks + self.steps - (0 if self.rows.stride == 1 else 1)

    @property
    def plane_words(self) -> int:
        """Words of one plane."""
        return self.plane_pairs * self.cols.reach

    @property
    def weight_words(self) -> int:
        """Words of one channel's expanded weights, and of what scales its sums."""
        return 4 + self.cols.window * self.steps * (2 if self.rows.stride == 1 else 1)

    def instructions(self, multiplier: int) -> float:
        """Estimated for one input channel."""
        blocks = -(-self.rows.outputs // 4) * self.cols.outputs
        each = self.cols.window * (7.5 * self.steps + 4.0) + 36.0
        copied = 2.2 * self.rows.size * self.cols.size + 10.0 * self.cols.size
        weights = 4.0 * self.rows.window * self.cols.window + 40.0 + 8.0 * self.cols.outputs
        return copied + multiplier * (blocks * each + weights)


def _plan(op: DepthwiseConv2D, signature: Signature) -> _Plan | None:
    """The cheaper orientation of those that the kernel serves, if any."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    before = (op.padding.top, op.padding.left)
    rows, cols = (
        _Axis(
            x.shape[k + 1],
            weights.shape[k + 1],
            op.stride[k],
            op.dilation[k],
            before[k],
            output.shape[k + 1],
        )
        for k in range(2)
    )
    plans = [plan for plan in (_Plan(rows, cols, False), _Plan(cols, rows, True)) if _serves(plan)]
    return min(plans, key=lambda plan: plan.instructions(output.shape[3] // x.shape[3]), default=None)


def _serves(plan: _Plan) -> bool:
    rows, cols = plan.rows, plan.cols
    return (
        rows.stride in (1, 2)
        and (rows.dilation == 1 or rows.window == 1)
        and rows.read(2 * plan.plane_pairs) > 0
        and cols.read(cols.reach) > 0
    )


class DepthwiseConv2DInt8Dsp(Kernel):
    """Int8 depthwise convolution with SMLAD; stride 1 or 2, undilated, along one axis at least."""

    name = "depthwise_s8_dsp"
    op = DepthwiseConv2D
    requires = frozenset({"dsp", "unaligned"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, and accumulators that stay below 2**30."""
        assert isinstance(op, DepthwiseConv2D)
        return (
            accepts_int8(signature)
            and _plan(op, signature) is not None
            and _bound(signature) < 1 << 30
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by channel, window column, row; the input zero point moves into the bias."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        plan = _plan(op, signature)
        assert plan is not None
        planes = _planes(plan, signature)
        multipliers, simple = _simplified(signature)
        fields = (
            *_geometry(plan, signature),
            ("planes", planes),
            ("plane_cols", plan.cols.reach),
            ("plane_pairs", plan.plane_pairs),
            ("steps", plan.steps),
            *output_fields(op, signature),
            *_tables(plan, signature),
            *multiplier_tables(multipliers),
        )
        full_range = dict(fields)["low"] == -128 and dict(fields)["high"] == 127
        return KernelCall(
            self.name,
            "smg_depthwise_s8_dsp.h",
            _function(plan, simple and full_range),
            CStruct("smg_depthwise_s8_dsp_t", fields),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=4 * (planes * plan.plane_words + plan.weight_words),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """As the plan estimates."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        plan = _plan(op, signature)
        assert plan is not None
        channels = signature.input(0).shape[3]
        each = plan.instructions(signature.output.shape[3] // channels)
        scratch = 4 * (_planes(plan, signature) * plan.plane_words + plan.weight_words)
        return Cost(channels * each, scratch_bytes=scratch)


def _planes(plan: _Plan, signature: Signature) -> int:
    """Four channels are copied at once unless that takes more scratch than working in place saves."""
    channels = signature.input(0).shape[3]
    room = max(signature.output.nbytes, 2048)
    return 4 if channels % 4 == 0 and 16 * plan.plane_words <= room else 1


def _function(plan: _Plan, simple: bool) -> str:
    stride = plan.rows.stride
    if not simple:
        return f"smg_depthwise_s8_dsp_any_stride{stride}"
    if (plan.rows.window, plan.cols.window) == (3, 3):
        return "smg_depthwise_s8_dsp_3x3" + ("_stride2" if stride == 2 else "")
    return f"smg_depthwise_s8_dsp_stride{stride}"


def _geometry(plan: _Plan, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    x, output = signature.input(0), signature.output
    steps = (x.shape[2] * x.shape[3], x.shape[3])
    out_steps = (output.shape[2] * output.shape[3], output.shape[3])
    row, col = (1, 0) if plan.swapped else (0, 1)
    rows, cols = plan.rows, plan.cols
    return (
        ("channels", x.shape[3]),
        ("multiplier", output.shape[3] // x.shape[3]),
        ("rows", rows.read(2 * plan.plane_pairs)),
        ("cols", cols.read(cols.reach)),
        ("row_step", steps[row]),
        ("col_step", steps[col]),
        ("out_rows", rows.outputs),
        ("out_cols", cols.outputs),
        ("out_row_step", out_steps[row]),
        ("out_col_step", out_steps[col]),
        ("win_rows", rows.window),
        ("win_cols", cols.window),
        ("stride_rows", rows.stride),
        ("stride_cols", cols.stride),
        ("dilation_cols", cols.dilation),
        ("top", rows.before),
        ("left", cols.before),
    )


def _tables(plan: _Plan, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    weights = constant(signature, 1)[0]
    packed = np.transpose(weights, (2, 0, 1) if plan.swapped else (2, 1, 0))
    doubled = wrapped_int32(2 * _folded_bias(signature))
    return (
        ("weights", CArray(DType.INT8, packed, "weights, by channel, window column, row")),
        ("bias", CArray(DType.INT32, doubled, "bias, input zero point folded in, doubled")),
    )


def _folded_bias(signature: Signature) -> Array:
    weights = constant(signature, 1)[0]
    bias = bias_or_zeros(signature, weights.shape[2])
    return bias - signature.input(0).quant.zero_point * weights.sum(axis=(0, 1))


def _bound(signature: Signature) -> int:
    """The largest magnitude of any accumulator."""
    zero_point = signature.input(0).quant.zero_point
    weights = constant(signature, 1)[0]
    return accumulator_bound(
        np.moveaxis(weights, 2, 0),
        bias_or_zeros(signature, weights.shape[2]),
        max(127 - zero_point, zero_point + 128),
    )


def _simplified(signature: Signature) -> tuple[Multipliers, bool]:
    """The multipliers, and whether all are right shifts of 1 to 22.

    A channel with a longer shift is always 0 where the product cannot reach half of 2**shift; then
    a mantissa of 0 with the shift 1 says the same.
    """
    x, weights, output = signature.input(0), signature.input(1), signature.output
    table = per_channel(x, weights, output, output.shape[3])
    bound = _bound(signature) + 1
    vanishes = (table.shifts < -_MOST_SHIFT) & (bound < 1 << (_MOST_SHIFT - 1))
    mantissas = np.where(vanishes, 0, table.mantissas)
    shifts = np.where(vanishes | (table.mantissas == 0), -1, table.shifts)
    simple = bool(np.all((shifts <= -1) & (shifts >= -_MOST_SHIFT)))
    return Multipliers(mantissas, shifts), simple


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Dsp(),)
