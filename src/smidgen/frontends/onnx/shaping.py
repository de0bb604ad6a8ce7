"""Operators that rename axes, which costs nothing, and those that move or pick elements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.layout import Layout, NeedsTransposition
from smidgen.frontends.onnx.broadcasting import broadcast_shape, shape_of
from smidgen.frontends.onnx.call import Call, Lowering, Result
from smidgen.frontends.onnx.scope import MAX_ACTIVATION_ELEMENTS
from smidgen.frontends.onnx.tensors import UNSIGNED_OFFSET
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.ops.elementwise.comparison import Compare, Relation
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.index.gather import Gather, GatherNd
from smidgen.ops.index.ops import Select
from smidgen.ops.quantization.ops import Cast
from smidgen.ops.shape.arrange import BroadcastTo, DepthToSpace, SpaceToDepth
from smidgen.ops.shape.join import Concat, Split
from smidgen.ops.shape.padding import MirrorPad, Pad
from smidgen.ops.shape.slicing import Slice

MAX_EDGE_STEPS = 8


def reshaped(call: Call, x: Value, shape: Sequence[int]) -> Value:
    """`x` under another logical shape of as many elements; memory is rearranged if it must be."""
    if math.prod(shape) != math.prod(x.layout.shape):
        call.damaged(f"{list(x.layout.shape)} does not hold the elements of {list(shape)}")
    if 0 in shape:
        call.refuse("it reshapes an empty tensor", "leave it out")
    try:
        return Value(x.tensor, x.layout.reshaped(shape))
    except NeedsTransposition:
        plain = call.scope.plain(x)
        return Value(plain.tensor, plain.layout.reshaped(shape))


def reshape(call: Call) -> Value:
    """Another shape; 0 keeps an extent, and one -1 is what is left."""
    x = call.value(0)
    wanted = call.numbers("shape") if call.opset < 5 else call.integers(1, "shape")
    return reshaped(call, x, resolved_shape(call, x.layout.shape, wanted or ()))


def resolved_shape(call: Call, given: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """The shape that Reshape's `wanted` asks for."""
    keep_zero = bool(call.attribute("allowzero", 0))
    shape = list(wanted)
    for axis, extent in enumerate(shape):
        if extent == 0 and not keep_zero:
            if axis >= len(given):
                call.damaged(f"shape {list(wanted)} keeps an axis that {list(given)} lacks")
            shape[axis] = given[axis]
    if shape.count(-1) > 1 or min(shape, default=0) < -1:
        call.damaged(f"shape {list(wanted)} is not one")
    if -1 in shape:
        known = -math.prod(shape)
        shape[shape.index(-1)] = math.prod(given) // known if known else 0
    return tuple(shape)


