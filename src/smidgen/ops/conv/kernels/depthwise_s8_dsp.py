"""Int8 depthwise convolution for Arm cores with the DSP extension."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.axes import (
    OUTPUTS_FROM_0,
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
from smidgen.ops.conv.kernels.conv2d_s8_wide_dsp import Conv2DInt8WideDsp
from smidgen.ops.conv.one_channel import as_convolution
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
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Scaling, fold
from smidgen.ops.support.lowering import bias_or_zeros, wrapped_int32
from smidgen.ops.support.overlap import forward_distance
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core

PLANE_SHIFT = 8
"""Planes of layers that are scaled as lines hold the inputs times 2**8."""
LEAST_BAND_BYTES = 512
"""Smaller planes save too little to be worth the time that bands take."""
_WORTH_OVERLAP = 1.1
"""How much longer a layer may take if its tiles go down the image: they let the output lie over
what is no longer needed."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The layer as the C sees it: rows are the axis of tap pairs and of four outputs at a time."""

    rows: Axis
    cols: Axis
    swapped: bool
    tile_cols: int
    """Columns of outputs that share a plane: all of them, or fewer where scratch is dear."""
    bands: bool = False
    """Whether the tiles are bands, which keep what they share: each channel stays in place."""

    @property
    def form(self) -> str:
        """What the C calls windows of this shape."""
        window = (self.rows.window, self.cols.window)
        return "3x3" if window == (3, 3) else "column" if window[1] == 1 else "window"

    @property
    def plane_cols(self) -> int:
        """Columns of a plane."""
        return replace(self.cols, outputs=self.tile_cols).reach

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
    def read_rows(self) -> int:
        """The input rows that are read at all."""
        return self.rows.read(2 * self.plane_pairs)

    @property
    def plane_words(self) -> int:
        """Words of one plane."""
        return self.plane_pairs * self.plane_cols

    @property
    def weight_words(self) -> int:
        """Words of one channel's expanded weights, and of what scales its sums."""
        pairs = self.steps * (2 if self.rows.stride == 1 else 1)
        return 4 + self.cols.window * pairs + 2

    def instructions(self, multiplier: int) -> float:
        """Estimated for one input channel."""
        blocks = -(-self.rows.outputs // 4) * self.cols.outputs
        each = self.cols.window * (7.5 * self.steps + 4.0) + 36.0
        copied = 2.2 * self.rows.size * self.cols.size + 10.0 * self.cols.size
        weights = 4.0 * self.rows.window * self.cols.window + 40.0 + 8.0 * self.cols.outputs
        return copied + multiplier * (blocks * each + weights)


def _plan(op: DepthwiseConv2D, signature: Signature) -> _Plan | None:
    """The cheaper orientation of those that the kernel serves, if any."""
    plans = _plans(op, signature)
    multiplier = signature.output.shape[3] // signature.input(0).shape[3]
    upright = 1.0 if in_place(signature) else _WORTH_OVERLAP
    dear = {True: 1.0, False: upright}
    best = min(
        plans, key=lambda plan: plan.instructions(multiplier) * dear[plan.swapped], default=None
    )
    return best and _tiled(best, signature)


def _plans(op: DepthwiseConv2D, signature: Signature) -> list[_Plan]:
    """Both orientations, of which the kernel serves both, one or none."""
    rows, cols = axes(op, signature)
    both = (_Plan(rows, cols, False, cols.outputs), _Plan(cols, rows, True, rows.outputs))
    return [plan for plan in both if _serves(plan)]


def _tiled(plan: _Plan, signature: Signature) -> _Plan:
    """With tiles that need little scratch, where the output cannot lie over the input channel by
    channel.
    """
    if plan.form != "window" or in_place(signature):
        return plan
    room = max((signature.input(0).nbytes + signature.output.nbytes) // 4, 512)
    return _fitted(plan, room)


def _in_bands(op: DepthwiseConv2D, quick: _Plan, signature: Signature) -> _Plan | None:
    """The layer in place with a third of the scratch, if no band is written over the next one."""
    if not in_place(signature):
        return None
    room = max(4 * quick.plane_words // 3, LEAST_BAND_BYTES)
    down = [each for each in _plans(op, signature) if each.swapped and each.form != "column"]
    planes = _most_planes(signature)
    bands = [_fitted(replace(each, bands=True), room // planes) for each in down]
    safe = [each for each in bands if _is_safe_in_place(each, signature)]
    return next((each for each in safe if 2 * planes * each.plane_words < quick.plane_words), None)


def _is_safe_in_place(plan: _Plan, signature: Signature) -> bool:
    """Whether each band is written below the inputs that the bands after it copy.

    They share a channel, so that bytes and pixels compare alike.
    """
    x, output = signature.input(0), signature.output
    copied = np.arange(0, plan.cols.outputs, plan.tile_cols) * plan.cols.stride - plan.cols.before
    unread = np.clip(copied + plan.plane_cols, 0, plan.cols.size)
    beyond = 2 * (x.nbytes + output.nbytes)
    first = np.where(unread < plan.cols.size, unread * (x.nbytes // plan.cols.size), beyond)
    distance = forward_distance(first, plan.tile_cols * (output.nbytes // plan.cols.outputs))
    shared = plan.plane_cols - plan.tile_cols * plan.cols.stride
    return distance >= 0 and shared >= 0 and plan.plane_cols >= plan.cols.before


def _fitted(plan: _Plan, room: int) -> _Plan:
    """With the largest tiles whose plane needs at most `room` bytes, or the smallest."""
    sizes = [plan.tile_cols, *(s for s in range(plan.tile_cols - 1, 0, -1) if s % 2 == 0)]
    plans = [replace(plan, tile_cols=size) for size in sizes]
    return next((each for each in plans if 4 * each.plane_words <= room), plans[-1])


def _ahead(plan: _Plan, signature: Signature, later: int) -> int:
    """How far the output may start after the input, in bytes, for tiles down the image.

    When a tile is written, the inputs of the tile `later` after it, and those after that, are yet
    to be read.
    """
    x, output = signature.input(0), signature.output
    starts = np.arange(0, plan.cols.outputs, plan.tile_cols) + later * plan.tile_cols
    first = np.clip(starts * plan.cols.stride - plan.cols.before, 0, plan.cols.size)
    beyond = 2 * (x.nbytes + output.nbytes)
    unread = np.where(starts < plan.cols.outputs, first * (x.nbytes // plan.cols.size), beyond)
    return forward_distance(unread, plan.tile_cols * (output.nbytes // plan.cols.outputs))


def _serves(plan: _Plan) -> bool:
    rows, cols = plan.rows, plan.cols
    return (
        rows.stride in (1, 2)
        and (rows.dilation == 1 or rows.window == 1)
        and plan.read_rows > 0
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
            and largest_sum(signature) < 1 << 30
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by channel, window column, row; the input zero point moves into the bias."""
        assert isinstance(op, DepthwiseConv2D)
        plan = _plan(op, signature)
        assert plan is not None
        bands = _in_bands(op, plan, signature)
        planes = _most_planes(signature) if bands else _planes(plan, signature)
        quick = self._call(op, plan, planes, signature)
        if bands is not None:
            return replace(quick, frugal=self._call(op, bands, planes, signature))
        return replace(quick, frugal=self._without_planes(op, signature, core))

    def _without_planes(
        self, op: DepthwiseConv2D, signature: Signature, core: Core
    ) -> KernelCall | None:
        """A layer over one channel as the convolution that it is, if that has a kernel."""
        if signature.input(0).shape[3] != 1:
            return None
        convolution = as_convolution(op, signature)
        kernel = Conv2DInt8WideDsp()
        return kernel.lower(*convolution, core) if kernel.accepts(*convolution) else None

    def _call(
        self, op: DepthwiseConv2D, plan: _Plan, planes: int, signature: Signature
    ) -> KernelCall:
        mode, constants = _constants(op, plan, signature)
        fields = (
            *_geometry(plan, planes, signature),
            *_tile_fields(plan, mode),
            *constants,
        )
        return KernelCall(
            self.name,
            "smg_depthwise_s8_dsp.h",
            _function(plan, mode),
            CStruct("smg_depthwise_s8_dsp_t", fields),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=_scratch_bytes(plan, planes),
            overlaps=in_place(signature) or _over_read(plan, planes, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """As the plan estimates."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        plan = _plan(op, signature)
        assert plan is not None
        channels = signature.input(0).shape[3]
        each = plan.instructions(signature.output.shape[3] // channels)
        scratch_bytes = _scratch_bytes(plan, _planes(plan, signature))
        return Cost(channels * each, scratch_bytes=scratch_bytes)


def _over_read(plan: _Plan, planes: int, signature: Signature) -> tuple[Overlap, ...]:
    """Over what the tiles down the image no longer need, if there are any tiles."""
    if not plan.swapped or plan.form != "window":
        return ()
    copied = planes >= signature.input(0).shape[3]
    return (Overlap(0, 0, ahead=_ahead(plan, signature, 1 if copied else 0)),)


def _most_planes(signature: Signature) -> int:
    """Two channels are copied at once, if there are two."""
    return min(2, signature.input(0).shape[3])


def _planes(plan: _Plan, signature: Signature) -> int:
    """The same, unless it needs too much scratch for what it gains."""
    room = max(signature.input(0).nbytes // 8, 512)
    return _most_planes(signature) if 8 * plan.plane_words <= room else 1


def _scratch_bytes(plan: _Plan, planes: int) -> int:
    """Planes, and weights: bands keep those of all channels that they copy at once."""
    return 4 * (planes * plan.plane_words + (planes if plan.bands else 1) * plan.weight_words)


def _function(plan: _Plan, mode: str) -> str:
    form = plan.form if mode != "any" else "window"
    if plan.bands:
        form += "_bands"
    return f"smg_depthwise_s8_dsp_{form}_stride{plan.rows.stride}_{mode}"


def _geometry(plan: _Plan, planes: int, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    x, output = signature.input(0), signature.output
    return (
        ("channels", x.shape[3]),
        ("multiplier", output.shape[3] // x.shape[3]),
        ("copy", _copy(plan, x.shape)),
        ("walk", _walk(plan, output.shape)),
        ("taps", plan.rows.window),
        ("win_cols", plan.cols.window),
        ("steps", plan.steps),
        ("planes", planes),
        ("weight_words", plan.weight_words),
    )


def _steps(plan: _Plan, shape: tuple[int, ...]) -> tuple[int, int]:
    """Bytes from one pixel to the next down a column and along a row of the plan."""
    steps = (shape[2] * shape[3], shape[3])
    return (steps[1], steps[0]) if plan.swapped else steps


def _copy(plan: _Plan, shape: tuple[int, ...]) -> CStruct:
    """What goes to planes, and how."""
    row_step, col_step = _steps(plan, shape)
    lead = plan.rows.before % 2
    fields = (
        ("cols", plan.cols.read(plan.cols.reach)),
        ("row_step", row_step),
        ("col_step", col_step),
        ("lead", lead),
        ("pairs", (plan.read_rows - lead) // 2),
        ("trail", (plan.read_rows - lead) % 2),
        ("column_words", plan.plane_pairs),
        ("plane_words", plan.plane_words),
    )
    return CStruct("smg_planes_t", fields)


def _walk(plan: _Plan, shape: tuple[int, ...]) -> CStruct:
    """The outputs of a channel."""
    row_step, col_step = _steps(plan, shape)
    fields = (
        ("row_step", row_step),
        ("window_bytes", 4 * plan.cols.dilation * plan.plane_pairs),
        ("rows", plan.rows.outputs),
        ("cols", plan.cols.outputs),
        ("col_step", col_step),
        ("output_bytes", 4 * plan.cols.stride * plan.plane_pairs),
    )
    return CStruct("smg_depthwise_walk_t", fields)


def _tile_fields(plan: _Plan, mode: str) -> tuple[tuple[str, CValue], ...]:
    """Where the first input goes: the C adds the padding on the left where there may be tiles."""
    whole = not plan.bands and plan.form != "window" and mode != "any"
    skipped = 2 * plan.cols.before * plan.plane_pairs if whole else 0
    return (
        ("first", plan.rows.before + skipped),
        ("tile_cols", plan.tile_cols),
        ("tile_in_cols", plan.plane_cols),
        ("tile_step", plan.tile_cols * plan.cols.stride),
        ("left", plan.cols.before),
    )


def _constants(
    op: DepthwiseConv2D, plan: _Plan, signature: Signature
) -> tuple[str, tuple[tuple[str, CValue], ...]]:
    """How sums become outputs ("line", "shift" or "any"), and the fields that say it."""
    x, output = signature.input(0), signature.output
    multipliers = per_channel(x, signature.input(1), output, output.shape[3])
    bias = bias_or_zeros(signature, output.shape[3])
    weights, folded = fold(by_channel(signature), bias, multipliers, x.quant.zero_point)
    clamp = clamp_range(op.activation, output)
    lines = _lines(weights, fitted_lines(weights, folded, multipliers, output, clamp, PLANE_SHIFT))
    shifts = right_shifts(weights, folded, multipliers)
    if clamp != (-128, 127) or (lines is None and shifts is None):
        mode, table = "any", np.stack([2 * folded, multipliers.mantissas, multipliers.shifts], 1)
    elif lines:
        mode, table = "line", lines.words
    else:
        assert shifts is not None
        mode, table = "shift", shifts * np.array([2, 1, 1])
    is_line = mode == "line" and lines is not None
    return mode, (
        ("padding", x.quant.zero_point << (PLANE_SHIFT if is_line else 0)),
        ("scale", lines.scale >> PLANE_SHIFT if is_line and lines else 2),
        ("addend", lines.addend - OUTPUTS_FROM_0 if is_line and lines else 0),
        ("out_zero_point", output.quant.zero_point),
        ("low", clamp[0]),
        ("high", clamp[1]),
        ("weights", packed_weights(weights, signature, plan.swapped)),
        ("bias", CArray(DType.INT32, wrapped_int32(table[:, 0]), f"bias, {mode}")),
        ("mantissas", CArray(DType.INT32, wrapped_int32(table[:, 1]))),
        ("factors", CArray(DType.INT8, table[:, 2]) if mode != "line" else None),
    )


def _lines(weights: Array, lines: Scaling | None) -> Scaling | None:
    """`lines` if weights times what planes leave of their scale fit in 16 bits."""
    largest = int(np.abs(weights).max(initial=0))
    return lines if lines and largest * (lines.scale >> PLANE_SHIFT) < 1 << 15 else None


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Dsp(),)
