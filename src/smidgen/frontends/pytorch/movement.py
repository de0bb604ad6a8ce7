"""Operators that pick, join, pad, resize or go over windows, by way of ONNX operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from smidgen.frontends.onnx.values import Constant, Value
from smidgen.frontends.pytorch.call import Call
from smidgen.frontends.pytorch.translation import Translation, apply, as_array

_TO_THE_END = np.iinfo(np.int64).max


def view(call: Call) -> Value:
    """Any reshape: the output's logical shape says it all."""
    return apply(call, "Reshape", call.value("self"), list(call.shape))


def permute(call: Call) -> Value:
    """Logical axes in another order."""
    rank = len(call.shape)
    order = tuple(int(axis) % rank for axis in call.arguments["dims"])
    return apply(call, "Transpose", call.value("self"), perm=order)


def slice_(call: Call) -> Value:
    """Every `step`-th element along an axis."""
    begin, end = call.arguments.get("start"), call.arguments.get("end")
    axis, step = int(call.arguments["dim"]), int(call.arguments["step"])
    first, last = 0 if begin is None else int(begin), _TO_THE_END if end is None else int(end)
    return apply(call, "Slice", call.value("self"), [first], [last], [axis], [step])


def narrow(call: Call) -> Value:
    """`length` elements along an axis."""
    begin, axis = int(call.arguments["start"]), int(call.arguments["dim"])
    return part(call, call.value("self"), axis, begin, int(call.arguments["length"]))


def part(call: Call, x: Value, axis: int, begin: int, length: int) -> Value:
    """`length` elements of `x` along `axis`, from `begin` on."""
    extent = x.layout.shape[axis]
    begin = begin + extent if begin < 0 else begin
    if begin == 0 and length == extent:
        return x
    return apply(call, "Slice", x, [begin], [begin + length], [axis])


def select(call: Call) -> Value:
    """One element along an axis, which goes."""
    axis, index = int(call.arguments["dim"]), int(call.arguments["index"])
    return _one_of(call, call.value("self"), axis, index)


def _one_of(call: Call, x: Value, axis: int, index: int) -> Value:
    return apply(call, "Squeeze", part(call, x, axis, index, 1), [axis])


def unbind(call: Call) -> list[Value | None]:
    """All elements along an axis, which goes."""
    x, axis = call.value("self"), int(call.arguments["dim"])
    count = x.layout.shape[axis]
    return [_one_of(call, x, axis, i) if call.reads(i) else None for i in range(count)]


def split(call: Call) -> list[Value | None]:
    """Pieces of one size, the last one what is left; or of given sizes."""
    given = call.arguments.get("split_size", call.arguments.get("split_sizes"))
    extent = call.value("self").layout.shape[int(call.arguments["dim"])]
    if isinstance(given, int):
        given = [min(given, extent - begin) for begin in range(0, extent, max(given, 1))]
    return _pieces(call, [int(size) for size in given or ()])