def split_heads(call: Call, x: Value, heads: int) -> Value:
    """`x` [batch, length, width] as [batch, length, heads, features]."""
    if len(x.layout.axes) != 3 or heads < 1 or x.layout.shape[2] % heads:
        call.damaged(f"{heads} heads in {list(x.layout.shape)}")
    batch, length, width = x.layout.shape
    return reshaped(call, x, (batch, length, heads, width // heads))


def flatten(call: Call) -> Value:
    """A matrix: all axes before `axis`, and all from it on."""
    x = call.value(0)
    rank = len(x.layout.axes)
    axis = call.attribute("axis", 1)
    axis = axis if axis == rank else call.axis_of(axis, max(rank, 1))
    shape = x.layout.shape
    return reshaped(call, x, (math.prod(shape[:axis]), math.prod(shape[axis:])))


def squeeze(call: Call) -> Value:
    """Axes of extent 1 taken away."""
    x = call.value(0)
    shape = x.layout.shape
    axes = call.axes(1, len(shape))
    if axes is None:
        axes = tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    if any(shape[axis] != 1 for axis in axes):
        call.damaged(f"it squeezes axes {axes} of {list(shape)}")
    return reshaped(call, x, [n for axis, n in enumerate(shape) if axis not in axes])


def unsqueeze(call: Call) -> Value:
    """Axes of extent 1 put in."""
    x = call.value(0)
    given = call.numbers("axes")
    given = call.integers(1, "axes") if given is None else given
    return reshaped(call, x, unsqueezed_shape(call, x.layout.shape, given))


def unsqueezed_shape(call: Call, shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """`shape` with axes of extent 1 at `axes` of the result."""
    rank = len(shape) + len(axes)
    places = {call.axis_of(axis, rank) for axis in axes}
    if len(places) != len(axes):
        call.damaged(f"axes {list(axes)} are not different")
    rest = iter(shape)
    return tuple(1 if axis in places else next(rest) for axis in range(rank))


def permutation(call: Call, rank: int) -> tuple[int, ...]:
    """The attribute `perm`, or all axes in reverse."""
    perm = call.numbers("perm")
    perm = tuple(range(rank))[::-1] if perm is None else perm
    if sorted(perm) != list(range(rank)):
        call.damaged(f"{perm} permutes no {rank} axes")
    return perm


def transpose(call: Call) -> Value:
    """Logical axes in another order."""
    x = call.value(0)
    return Value(x.tensor, x.layout.permuted(permutation(call, len(x.layout.axes))))


def nothing(call: Call) -> Operand:
    """The input itself."""
    return call.operand(0)


def dropout(call: Call) -> tuple[Result, ...]:
    """Nothing, at inference."""
    training, ratio = call.optional(2), call.optional(1)
    idle = any(
        given is None or (isinstance(given, Constant) and not given.values.any())
        for given in (training, ratio if ratio is not None else training)
    )
    if not idle:
        call.refuse("dropout in training mode", "export the model for inference")
    x = call.operand(0)
    shape = shape_of(x)
    read = call.read[1:2] == (True,) and math.prod(shape) <= MAX_ACTIVATION_ELEMENTS
    return x, Constant(np.ones(shape, bool)) if read else None


def concat(call: Call) -> Value:
    """Operands one after the other along an axis."""
    operands = [call.operand(index) for index in range(max(1, len(call.operands)))]
    return joined(call, operands, call.attribute("axis", 0))


def joined(call: Call, operands: Sequence[Operand], axis: int) -> Value:
    """Concat in the order in which memory has the first activation."""
    if not operands:
        call.damaged("it joins nothing")
    first = next((x for x in operands if isinstance(x, Value)), None)
    lead = first or call.scope.as_value(operands[0], call.stem)
    rank = len(lead.layout.axes)
    axis = call.axis_of(axis, rank)
    if any(len(shape_of(operand)) != rank for operand in operands):
        call.damaged("its operands have different numbers of axes")
    order = _order_of_most(operands, rank)
    source = call.scope.builder.tensor(lead.tensor)
    tensors, shape = [], list(lead.layout.shape)
    shape[axis] = 0
    for operand in operands:
        value = call.scope.as_value(operand, call.stem)
        tensor = call.scope.builder.tensor(value.tensor)
        if tensor.dtype is not source.dtype or tensor.quantization != source.quantization:
            call.refuse("its operands have different types or scales", "dequantise them first")
        tensors.append(call.scope.laid(value, order))
        shape[axis] += value.layout.shape[axis]
    (emitted,) = call.scope.add(Concat(order.index(axis)), tensors, call.stem, source.quantization)
    return Value(emitted, Layout.of(shape, order))


def _order_of_most(operands: Sequence[Operand], rank: int) -> tuple[int, ...]:
    """The order of axes in which the most elements lie already."""
    votes: dict[tuple[int, ...], int] = {}
    for operand in operands:
        order = operand.layout.order() if isinstance(operand, Value) else None
        if order is not None and isinstance(operand, Value):
            votes[order] = votes.get(order, 0) + math.prod(operand.layout.shape)
    return max(votes, key=lambda order: votes[order]) if votes else tuple(range(rank))


def split(call: Call) -> tuple[Result, ...]:
    """An activation cut into pieces along an axis."""
    value, order = call.scope.orderly(call.value(0))
    shape = value.layout.shape
    axis = call.axis(0, len(shape))
    sizes = split_sizes(call, shape[axis])
    tensor = call.scope.laid(value, order)
    if len(sizes) == 1:
        return (value,)
    pieces = call.pieces(Split(order.index(axis), sizes), tensor)
    return tuple(
        Value(piece, Layout.of([size if a == axis else n for a, n in enumerate(shape)], order))
        for piece, size in zip(pieces, sizes, strict=True)
    )


def split_sizes(call: Call, extent: int) -> tuple[int, ...]:
    """How long the pieces of an axis of `extent` are."""
    count = len(call.node.outputs)
    given = call.numbers("split")
    if given is None and call.optional(1) is not None:
        given = call.integers(1, "split")
    if given is None:
        step = -(-extent // count)
        given = tuple(min(step, extent - step * index) for index in range(count))
    if len(given) != count or sum(given) != extent or min(given) < 0:
        call.damaged(f"an axis of {extent} is not split into {list(given)}")
    if 0 in given:
        call.refuse("a piece is empty", "leave it out")
    return given


def slice_(call: Call) -> Value:
    """A regular part along some axes."""
    value, order = call.scope.orderly(call.value(0))
    shape = value.layout.shape
    parts = slices(call, shape)
    begin, size, stride = zip(*parts, strict=True) if parts else ((), (), ())
    if 0 in size:
        call.refuse("its result is empty", "leave it out")
    if size == shape and min(stride, default=1) > 0:
        return value
    op = Slice(*(tuple(numbers[axis] for axis in order) for numbers in (begin, size, stride)))
    return Value(call.moved(op, call.scope.laid(value, order)), Layout.of(size, order))


def slices(call: Call, shape: Sequence[int]) -> list[tuple[int, int, int]]:
    """Begin, size and stride of each axis."""
    if call.opset < 10:
        starts, ends = call.numbers("starts") or (), call.numbers("ends") or ()
        axes, steps = call.numbers("axes"), None
    else:
        starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
        axes = call.integers(3, "axes") if call.optional(3) is not None else None
        steps = call.integers(4, "steps") if call.optional(4) is not None else None
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        call.damaged("starts, ends, axes and steps do not fit together")
    parts = [(0, extent, 1) for extent in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = call.axis_of(axis, len(shape))
        chosen = range(shape[place])[slice(start, end if _is_bound(end, step) else None, step)]
        parts[place] = (chosen.start if len(chosen) else 0, len(chosen), step)
    return parts


def _is_bound(end: int, step: int) -> bool:
    """Whether `end` is inside what a slice may name: far below 0 it means everything backwards."""
    return step > 0 or end > -(1 << 31)


def gather(call: Call) -> Value:
    """Slices along an axis, by constant or computed positions."""
    x = call.value(0)
    return picked(call, x, call.operand(1), call.axis(0, len(x.layout.axes)))


def picked(call: Call, x: Value, positions: Operand, axis: int) -> Value:
    """`x` with `axis` replaced by the axes of `positions`, at which its slices are picked."""
    shape = x.layout.shape
    if isinstance(positions, Constant):
        chosen = checked_positions(call, positions, shape[axis])
        part = _as_slice(call, x, axis, chosen.reshape(-1))
        if part is None:
            part = gathered(call, x, axis, _position_tensor(call, chosen.reshape(-1)))
        inner: tuple[int, ...] = chosen.shape
    else:
        plain = call.scope.plain(positions)
        inner = positions.layout.shape
        flat = _from_front(call, call.scope.reshape(plain.tensor, (math.prod(inner),)), shape[axis])
        part = gathered(call, x, axis, flat)
    return reshaped(call, part, (*shape[:axis], *inner, *shape[axis + 1 :]))


def checked_positions(call: Call, positions: Constant, extent: int) -> np.ndarray:
    """Constant positions along an axis of `extent`, all counted from the front."""
    values = positions.values
    if values.dtype.kind not in "iu" or values.size == 0:
        call.damaged("its positions are no integers")
    if values.min() < -extent or values.max() >= extent:
        call.damaged(f"a position lies outside of an axis of {extent}")
    return np.where(values < 0, values + extent, values)


def _from_front(call: Call, positions: str, extent: int) -> str:
    """Computed positions, of which negative ones count from the end."""
    if call.scope.dtype_of(positions) is not DType.INT32:
        positions = call.emit(Cast(DType.INT32), [positions])
    end, zero = (
        call.scope.constant(f"{call.stem}_{role}", np.array([number]), DType.INT32)
        for role, number in (("extent", extent), ("zero", 0))
    )
    negative = call.emit(Compare(Relation.LESS), [positions, zero])
    return call.emit(Select(), [negative, call.emit(Add(), [positions, end]), positions])


def _position_tensor(call: Call, positions: np.ndarray) -> str:
    return call.scope.constant(f"{call.stem}_positions", positions, DType.INT32)


def _as_slice(call: Call, x: Value, axis: int, chosen: np.ndarray) -> Value | None:
    """The slice that picks `chosen` along `axis`, if they are evenly spaced."""
    step = int(chosen[1] - chosen[0]) if len(chosen) > 1 else 1
    if step == 0 or (len(chosen) > 1 and np.any(np.diff(chosen) != step)):
        return None
    return piece(call, x, axis, int(chosen[0]), len(chosen), step)


def piece(call: Call, x: Value, axis: int, start: int, count: int, step: int = 1) -> Value:
    """`count` slices of a logical axis from `start` on, `step` apart."""
    value, order = call.scope.orderly(x)
    if count == value.layout.shape[axis] and step == 1:
        return value
    shape = [count if a == axis else n for a, n in enumerate(value.layout.shape)]
    begin = tuple(start if a == axis else 0 for a in order)
    stride = tuple(step if a == axis else 1 for a in order)
    op = Slice(begin, tuple(shape[a] for a in order), stride)
    return Value(call.moved(op, call.scope.laid(value, order)), Layout.of(shape, order))


def gathered(call: Call, x: Value, axis: int, positions: str) -> Value:
    """`x` with `axis` replaced by a list of positions along it."""
    value, order = call.scope.orderly(x)
    tensor = call.scope.laid(value, order)
    quant = call.scope.builder.tensor(tensor).quantization
    op = Gather(order.index(axis))
    (emitted,) = call.scope.add(op, [tensor, positions], call.stem, quant)
    shape = list(x.layout.shape)
    shape[axis] = call.scope.shape(positions)[0]
    return Value(emitted, Layout.of(shape, order))


def gather_nd(call: Call) -> Value:
    """Slices at coordinates; those that are constant are counted from the front first."""
    x = call.scope.plain(call.value(0))
    tensor = call.scope.reshape(x.tensor, x.layout.shape)
    positions = call.operand(1)
    batches = call.attribute("batch_dims", 0)
    if batches and isinstance(positions, Constant):
        positions = Constant(_with_batches(call, positions.values, x.layout.shape, batches))
    elif batches:
        call.refuse("batch_dims with computed positions", "gather without them")
    if isinstance(positions, Constant):
        depth = positions.shape[-1] if positions.shape else 0
        if not 0 < depth <= len(x.layout.shape) or not positions.values.size:
            call.damaged(f"coordinates of {depth} numbers in {list(x.layout.shape)}")
        limits = np.array(x.layout.shape[:depth])
        chosen = np.where(positions.values < 0, positions.values + limits, positions.values)
        if chosen.min() < 0 or np.any(chosen >= limits):
            call.damaged("a coordinate lies outside")
        where = _position_tensor(call, chosen)
    else:
        where = call.scope.laid(positions, range(len(positions.layout.axes)))
    quant = call.scope.builder.tensor(tensor).quantization
    (emitted,) = call.scope.add(GatherNd(), [tensor, where], call.stem, quant)
    return Value(emitted, Layout.of(call.scope.shape(emitted)))


def _with_batches(call: Call, positions: Array, shape: Sequence[int], batches: int) -> Array:
    """Coordinates that begin with the place of their own batch."""
    outer = positions.shape[:batches]
    if not 0 < batches < positions.ndim or tuple(shape[:batches]) != outer:
        call.damaged(f"{batches} batch axes of {list(positions.shape)} and {list(shape)}")
    places = np.moveaxis(np.indices(outer), 0, -1)
    places = places.reshape(*outer, *[1] * (positions.ndim - batches - 1), batches)
    spread = np.broadcast_to(places, (*positions.shape[:-1], batches))
    return np.concatenate([spread, positions], axis=-1)


def pad(call: Call) -> Value:
    """Elements added around, or cut off where the padding is negative."""
    x, order = call.scope.orderly(call.value(0))
    shape = x.layout.shape
    before, after = pad_amounts(call, len(shape))
    tensor = call.scope.laid(x, order)
    tensor = _cropped(call, tensor, [before[a] for a in order], [after[a] for a in order])
    starts, ends = (tuple(max(0, n[a]) for a in order) for n in (before, after))
    grown = [n + b + e for n, b, e in zip(shape, before, after, strict=True)]
    if any(starts) or any(ends):
        tensor = _padded(call, tensor, starts, ends)
    return Value(tensor, Layout.of(grown, order))


def pad_amounts(call: Call, rank: int) -> tuple[list[int], list[int]]:
    """Elements before and after each axis."""
    attribute = call.numbers("pads") or call.numbers("paddings")
    given = attribute if call.opset < 11 and attribute else call.integers(1, "pads")
    axes = call.integers(3, "axes") if call.optional(3) is not None else range(rank)
    if len(given) != 2 * len(axes) or any(abs(n) > 1 << 24 for n in given):
        call.damaged(f"{len(given)} pads for {len(axes)} axes")
    before, after = [0] * rank, [0] * rank
    for index, axis in enumerate(axes):
        place = call.axis_of(axis, rank)
        before[place], after[place] = given[index], given[index + len(axes)]
    return before, after


def _cropped(call: Call, tensor: str, before: list[int], after: list[int]) -> str:
    if min(*before, *after, 0) >= 0:
        return tensor
    shape = call.scope.shape(tensor)
    begin = tuple(max(0, -n) for n in before)
    size = tuple(n - b - max(0, -e) for n, b, e in zip(shape, begin, after, strict=True))
    if min(size) < 1:
        call.damaged("nothing is left of its input")
    return call.moved(Slice(begin, size, (1,) * len(size)), tensor)


def _padded(call: Call, tensor: str, before: tuple[int, ...], after: tuple[int, ...]) -> str:
    mode = call.text("mode", "constant")
    if mode == "reflect":
        return call.moved(MirrorPad(before, after, reflect=True), tensor)
    if mode == "edge":
        return repeat_edge(call, tensor, list(before), list(after))
    if mode == "wrap":
        return _wrapped(call, tensor, before, after)
    if mode != "constant":
        call.damaged(f"there is no mode {mode!r}")
    value = call.optional_constant(2, "value") if call.opset >= 11 else None
    fill = call.real("value", 0.0) if value is None else float(value.reshape(-1)[0])
    source = call.scope.builder.tensor(tensor)
    if source.quantization is not None and value is not None and value.dtype == np.uint8:
        fill -= UNSIGNED_OFFSET
    if source.quantization is not None and fill != source.quant.zero_point:
        call.refuse("quanta are padded with another value than zero", "pad before QuantizeLinear")
    whole = source.dtype is not DType.FLOAT32
    number = None if fill == 0.0 or source.quantization else (int(fill) if whole else fill)
    return call.moved(Pad(before, after, number), tensor)


def _wrapped(call: Call, tensor: str, before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """Each axis continued by its other end."""
    for axis, (lead, tail) in enumerate(zip(before, after, strict=True)):
        extent = call.scope.shape(tensor)[axis]
        if max(lead, tail) > extent:
            call.refuse("an axis is wrapped more than once", "wrap it in two steps")
        ends = (_part(call, tensor, axis, extent - lead, lead), _part(call, tensor, axis, 0, tail))
        parts = [part for part in (ends[0], tensor, ends[1]) if part]
        quant = call.scope.builder.tensor(tensor).quantization
        if len(parts) > 1:
            (tensor,) = call.scope.add(Concat(axis), parts, call.stem, quant)
    return tensor


def _part(call: Call, tensor: str, axis: int, first: int, count: int) -> str:
    """`count` slices of a physical axis; no tensor for none."""
    shape = call.scope.shape(tensor)
    begin = tuple(first if a == axis else 0 for a in range(len(shape)))
    size = tuple(count if a == axis else n for a, n in enumerate(shape))
    return call.moved(Slice(begin, size, (1,) * len(shape)), tensor) if count else ""


def repeat_edge(call: Call, tensor: str, before: list[int], after: list[int]) -> str:
    """The edge repeated, by symmetric mirroring of one element at a time."""
    if max(*before, *after) > MAX_EDGE_STEPS:
        call.refuse("an edge is repeated many times", "use constant or reflect")
    while any(before) or any(after):
        now, then = (tuple(min(n, 1) for n in side) for side in (before, after))
        tensor = call.moved(MirrorPad(now, then, reflect=False), tensor)
        before, after = (
            [n - m for n, m in zip(side, step, strict=True)]
            for side, step in ((before, now), (after, then))
        )
    return tensor


def expand(call: Call) -> Value:
    """Repeated to a shape that it broadcasts to."""
    x, wanted = call.value(0), call.integers(1, "shape")
    if any(extent < 1 for extent in wanted):
        call.refuse(f"shape {list(wanted)}", "expand to extents of at least 1")
    shape = broadcast_shape(call, (x.layout.shape, wanted))
    return _broadcast(call, x, shape)


def _broadcast(call: Call, x: Value, shape: Sequence[int]) -> Value:
    missing = len(shape) - len(x.layout.axes)
    value = Value(x.tensor, Layout(x.layout.extents, ((),) * missing + x.layout.axes))
    value, order = call.scope.orderly(value)
    if value.layout.shape == tuple(shape):
        return value
    op = BroadcastTo(tuple(shape[axis] for axis in order))
    return Value(call.moved(op, call.scope.laid(value, order)), Layout.of(shape, order))


def tile(call: Call) -> Value:
    """Repeated whole along each axis."""
    x, repeats = call.value(0), call.integers(1, "repeats")
    shape = x.layout.shape
    if len(repeats) != len(shape) or min(repeats, default=1) < 1:
        call.refuse(f"repeats {list(repeats)}", "repeat each axis at least once")
    paired = [n for extent in shape for n in (1, extent)]
    wide = [n for pair in zip(repeats, shape, strict=True) for n in pair]
    copies = _broadcast(call, reshaped(call, x, paired), wide)
    grown = [count * extent for count, extent in zip(repeats, shape, strict=True)]
    return reshaped(call, copies, grown)


def depth_to_space(call: Call) -> Value:
    """Channels become blocks of pixels; DCR is what TensorFlow Lite has, CRD moves on its own."""
    x, block = call.value(0), call.attribute("blocksize", 1)
    if len(x.layout.axes) != 4 or block < 1 or x.layout.shape[1] % block**2:
        call.damaged(f"blocks of {block} in {list(x.layout.shape)}")
    mode = call.text("mode", "DCR")
    if mode == "DCR":
        return call.as_image(call.moved(DepthToSpace(block), call.image(x)), 4)
    batch, channels, rows, cols = x.layout.shape
    depth = channels // block**2
    parts = reshaped(call, x, (batch, depth, block, block, rows, cols))
    turned = Value(parts.tensor, parts.layout.permuted((0, 1, 4, 2, 5, 3)))
    laid = call.scope.laid(turned, (0, 2, 3, 4, 5, 1))
    return call.as_image(call.scope.reshape(laid, (batch, rows * block, cols * block, depth)), 4)


def space_to_depth(call: Call) -> Value:
    """Blocks of pixels become channels."""
    x, block = call.value(0), call.attribute("blocksize", 1)
    if len(x.layout.axes) != 4 or block < 1:
        call.damaged(f"blocks of {block} in {list(x.layout.shape)}")
    if call.text("mode", "DCR") == "DCR":
        return call.as_image(call.moved(SpaceToDepth(block), call.image(x)), 4)
    batch, channels, rows, cols = x.layout.shape
    small = (rows // block, cols // block)
    parts = reshaped(call, x, (batch, channels, small[0], block, small[1], block))
    laid = call.scope.laid(parts, (0, 2, 4, 1, 3, 5))
    return call.as_image(call.scope.reshape(laid, (batch, *small, channels * block**2)), 4)


SHAPING: Mapping[str, Lowering] = {
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Identity": nothing,
    "Dropout": dropout,
    "Concat": concat,
    "Split": split,
    "Slice": slice_,
    "Gather": gather,
    "GatherND": gather_nd,
    "Pad": pad,
    "Expand": expand,
    "Tile": tile,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
}
