"""Resize and Upsample: axes resized to the nearest element, linearly or cubically."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import combine
from smidgen.frontends.onnx.interpolation import Filter
from smidgen.frontends.onnx.products import dense
from smidgen.frontends.onnx.scope import MAX_ACTIVATION_ELEMENTS
from smidgen.frontends.onnx.shaping import gathered
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest

_GRIDS = ((False, False), (True, False), (False, True))
"""(align_corners, half_pixel_centers) of our ops."""
_MODES = ("nearest", "linear", "bilinear", "cubic")


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One resized axis: where each of its outputs lies among its inputs."""

    number: int
    extent: int
    scale: float
    places: Array

    @property
    def size(self) -> int:
        """How many outputs it has."""
        return len(self.places)

    @property
    def outside(self) -> Array:
        """The outputs that lie beyond the ends."""
        return np.asarray((self.places < 0) | (self.places > self.extent - 1))


@dataclass(frozen=True, slots=True)
class Settings:
    """The attributes of a Resize."""

    mode: str
    grid: str
    rounding: str = "round_prefer_floor"


def upsample(call: Call) -> Value:
    """Resize as it was before operator set 10."""
    x = call.value(0)
    scales = call.constant(1, "scales") if call.opset >= 9 else _scales_attribute(call)
    settings = Settings(call.text("mode", "nearest"), "asymmetric", "floor")
    return _resized(call, x, _from_scales(call, x.layout.shape, scales.reshape(-1)), settings)


def _scales_attribute(call: Call) -> Array:
    found = call.node.attributes.get("scales")
    if not isinstance(found, tuple):
        call.damaged("it has no scales")
    return np.array([float(number) for number in found])


