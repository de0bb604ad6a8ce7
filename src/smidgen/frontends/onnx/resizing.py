"""Resize and Upsample: rows and columns of an image, by the nearest pixel or linearly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.scope import MAX_ACTIVATION_ELEMENTS
from smidgen.frontends.onnx.values import Value
from smidgen.ops.index.gather import Gather
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest

_GRIDS = ((False, False), (True, False), (False, True))
"""(align_corners, half_pixel_centers) of our ops."""


def upsample(call: Call) -> Value:
    """Resize as it was before operator set 10."""
    x = call.value(0)
    scales = call.constant(1, "scales") if call.opset >= 9 else _scales_attribute(call)
    scales = scales.reshape(-1)
    sizes = _sizes_from_scales(call, x.layout.shape, scales)
    return _resized(call, x, sizes, scales, call.text("mode", "nearest"), "asymmetric", "floor")


def _scales_attribute(call: Call) -> Array:
    found = call.node.attributes.get("scales")
    if not isinstance(found, tuple):
        call.damaged("it has no scales")
    return np.array([float(number) for number in found])


def resize(call: Call) -> Value:
    """Rows and columns resized by scales or to sizes; other axes stay."""
    x = call.value(0)
    for name in ("antialias", "exclude_outside"):
        if call.attribute(name, 0):
            call.refuse(name, "resize without it")
    if call.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        call.refuse("keep_aspect_ratio_policy", "give the sizes themselves")
    first = 1 if call.opset < 11 else 2
    scales, sizes = _full(call, x, first, 1.0), None
    if call.opset >= 11:
        sizes = _full(call, x, 3, None)
    if sizes is None and scales is None:
        call.damaged("it has neither scales nor sizes")
    wanted = _sizes_from_scales(call, x.layout.shape, scales) if sizes is None else sizes
    old = call.opset < 11
    grid = "asymmetric" if old else call.text("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else call.text("nearest_mode", "round_prefer_floor")
    extents = [int(size) for size in wanted]
    ratios = scales if sizes is None else None
    return _resized(call, x, extents, ratios, call.text("mode", "nearest"), grid, rounding)


def _full(call: Call, x: Value, index: int, default: float | None) -> Array | None:
    """Scales or sizes for every axis of `x`, or None where they are not given."""
    given = call.optional_constant(index, "scales or sizes")
    if given is None or given.size == 0:
        return None
    shape = x.layout.shape
    axes = call.numbers("axes") or tuple(range(len(shape)))
    if given.size != len(axes):
        call.damaged(f"{given.size} scales or sizes for {len(axes)} axes")
    full = np.array(shape, np.float64) if default is None else np.full(len(shape), default)
    for axis, number in zip(axes, given.reshape(-1), strict=True):
        full[call.axis_of(axis, len(shape))] = number
    return full


def _sizes_from_scales(call: Call, shape: Sequence[int], scales: Array | None) -> list[int]:
    if scales is None or scales.size != len(shape) or not np.all(np.isfinite(scales)):
        call.damaged("its scales do not fit the input")
    sizes = np.floor(np.array(shape) * scales.reshape(-1).astype(np.float64))
    if sizes.min() < 1 or sizes.max() > MAX_ACTIVATION_ELEMENTS:
        call.damaged(f"its result would have the shape {sizes.tolist()}")
    return [int(size) for size in sizes]


def _resized(
    call: Call,
    x: Value,
    sizes: Sequence[int],
    scales: Array | None,
    mode: str,
    grid: str,
    rounding: str,
) -> Value:
    shape = x.layout.shape
    rank = len(shape)
    if rank not in (3, 4) or tuple(sizes[:2]) != shape[:2] or min(sizes) < 1:
        call.refuse(f"{list(shape)} resized to {list(sizes)}", "resize the spatial axes of images")
    if max(sizes) > MAX_ACTIVATION_ELEMENTS:
        call.damaged(f"its result would have the shape {list(sizes)}")
    ratios = [
        float(scales[axis]) if scales is not None else sizes[axis] / shape[axis]
        for axis in range(2, rank)
    ]
    places = [
        _coordinates(call, grid, shape[axis], sizes[axis], ratio)
        for axis, ratio in zip(range(2, rank), ratios, strict=True)
    ]
    if rank == 3:
        places.append(np.zeros(1))
    tensor = call.image(x)
    if mode == "nearest":
        return call.as_image(_nearest(call, tensor, places, rounding), rank)
    if mode in ("linear", "bilinear"):
        return call.as_image(_linear(call, tensor, places), rank)
    return call.refuse(f"mode {mode!r}", "use nearest or linear")


def _coordinates(call: Call, grid: str, extent: int, size: int, scale: float) -> Array:
    """Where each output lies among the inputs (Resize, coordinate_transformation_mode)."""
    index = np.arange(size, dtype=np.float64)
    if grid == "asymmetric":
        return index / scale
    if grid == "align_corners":
        return index * (extent - 1) / (extent * scale - 1) if size > 1 else 0 * index
    if grid == "half_pixel" or (grid == "pytorch_half_pixel" and size > 1):
        return (index + 0.5) / scale - 0.5
    if grid == "pytorch_half_pixel":
        return 0 * index
    if grid == "half_pixel_symmetric":
        centre = extent / 2 * (1 - size / (extent * scale))
        return centre + (index + 0.5) / scale - 0.5
    return call.refuse(f"coordinates {grid!r}", "use half_pixel, align_corners or asymmetric")


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


def _nearest(call: Call, tensor: str, places: Sequence[Array], rounding: str) -> str:
    """ResizeNearest where it picks the same pixels, else a Gather along each axis."""
    shape = call.scope.shape(tensor)
    chosen = [
        np.clip(_rounded(call, place, rounding), 0, extent - 1)
        for place, extent in zip(places, shape[1:3], strict=True)
    ]
    size = (len(chosen[0]), len(chosen[1]))
    for corners, half in _GRIDS:
        op = ResizeNearest(size, corners, half)
        if all(np.array_equal(op.sources(a, shape[a + 1]), chosen[a]) for a in range(2)):
            return call.moved(op, tensor)
    for axis, picked in enumerate(chosen):
        name = call.scope.constant(f"{call.stem}_positions", picked, DType.INT32)
        quant = call.scope.builder.tensor(tensor).quantization
        (tensor,) = call.scope.add(Gather(axis + 1), [tensor, name], call.stem, quant)
    return tensor


def _linear(call: Call, tensor: str, places: Sequence[Array]) -> str:
    shape = call.scope.shape(tensor)
    if call.scope.dtype_of(tensor) is not DType.FLOAT32:
        call.refuse("quanta are interpolated", "dequantise them first")
    size = (len(places[0]), len(places[1]))
    for corners, half in _GRIDS:
        op = ResizeBilinear(size, corners, half)
        if all(_same_taps(op, a, shape[a + 1], places[a]) for a in range(2)):
            return call.emit(op, [tensor])
    return call.refuse(
        "its grid is none of TensorFlow Lite's", "use half_pixel, align_corners or asymmetric"
    )


def _same_taps(op: ResizeBilinear, axis: int, extent: int, places: Array) -> bool:
    """Whether `op` interpolates at `places`, beyond whose ends the last pixel goes on."""
    taps = op.float_taps(axis, extent)
    mine = taps.lower + taps.fraction * (taps.upper - taps.lower)
    return bool(np.allclose(mine, np.clip(places, 0, extent - 1), atol=1e-4))


RESIZING: Mapping[str, Lowering] = {"Resize": resize, "Upsample": upsample}
