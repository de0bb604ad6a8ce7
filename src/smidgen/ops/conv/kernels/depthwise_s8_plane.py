"""Int8 depthwise convolution in portable C, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.axes import (
    Axis,
    axes,
    by_channel,
    fitted_lines,
    in_place,
    largest_sum,
    packed_weights,
    right_shifts,
)
from smidgen.ops.conv.fields import accepts_int8
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
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import fold, general_scaling
from smidgen.ops.support.lowering import bias_or_zeros, wrapped_int32
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


@dataclass(frozen=True, slots=True)
class _Plan:
    """The layer as the C sees it: rows are the axis of four outputs at a time."""

    rows: Axis
    cols: Axis
    swapped: bool

    @property
    def column_bytes(self) -> int:
        """A column of the plane, with what the last four outputs read beyond the image."""
        rows = self.rows
        outputs = -(-rows.outputs // 4) * 4
        return (outputs - 1) * rows.stride + (rows.window - 1) * rows.dilation + 1

    @property
    def plane_bytes(self) -> int:
        """The whole plane."""
        return self.column_bytes * self.cols.reach

    @property
    def read_rows(self) -> int:
        """The input rows that are read at all."""
        return self.rows.read(self.column_bytes)

    def instructions(self, multiplier: int, each_tap: float = 11.0) -> float:
        """Estimated for one input channel, given those of a tap of four outputs."""
        blocks = -(-self.rows.outputs // 4) * self.cols.outputs
        each = self.cols.window * (each_tap * self.rows.window + 6.0) + 80.0
        copied = 4.5 * self.rows.size * self.cols.size + 10.0 * self.cols.size
        return copied + multiplier * (blocks * each + 20.0 + 10.0 * self.cols.outputs)


def _plan(op: DepthwiseConv2D, signature: Signature) -> _Plan | None:
    rows, cols = axes(op, signature)
    plans = [
        plan
        for plan in (_Plan(rows, cols, False), _Plan(cols, rows, True))
        if plan.read_rows > 0 and plan.cols.read(plan.cols.reach) > 0
    ]
    multiplier = signature.output.shape[3] // signature.input(0).shape[3]
    return min(plans, key=lambda plan: plan.instructions(multiplier), default=None)


class DepthwiseConv2DInt8Plane(Kernel):
    """Any int8 depthwise convolution whose window meets the image, in portable C."""

    name = "depthwise_s8_plane"
    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, and accumulators that stay below 2**30."""
        assert isinstance(op, DepthwiseConv2D)
        return (
            accepts_int8(signature)
            and _plan(op, signature) is not None
            and largest_sum(signature) < 1 << 30
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by channel, window column, row; zero points move into the bias."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        plan = _plan(op, signature)
        assert plan is not None
        function, constants = _constants(op, plan, signature)
        fields = (*_geometry(plan, signature), *constants)
        return KernelCall(
            self.name,
            "smg_depthwise_s8_plane.h",
            function,
            CStruct("smg_depthwise_s8_plane_t", fields),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=plan.plane_bytes,
            overlaps=in_place(signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """As the plan estimates."""
        assert isinstance(op, DepthwiseConv2D)
        plan = _plan(op, signature)
        assert plan is not None
        channels = signature.input(0).shape[3]
        each_tap = 7.0 if "thumb2" in core.features else 12.0
        each = plan.instructions(signature.output.shape[3] // channels, each_tap)
        return Cost(channels * each, scratch_bytes=plan.plane_bytes)


def _function(plan: _Plan, mode: str) -> str:
    if mode == "any":
        return "smg_depthwise_s8_plane_any"
    form = "3x3_" if (plan.rows.window, plan.cols.window) == (3, 3) else ""
    return f"smg_depthwise_s8_plane_{form}stride{plan.rows.stride}_{mode}"


def _is_general(plan: _Plan, clamp: tuple[int, int]) -> bool:
    return clamp != (-128, 127) or plan.rows.dilation > 1 or plan.rows.stride > 2


def _geometry(plan: _Plan, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    x, output = signature.input(0), signature.output
    steps = (x.shape[2] * x.shape[3], x.shape[3])
    out_steps = (output.shape[2] * output.shape[3], output.shape[3])
    row, col = (1, 0) if plan.swapped else (0, 1)
    rows, cols, column = plan.rows, plan.cols, plan.column_bytes
    return (
        ("channels", x.shape[3]),
        ("multiplier", output.shape[3] // x.shape[3]),
        ("rows", plan.read_rows),
        ("cols", cols.read(cols.reach)),
        ("row_step", steps[row]),
        ("col_step", steps[col]),
        ("out_rows", rows.outputs),
        ("out_cols", cols.outputs),
        ("out_row_step", out_steps[row]),
        ("out_col_step", out_steps[col]),
        ("taps", rows.window),
        ("win_cols", cols.window),
        ("stride_rows", rows.stride),
        ("dilation_rows", rows.dilation),
        ("plane_bytes", plan.plane_bytes),
        ("column_bytes", column),
        ("window_bytes", cols.dilation * column),
        ("output_bytes", cols.stride * column),
        ("first", cols.before * column + rows.before),
    )


def _constants(
    op: DepthwiseConv2D, plan: _Plan, signature: Signature
) -> tuple[str, tuple[tuple[str, CValue], ...]]:
    """The function that knows the layer's scaling, and the fields that say it."""
    x, output = signature.input(0), signature.output
    multipliers = per_channel(x, signature.input(1), output, output.shape[3])
    bias = bias_or_zeros(signature, output.shape[3])
    weights, folded = fold(by_channel(signature), bias, multipliers, x.quant.zero_point)
    clamp = clamp_range(op.activation, output)
    lines = fitted_lines(weights, folded, multipliers, output, clamp)
    shifts = right_shifts(weights, folded, multipliers)
    general = general_scaling(folded, multipliers, output.quant.zero_point)
    if _is_general(plan, clamp) or (lines is None and shifts is None):
        mode, found, words = "any", general, general.words.copy()
    elif lines:
        mode, found, words = "line", lines, lines.words.copy()
    else:
        assert shifts is not None
        mode, found, words = "shift", general, shifts
    # The plane holds x + 128.
    words[:, 0] -= 128 * weights.sum(axis=1) * max(found.scale, 1)
    return _function(plan, mode), (
        ("zero_point", x.quant.zero_point),
        ("out_zero_point", output.quant.zero_point),
        ("scale", found.struct(clamp)),
        ("weights", packed_weights(weights, signature, plan.swapped)),
        ("words", CArray(DType.INT32, wrapped_int32(words), "how sums become outputs")),
    )


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Plane(),)