def resize(call: Call) -> Value:
    """Axes resized by scales or to sizes."""
    x, old = call.value(0), call.opset < 11
    shape = x.layout.shape
    grid = "asymmetric" if old else call.text("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else call.text("nearest_mode", "round_prefer_floor")
    settings = Settings(call.text("mode", "nearest"), grid, rounding)
    sizes = None if old else _full(call, shape, 3, None)
    if sizes is not None:
        return _resized(call, x, _from_sizes(call, shape, sizes), settings)
    scales = _full(call, shape, 1 if old else 2, 1.0)
    if scales is None:
        call.damaged("it has neither scales nor sizes")
    return _resized(call, x, _from_scales(call, shape, scales), settings)


def _axes(call: Call, rank: int) -> tuple[int, ...]:
    return tuple(call.axis_of(axis, rank) for axis in call.numbers("axes") or range(rank))


def _full(call: Call, shape: Sequence[int], index: int, default: float | None) -> Array | None:
    """Scales or sizes for every axis, or None where they are not given."""
    given = call.optional_constant(index, "scales or sizes")
    if given is None or given.size == 0:
        return None
    axes = _axes(call, len(shape))
    if given.size != len(axes) or not np.isfinite(given.astype(np.float64)).all():
        call.damaged(f"{given.size} scales or sizes for {len(axes)} axes")
    full = np.array(shape, np.float64) if default is None else np.full(len(shape), default)
    full[list(axes)] = given.reshape(-1)
    return full


Target = Sequence[tuple[int, float]]
"""For each axis how many outputs it gets, and its scale."""


def _from_scales(call: Call, shape: Sequence[int], scales: Array) -> Target:
    if scales.size != len(shape) or not np.all(np.isfinite(scales)) or min(scales) <= 0:
        call.damaged("its scales do not fit the input")
    sizes = np.floor(np.array(shape) * scales.astype(np.float64))
    return _checked(call, sizes, scales)


def _from_sizes(call: Call, shape: Sequence[int], sizes: Array) -> Target:
    """The sizes, or, to keep the aspect ratio, the nearest that they allow."""
    scales = sizes / np.array(shape)
    policy = call.text("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        axes = list(_axes(call, len(shape)))
        scale = (max if policy == "not_smaller" else min)(scales[axes])
        scales[axes] = scale
        sizes[axes] = np.floor(np.array(shape)[axes] * scale + 0.5)
    return _checked(call, sizes, scales)


def _checked(call: Call, sizes: Array, scales: Array) -> Target:
    if sizes.min() < 1 or np.prod(sizes) > MAX_ACTIVATION_ELEMENTS:
        call.damaged(f"its result would have the shape {sizes.tolist()}")
    return [(int(size), float(scale)) for size, scale in zip(sizes, scales, strict=True)]


def _resized(call: Call, x: Value, target: Target, settings: Settings) -> Value:
    if settings.mode not in _MODES:
        call.damaged(f"there is no mode {settings.mode!r}")
    shape = x.layout.shape
    axes = [
        Axis(number, extent, scale, _places(call, settings.grid, number, extent, size, scale))
        for number, (extent, (size, scale)) in enumerate(zip(shape, target, strict=True))
        if size != extent or scale != 1.0 or settings.grid == "tf_crop_and_resize"
    ]
    if settings.mode == "nearest":
        return _nearest(call, x, axes, settings.rounding)
    tensor = call.scope.builder.tensor(x.tensor)
    if tensor.dtype is not DType.FLOAT32 and tensor.quantization is None:
        call.refuse(f"{tensor.dtype.label} is interpolated", "cast it to float32 first")
    return _interpolated(call, x, axes, settings)


def _places(call: Call, grid: str, number: int, extent: int, size: int, scale: float) -> Array:
    """Where each output lies among the inputs (Resize, coordinate_transformation_mode)."""
    index = np.arange(size, dtype=np.float64)
    if grid == "tf_crop_and_resize":
        first, last = (end * (extent - 1) for end in _region(call, number))
        return first + (last - first) * (index / (size - 1) if size > 1 else 0.5 + 0 * index)
    corner = extent * scale - 1
    centre = extent / 2 * (1 - size / (extent * scale))
    half = (index + 0.5) / scale - 0.5
    grids = {
        "asymmetric": index / scale,
        "align_corners": index * ((extent - 1) / corner if size > 1 and corner != 0 else 0),
        "half_pixel": half,
        "pytorch_half_pixel": half if size > 1 else 0 * index,
        "half_pixel_symmetric": centre + half,
    }
    if grid not in grids:
        call.damaged(f"there are no coordinates {grid!r}")
    return grids[grid]


def _region(call: Call, number: int) -> tuple[float, float]:
    """The part of an axis that is resized, as shares of it; all where `roi` does not name it."""
    region = call.constant(1, "region").astype(np.float64).reshape(-1)
    axes = _axes(call, len(call.value(0).layout.axes))
    if len(region) != 2 * len(axes) or not np.isfinite(region).all():
        call.damaged(f"a region of {len(region)} numbers for {len(axes)} axes")
    if number not in axes:
        return 0.0, 1.0
    place = axes.index(number)
    return float(region[place]), float(region[place + len(axes)])


def _nearest(call: Call, x: Value, axes: Sequence[Axis], rounding: str) -> Value:
    """ResizeNearest where it picks the same pixels, else a Gather along each axis."""
    if any(axis.outside.any() for axis in axes) and _extrapolates(call):
        call.refuse("nearest elements beyond the ends", "crop inside of the image")
    chosen = {
        axis.number: np.clip(_rounded(call, axis.places, rounding), 0, axis.extent - 1)
        for axis in axes
    }
    rank, spatial = len(x.layout.axes), [a.number for a in axes if a.number > 1]
    if rank in (3, 4) and len(spatial) == len(axes):
        picks = [chosen.get(a, np.arange(x.layout.shape[a])) for a in range(2, rank)]
        op = _nearest_op([*picks, np.zeros(1, np.int64)][:2], x.layout.shape)
        if op is not None:
            return call.as_image(call.moved(op, call.image(x)), rank)
    for number, picked in chosen.items():
        name = call.scope.constant(f"{call.stem}_positions", picked, DType.INT32)
        x = gathered(call, x, number, name)
    return x


def _extrapolates(call: Call) -> bool:
    return call.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize"


def _nearest_op(picks: Sequence[Array], shape: Sequence[int]) -> ResizeNearest | None:
    """The op that picks these rows and columns, if there is one."""
    extents = (shape[2], shape[3] if len(shape) == 4 else 1)
    for corners, half in _GRIDS:
        op = ResizeNearest((len(picks[0]), len(picks[1])), corners, half)
        if all(np.array_equal(op.sources(a, extents[a]), picks[a]) for a in range(2)):
            return op
    return None


def _rounded(call: Call, places: Array, rounding: str) -> Array:
    rules: Mapping[str, Callable[[Array], Array]] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "round_prefer_floor": lambda x: np.ceil(x - 0.5),
        "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    }
    if rounding not in rules:
        call.damaged(f"there is no nearest_mode {rounding!r}")
    # A place that is whole in exact arithmetic may come out a hair beside it.
    whole = np.round(places * 2) / 2
    settled = np.where(np.abs(places - whole) < 1e-6, whole, places)
    return np.asarray(rules[rounding](settled)).astype(np.int64)


def _interpolated(call: Call, x: Value, axes: Sequence[Axis], settings: Settings) -> Value:
    """ResizeBilinear where it interpolates alike, else a product with a matrix for each axis."""
    kernel = Filter(
        settings.mode == "cubic",
        call.real("cubic_coeff_a", -0.75),
        bool(call.attribute("antialias", 0)),
        bool(call.attribute("exclude_outside", 0)),
    )
    rank = len(x.layout.axes)
    plain = not (kernel.cubic or kernel.antialias or kernel.exclude_outside)
    outside = _extrapolates(call) and any(axis.outside.any() for axis in axes)
    if plain and not outside and rank in (3, 4) and all(axis.number > 1 for axis in axes):
        op = _bilinear_op(axes, x.layout.shape)
        if op is not None:
            return call.as_image(call.moved(op, call.image(x)), rank)
    if call.scope.dtype(x) is not DType.FLOAT32:
        call.refuse("quanta are interpolated in a way that has no kernel", "dequantise them first")
    y = x
    for axis in axes:
        y = _along(call, y, axis, kernel.matrix(axis.places, axis.extent, axis.scale))
    return _extrapolated(call, y, axes) if outside else y


def _bilinear_op(axes: Sequence[Axis], shape: Sequence[int]) -> ResizeBilinear | None:
    """The op that interpolates at the same places, if there is one."""
    extents = (shape[2], shape[3] if len(shape) == 4 else 1)
    named = {axis.number: axis.places for axis in axes}
    places = [named.get(a + 2, np.arange(extents[a], dtype=np.float64)) for a in range(2)]
    for corners, half in _GRIDS:
        op = ResizeBilinear((len(places[0]), len(places[1])), corners, half)
        if all(_same_taps(op, a, extents[a], places[a]) for a in range(2)):
            return op
    return None


def _same_taps(op: ResizeBilinear, axis: int, extent: int, places: Array) -> bool:
    """Whether `op` interpolates at `places`, beyond whose ends the last pixel goes on."""
    taps = op.float_taps(axis, extent)
    mine = taps.lower + taps.fraction * (taps.upper - taps.lower)
    return bool(np.allclose(mine, np.clip(places, 0, extent - 1), atol=1e-4))


def _along(call: Call, x: Value, axis: Axis, matrix: Array) -> Value:
    """The product of `matrix` with every line of `x` along an axis."""
    rank = len(x.layout.axes)
    order = [*(a for a in range(rank) if a != axis.number), axis.number]
    turned = Value(x.tensor, x.layout.permuted(order))
    y = dense(call, turned, Constant(matrix.T.astype(np.float32)), None)
    return Value(y.tensor, y.layout.permuted(np.argsort(order).tolist()))


def _extrapolated(call: Call, y: Value, axes: Sequence[Axis]) -> Value:
    """`y` with one number wherever an axis lies outside."""
    inside = np.ones((1,) * len(y.layout.axes))
    for axis in axes:
        column = [-1 if a == axis.number else 1 for a in range(inside.ndim)]
        inside = inside * ~axis.outside.reshape(column)
    number = call.real("extrapolation_value", 0.0)
    kept = combine(call, "Mul", y, Constant(inside.astype(np.float32)))
    return combine(call, "Add", kept, Constant(((1 - inside) * number).astype(np.float32)))


RESIZING: Mapping[str, Lowering] = {"Resize": resize, "Upsample": upsample}