def chunk(call: Call) -> list[Value | None]:
    """As many pieces of equal size as asked for, or fewer."""
    extent = call.value("self").layout.shape[int(call.arguments["dim"])]
    size = -(-extent // int(call.arguments["chunks"]))
    return _pieces(call, [min(size, extent - begin) for begin in range(0, extent, size)])


def _pieces(call: Call, sizes: Sequence[int]) -> list[Value | None]:
    x, axis = call.value("self"), int(call.arguments["dim"])
    begins = [sum(sizes[:index]) for index in range(len(sizes))]
    return [
        part(call, x, axis, begin, size) if call.reads(index) else None
        for index, (begin, size) in enumerate(zip(begins, sizes, strict=True))
    ]


def stack(call: Call) -> Value:
    """Tensors joined along a new axis."""
    axis = int(call.arguments["dim"]) % len(call.shape)
    parts = [_unsqueezed(call, tensor, axis) for tensor in call.arguments["tensors"]]
    return apply(call, "Concat", *parts, axis=axis)


def _unsqueezed(call: Call, given: Any, axis: int) -> Value | Constant:
    if isinstance(given, Value):
        return apply(call, "Unsqueeze", given, [axis])
    return Constant(np.expand_dims(as_array(given), axis))


def concatenate(call: Call) -> Value:
    """Tensors one after the other."""
    return apply(call, "Concat", *call.arguments["tensors"], axis=int(call.arguments["dim"]))


def flip(call: Call) -> Value:
    """From the end to the start along some axes."""
    axes = [int(axis) for axis in call.arguments["dims"]]
    count = len(axes)
    ends = [-_TO_THE_END] * count
    return apply(call, "Slice", call.value("self"), [-1] * count, ends, axes, [-1] * count)


def roll(call: Call) -> Value:
    """Elements shifted along axes; what leaves at the end comes in at the start."""
    x = call.value("self")
    axes = call.arguments.get("dims")
    if not axes:
        call.refuse("it rolls the flattened tensor", "give the axes")
    for shift, axis in zip(call.arguments["shifts"], axes, strict=True):
        extent = x.layout.shape[axis]
        moved = int(shift) % extent
        if moved:
            tail = part(call, x, axis, extent - moved, moved)
            x = apply(call, "Concat", tail, part(call, x, axis, 0, extent - moved), axis=axis)
    return x


def repeat(call: Call) -> Value:
    """The whole tensor repeated along each axis."""
    x, counts = call.value("self"), [int(n) for n in call.arguments["repeats"]]
    missing = len(counts) - len(x.layout.axes)
    if missing:
        x = apply(call, "Unsqueeze", x, list(range(missing)))
    return apply(call, "Tile", x, counts)


def expand(call: Call) -> Value:
    """Repeated to a shape that it broadcasts to."""
    return apply(call, "Expand", call.value("self"), list(call.shape))


def filled(call: Call) -> Constant:
    """One number, in a shape that is known."""
    name = call.operator
    number = float(call.arguments.get("fill_value", 1.0 if "ones" in name else 0.0))
    return Constant(np.full(call.shape, number, np.float32))


def take(call: Call) -> Value:
    """Slices at a list of positions along an axis."""
    axis = int(call.arguments["dim"])
    return apply(call, "Gather", call.arguments["self"], call.arguments["index"], axis=axis)


def embedding(call: Call) -> Value:
    """Rows of a table."""
    return apply(call, "Gather", call.arguments["weight"], call.arguments["indices"], axis=0)


def pixel_shuffle(call: Call) -> Value:
    """Channels become blocks of pixels."""
    factor = int(call.arguments["upscale_factor"])
    return apply(call, "DepthToSpace", call.value("self"), blocksize=factor, mode="CRD")


def pixel_unshuffle(call: Call) -> Value:
    """Blocks of pixels become channels."""
    x, factor = call.value("self"), int(call.arguments["downscale_factor"])
    batch, channels, rows, cols = x.layout.shape
    blocks = [batch, channels, rows // factor, factor, cols // factor, factor]
    split_up = apply(call, "Reshape", x, blocks)
    turned = apply(call, "Transpose", split_up, perm=(0, 1, 3, 5, 2, 4))
    return apply(call, "Reshape", turned, list(call.shape))


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(call: Call) -> Value:
    """torch.nn.functional.pad."""
    value = call.arguments.get("value")
    return _padded(call, _MODES.get(str(call.arguments["mode"]), "constant"), value)


def constant_pad(call: Call) -> Value:
    """A number around the tensor."""
    return _padded(call, "constant", call.arguments.get("value"))


def unfold(call: Call) -> Value:
    """Overlapping pieces of an axis, each along a new last axis."""
    x, axis = call.value("self"), int(call.arguments["dimension"]) % len(call.shape)
    size, step = int(call.arguments["size"]), int(call.arguments["step"])
    starts = np.arange(call.shape[axis]) * step
    frames = apply(call, "Gather", x, starts[:, np.newaxis] + np.arange(size), axis=axis)
    rank = len(frames.layout.axes)
    order = (*(place for place in range(rank) if place != axis + 1), axis + 1)
    return apply(call, "Transpose", frames, perm=order)


def padding(mode: str) -> Translation:
    """The translation of an operator that pads by what is there."""
    return lambda call: _padded(call, mode, None)


def _padded(call: Call, mode: str, value: Any) -> Value:
    x = call.value("self")
    rank = len(x.layout.axes)
    given = call.arguments.get("pad", call.arguments.get("padding"))
    around = [int(number) for number in given or ()]
    if mode == "wrap":
        return _wrapped(call, x, around)
    before, after = [0] * rank, [0] * rank
    for place in range(len(around) // 2):
        before[rank - 1 - place], after[rank - 1 - place] = around[2 * place : 2 * place + 2]
    fill = float(value or 0.0) if mode == "constant" else None
    return apply(call, "Pad", x, before + after, fill, mode=mode)


def _wrapped(call: Call, x: Value, around: Sequence[int]) -> Value:
    """What leaves at one end comes in at the other."""
    for place in range(len(around) // 2):
        axis = len(x.layout.axes) - 1 - place
        before, after = around[2 * place : 2 * place + 2]
        extent = x.layout.shape[axis]
        head = [part(call, x, axis, extent - before, before)] if before else []
        tail = [part(call, x, axis, 0, after)] if after else []
        x = apply(call, "Concat", *head, x, *tail, axis=axis)
    return x


def resize(mode: str, grid: str = "") -> Translation:
    """The translation of an upsampling: by sizes, or by factors where those are given."""

    def lower(call: Call) -> Value:
        x = call.value("input" if "input" in call.arguments else "self")
        corners = bool(call.arguments.get("align_corners"))
        usual = "asymmetric" if mode == "nearest" else "pytorch_half_pixel"
        rounding = {
            "coordinate_transformation_mode": "align_corners" if corners else grid or usual,
            "nearest_mode": "round_prefer_ceil" if grid else "floor",
        }
        factors = _factors(call, len(x.layout.axes) - 2)
        scales = None if factors is None else np.array([1.0, 1.0, *factors], np.float32)
        sizes = list(call.shape) if factors is None else None
        return apply(call, "Resize", x, None, scales, sizes, mode=mode, **rounding)

    return lower


def _factors(call: Call, spatial: int) -> list[float] | None:
    """The factors that coordinates are divided by, where the call names them."""
    given = call.arguments.get("scale_factors")
    if given is None:
        named = [
            call.arguments.get(name) for name in ("scales_d", "scales_h", "scales_w", "scales")
        ]
        given = [number for number in named if number is not None]
    listed = [float(number) for number in given]
    return listed if len(listed) == spatial else None


MOVEMENT: Mapping[str, Translation] = {
    **dict.fromkeys(
        (
            *("aten.view.default", "aten._unsafe_view.default", "aten.reshape.default"),
            *("aten.flatten.using_ints", "aten.unflatten.int", "aten.squeeze.default"),
            *("aten.squeeze.dim", "aten.squeeze.dims", "aten.unsqueeze.default"),
            *("aten.view_as.default", "aten.reshape_as.default"),
        ),
        view,
    ),
    "aten.permute.default": permute,
    "aten.slice.Tensor": slice_,
    "aten.narrow.default": narrow,
    "aten.select.int": select,
    "aten.unbind.int": unbind,
    **dict.fromkeys(
        ("aten.split.Tensor", "aten.split_with_sizes.default", "aten.split.sizes"), split
    ),
    "aten.chunk.default": chunk,
    "aten.stack.default": stack,
    "aten.cat.default": concatenate,
    "aten.flip.default": flip,
    "aten.roll.default": roll,
    "aten.repeat.default": repeat,
    **dict.fromkeys(("aten.expand.default", "aten.expand_as.default"), expand),
    **dict.fromkeys(
        (
            *("aten.zeros_like.default", "aten.new_zeros.default"),
            *("aten.ones_like.default", "aten.new_ones.default"),
            *("aten.full_like.default", "aten.new_full.default"),
        ),
        filled,
    ),
    "aten.index_select.default": take,
    "aten.embedding.default": embedding,
    "aten.pixel_shuffle.default": pixel_shuffle,
    "aten.pixel_unshuffle.default": pixel_unshuffle,
    "aten.pad.default": pad,
    "aten.constant_pad_nd.default": constant_pad,
    **dict.fromkeys(
        ("aten.reflection_pad1d.default", "aten.reflection_pad2d.default"), padding("reflect")
    ),
    **dict.fromkeys(
        ("aten.replication_pad1d.default", "aten.replication_pad2d.default"), padding("edge")
    ),
    **{
        f"aten.upsample_nearest{rank}d.{form}": resize("nearest")
        for rank in (1, 2, 3)
        for form in ("vec", "default")
    },
    **{
        f"aten.upsample_{name}.{form}": resize("linear")
        for name in ("linear1d", "bilinear2d", "trilinear3d")
        for form in ("vec", "default")
    },
    **{
        f"aten._upsample_nearest_exact{rank}d.{form}": resize("nearest", "half_pixel")
        for rank in (1, 2, 3)
        for form in ("vec", "default")
    },
    **{f"aten.upsample_bicubic2d.{form}": resize("cubic") for form in ("vec", "default")},
    "aten.unfold.default": unfold,
}
"""How each aten overload becomes ONNX operators."""
