"""Shapes, joints and cuts, reductions, gathers, resizings, and what keeps state."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from properties.net import Net, Value, like, output_scale, random_data, zero_point
from properties.table import layer
from support.tflite_writer import OperatorSpec, SubgraphSpec, TensorSpec

EVERY = ("int8", "int16", "int32", "float32", "bool")
COMMON = ("int8", "int16", "int32", "float32")
_MOST = 3000


@layer("RESHAPE", "SQUEEZE", "EXPAND_DIMS", dtypes=EVERY, weight=2)
def reshape(net: Net, x: Value, name: str) -> list[Value] | None:
    if name == "SQUEEZE":
        shape = [n for n in x.shape if n != 1]
        return net.add(name, [x], [like(x, shape)], {}) if shape else None
    if name == "EXPAND_DIMS":
        if len(x.shape) > 4 or x.dtype in ("bool", "int32"):
            return None
        axis = net.whole(0, len(x.shape))
        shape = [*x.shape[:axis], 1, *x.shape[axis:]]
        return net.add(name, [x, net.constant([axis])], [like(x, shape)])
    rest, wanted = x.elements, []
    for _ in range(net.whole(0, 3)):
        divisors = [n for n in range(1, min(rest, 12) + 1) if rest % n == 0]
        wanted.append(net.pick(divisors))
        rest //= wanted[-1]
    wanted.append(rest)
    net.rng.shuffle(wanted)
    return net.add(name, [x, net.constant(wanted)], [like(x, wanted)], {"new_shape": wanted})


@layer("TRANSPOSE", dtypes=("int8", "int16", "float32"), ranks=(2, 3, 4, 5))
def transpose(net: Net, x: Value, name: str) -> list[Value] | None:
    order = net.rng.permutation(len(x.shape)).tolist()
    return net.add(name, [x, net.constant(order)], [like(x, [x.shape[axis] for axis in order])])


@layer("REVERSE_V2", dtypes=COMMON)
def reverse(net: Net, x: Value, name: str) -> list[Value] | None:
    return net.add(name, [x, net.constant([net.whole(0, len(x.shape) - 1)])], [like(x)])


@layer("CONCATENATION", "PACK", dtypes=COMMON, ranks=(1, 2, 3, 4), weight=2)
def join(net: Net, x: Value, name: str) -> list[Value] | None:
    """With inputs, constants, `x` again, or values of the same quantisation."""
    count, packs = net.whole(2, 4), name == "PACK"
    axis = net.whole(0, len(x.shape) - (0 if packs else 1))
    parts, length = [x], 0 if packs else x.shape[axis]
    for _ in range(count - 1):
        shape = list(x.shape)
        if not packs:
            shape[axis] = net.whole(1, 4)
        same = [v for v in net.open_values() if _alike(v, x, tuple(shape))]
        if same and net.chance(0.6):
            parts.append(net.pick(same))
        elif net.chance(0.5):
            parts.append(net.input(like(x, shape, exact=True)))
        else:
            kind = like(x, shape, exact=True)
            data = random_data(net, kind)
            index = net.constant(data, x.dtype, scale=x.scale, zero_point=x.zero_point)
            parts.append(like(kind, index=index))
        length += shape[axis] if not packs else 0
    net.rng.shuffle(parts)  # type: ignore[arg-type]
    if packs:
        shape, options = [*x.shape[:axis], count, *x.shape[axis:]], {"values_count": count}
    else:
        shape, options = [*x.shape[:axis], length, *x.shape[axis + 1 :]], {}
    if math.prod(shape) > _MOST:
        return None
    exact = all(part.exact for part in parts)
    return net.add(name, parts, [like(x, shape, exact=exact)], {"axis": axis, **options})


def _alike(v: Value, x: Value, shape: tuple[int, ...]) -> bool:
    return (v.dtype, v.scale, v.zero_point, v.shape) == (x.dtype, x.scale, x.zero_point, shape)


@layer("SPLIT", "SPLIT_V", "UNPACK", dtypes=COMMON, ranks=(2, 3, 4))
def cut(net: Net, x: Value, name: str) -> list[Value] | None:
    axis = net.whole(0, len(x.shape) - 1)
    extent = x.shape[axis]
    if extent > 8 or extent < 2:
        return None
    if name == "UNPACK":
        rest = [n for place, n in enumerate(x.shape) if place != axis]
        return net.add(name, [x], [like(x, rest)] * extent, {"axis": axis, "num": extent})
    if name == "SPLIT":
        count = net.pick([n for n in range(1, extent + 1) if extent % n == 0])
        sizes = [extent // count] * count
    else:
        first = net.whole(1, extent - 1)
        sizes = [first, extent - first]
    made = [like(x, [*x.shape[:axis], size, *x.shape[axis + 1 :]]) for size in sizes]
    where = net.constant(axis - (len(x.shape) if net.chance(0.3) else 0))
    if name == "SPLIT":
        return net.add(name, [where, x], made, {"num_splits": len(sizes)})
    return net.add(name, [x, net.constant(sizes), where], made, {"num_splits": len(sizes)})


@layer("SLICE", "STRIDED_SLICE", dtypes=EVERY, ranks=(1, 2, 3, 4), weight=2)
def slice_(net: Net, x: Value, name: str) -> list[Value] | None:
    begin = [net.whole(0, n - 1) for n in x.shape]
    size = [net.whole(1, n - b) for n, b in zip(x.shape, begin, strict=True)]
    if name == "SLICE":
        inputs = [x, net.constant(begin), net.constant(size)]
        return net.add(name, inputs, [like(x, size)])
    stride = [net.pick([1, 1, 1, 2, 3, -1, -2]) for _ in x.shape]
    spans = [
        (b, b + s, step) if step > 0 else (b + s - 1, b - 1 if b else -n - 1, step)
        for b, s, step, n in zip(begin, size, stride, x.shape, strict=True)
    ]
    extents = [-(-s // abs(step)) for s, step in zip(size, stride, strict=True)]
    inputs = [x, *(net.constant(list(part)) for part in zip(*spans, strict=True))]
    return net.add(name, inputs, [like(x, extents)], {"begin_mask": 0, "end_mask": 0})


@layer("PAD", "PADV2", "MIRROR_PAD", dtypes=COMMON, ranks=(1, 2, 3, 4), weight=2)
def pad(net: Net, x: Value, name: str) -> list[Value] | None:
    if name == "MIRROR_PAD" and x.dtype not in ("int8", "float32"):
        return None
    mode = net.whole(0, 1)
    limits = [n - 1 + mode if name == "MIRROR_PAD" else 2 for n in x.shape]
    margins = [[net.whole(0, min(limit, 2)) * net.chance(0.6) for _ in range(2)]
               for limit in limits]  # fmt: skip
    shape = [n + sum(margin) for n, margin in zip(x.shape, margins, strict=True)]
    if math.prod(shape) > _MOST:
        return None
    inputs = [x, net.constant(margins)]
    if name == "PADV2":
        data = np.asarray(random_data(net, like(x, ())))
        inputs.append(net.constant(data, x.dtype, scale=x.scale, zero_point=x.zero_point))
    y = like(x, shape, low=min(x.low, -50.0), high=max(x.high, 50.0))
    return net.add(name, inputs, [y], {"mode": mode} if name == "MIRROR_PAD" else None)


@layer("BROADCAST_TO", dtypes=EVERY, ranks=(1, 2, 3, 4))
def broadcast(net: Net, x: Value, name: str) -> list[Value] | None:
    shape = [net.whole(1, 4) if n == 1 else n for n in x.shape]
    if len(shape) < 4 and net.chance(0.4):
        shape = [net.whole(1, 3), *shape]
    if math.prod(shape) > _MOST:
        return None
    return net.add(name, [x, net.constant(shape)], [like(x, shape)])


@layer("SPACE_TO_DEPTH", "DEPTH_TO_SPACE", dtypes=("int8", "float32"), ranks=(4,))
def blocks(net: Net, x: Value, name: str) -> list[Value] | None:
    n, rows, cols, depth = x.shape
    block = net.pick([1, 2, 3])
    if name == "SPACE_TO_DEPTH":
        if rows % block or cols % block:
            return None
        shape = (n, rows // block, cols // block, depth * block**2)
    else:
        if depth % block**2:
            return None
        shape = (n, rows * block, cols * block, depth // block**2)
    return net.add(name, [x], [like(x, shape)], {"block_size": block})


@layer("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", dtypes=("int8", "float32"), ranks=(4,))
def batches(net: Net, x: Value, name: str) -> list[Value] | None:
    """Without padding, whose value Micro leaves open."""
    n, rows, cols, depth = x.shape
    block = [net.whole(1, 3) for _ in range(2)]
    inputs = [x, net.constant(block), net.constant([[0, 0], [0, 0]])]
    if name == "SPACE_TO_BATCH_ND":
        if rows % block[0] or cols % block[1]:
            return None
        shape = (n * math.prod(block), rows // block[0], cols // block[1], depth)
    else:
        if n % math.prod(block):
            return None
        shape = (n // math.prod(block), rows * block[0], cols * block[1], depth)
    return net.add(name, inputs, [like(x, shape)])


@layer("ZEROS_LIKE", dtypes=("int8", "int32", "float32"))
def zeros(net: Net, x: Value, name: str) -> list[Value] | None:
    return net.add(name, [x], [like(x, low=0.0, high=0.0, exact=True)])


@layer("SHAPE", dtypes=EVERY)
def shape_of(net: Net, x: Value, name: str) -> list[Value] | None:
    y = Value(-1, (len(x.shape),), "int32", low=0.0, high=float(max(x.shape)))
    return net.add(name, [x], [y], {"out_type": 2})


@layer("MEAN", "SUM", dtypes=("int8", "int16", "float32"), ranks=(2, 3, 4), weight=2)
def mean(net: Net, x: Value, name: str) -> list[Value] | None:
    axes, options, shape = _reduced(net, x)
    count = x.elements // max(1, math.prod(shape))
    if x.dtype == "float32":
        reach = max(abs(x.low), abs(x.high)) * (count if name == "SUM" else 1)
        y = like(x, shape, low=-reach, high=reach, exact=False)
        return net.add(name, [x, axes], [y], options) if reach < 1e4 else None
    assert x.scale
    y = like(x, shape)
    if net.chance(0.7):
        natural = x.scale * (count**0.5 if name == "SUM" else 1)
        y = like(y, scale=output_scale(net, natural, 2.0), zero_point=zero_point(net, x.dtype))
    return net.add(name, [x, axes], [y], options)


@layer("REDUCE_MAX", "REDUCE_MIN", dtypes=("int8", "float32"), ranks=(2, 3, 4))
@layer("REDUCE_ALL", dtypes=("bool",), ranks=(2, 3, 4))
def extreme(net: Net, x: Value, name: str) -> list[Value] | None:
    axes, options, shape = _reduced(net, x)
    return net.add(name, [x, axes], [like(x, shape)], options)


def _reduced(net: Net, x: Value) -> tuple[int, dict[str, bool], list[int]]:
    rank = len(x.shape)
    axes = net.rng.choice(rank, net.whole(1, min(2, rank - 1)), replace=False).tolist()
    if rank == 4 and net.chance(0.5):
        axes = [1, 2]
    keeps = net.chance(0.5)
    shape = [1 if axis in axes else n for axis, n in enumerate(x.shape)]
    if not keeps:
        shape = [n for axis, n in enumerate(x.shape) if axis not in axes]
    return net.constant(axes), {"keep_dims": keeps}, shape


@layer("ARG_MAX", "ARG_MIN", dtypes=("int8", "float32"), ranks=(2, 3, 4), needs_exact=True)
def argument(net: Net, x: Value, name: str) -> list[Value] | None:
    axis = net.whole(0, len(x.shape) - 1)
    rest = [n for place, n in enumerate(x.shape) if place != axis]
    y = Value(-1, tuple(rest), "int32", low=0.0, high=float(x.shape[axis]))
    return net.add(name, [x, net.constant(axis)], [y], {"output_type": 2})


@layer("CUMSUM", dtypes=("int8", "float32"), ranks=(1, 2, 3, 4))
def running_sum(net: Net, x: Value, name: str) -> list[Value] | None:
    axis = net.whole(0, len(x.shape) - 1)
    options = {"exclusive": net.chance(0.5), "reverse": net.chance(0.5)}
    if x.dtype == "float32":
        reach = max(abs(x.low), abs(x.high)) * x.shape[axis]
        y = like(x, low=-reach, high=reach, exact=False)
        return net.add(name, [x, net.constant(axis)], [y], options) if reach < 1e4 else None
    assert x.scale
    if x.shape[axis] > 12:
        return None  # Micro's sums, 19 bits finer than the quanta, overflow
    y = like(x, scale=output_scale(net, 2 * x.scale, 2.0), zero_point=zero_point(net, "int8"))
    return net.add(name, [x, net.constant(axis)], [y], options)


@layer("GATHER", dtypes=("int8", "float32"), ranks=(1, 2, 3))
def gather(net: Net, x: Value, name: str) -> list[Value] | None:
    axis = net.whole(0, len(x.shape) - 1)
    picks = net.rng.integers(0, x.shape[axis], [net.whole(1, 4) for _ in range(net.whole(1, 2))])
    shape = [*x.shape[:axis], *picks.shape, *x.shape[axis + 1 :]]
    options = {"axis": axis, "batch_dims": 0}
    return net.add(name, [x, net.constant(picks)], [like(x, shape)], options)


@layer("GATHER_ND", "EMBEDDING_LOOKUP", dtypes=("int8", "float32"), ranks=(2, 3))
def gather_rows(net: Net, x: Value, name: str) -> list[Value] | None:
    count = net.whole(1, 4)
    if name == "EMBEDDING_LOOKUP":
        table = random_data(net, like(x))
        index = net.constant(table, x.dtype, scale=x.scale, zero_point=x.zero_point)
        rows = net.constant(net.rng.integers(0, x.shape[0], count))
        return net.add(name, [rows, index], [like(x, (count, *x.shape[1:]), exact=True)])
    depth = net.whole(1, len(x.shape))
    picks = np.stack([net.rng.integers(0, n, count) for n in x.shape[:depth]], -1)
    return net.add(name, [x, net.constant(picks)], [like(x, (count, *x.shape[depth:]))])


@layer("SELECT_V2", dtypes=("int8", "int16", "float32"), ranks=(1, 2, 3, 4))
def select(net: Net, x: Value, name: str) -> list[Value] | None:
    shape = tuple(n if net.chance(0.7) else 1 for n in x.shape)
    condition = net.input(Value(-1, shape, "bool"))
    other = net.input(like(x, exact=True))
    return net.add(name, [condition, x, other], [like(x)])


@layer("SELECT", dtypes=COMMON, ranks=(1, 2, 3, 4), beyond_micro=True)
def select_rows(net: Net, x: Value, name: str) -> list[Value] | None:
    condition = net.input(Value(-1, net.pick([x.shape, x.shape[:1]]), "bool"))
    return net.add(name, [condition, x, net.input(like(x, exact=True))], [like(x)])


@layer("TILE", dtypes=EVERY, ranks=(1, 2, 3), beyond_micro=True)
def tile(net: Net, x: Value, name: str) -> list[Value] | None:
    repeats = [net.whole(1, 3) for _ in x.shape]
    shape = [count * extent for count, extent in zip(repeats, x.shape, strict=True)]
    if math.prod(shape) > _MOST:
        return None
    return net.add(name, [x, net.constant(repeats)], [like(x, shape)])


@layer("REVERSE_SEQUENCE", dtypes=COMMON, ranks=(2, 3, 4), beyond_micro=True)
def reverse_rows(net: Net, x: Value, name: str) -> list[Value] | None:
    along, rows = net.rng.permutation(len(x.shape))[:2].tolist()
    if x.shape[rows] > 4:
        return None
    lengths = [net.whole(0, x.shape[along]) for _ in range(x.shape[rows])]
    options = {"seq_dim": along, "batch_dim": rows}
    return net.add(name, [x, net.constant(lengths)], [like(x)], options)


@layer("DYNAMIC_UPDATE_SLICE", dtypes=("int8", "float32"), ranks=(1, 2, 3, 4))
def update(net: Net, x: Value, name: str) -> list[Value] | None:
    part = net.input(like(x, [net.whole(1, n) for n in x.shape], exact=True))
    begin = net.input(Value(-1, (len(x.shape),), "int32", low=-2.0, high=6.0))
    return net.add(name, [x, part, begin], [like(x)])


@layer("RESIZE_NEAREST_NEIGHBOR", dtypes=("int8", "int16", "float32"), ranks=(4,))
@layer("RESIZE_BILINEAR", dtypes=("int8", "float32"), ranks=(4,))
def resize(net: Net, x: Value, name: str) -> list[Value] | None:
    size = [net.whole(1, 9) for _ in range(2)]
    shape = (x.shape[0], *size, x.shape[3])
    if math.prod(shape) > _MOST:
        return None
    corners = net.chance(0.3)
    options = {"align_corners": corners, "half_pixel_centers": not corners and net.chance(0.4)}
    exact = x.exact and name == "RESIZE_NEAREST_NEIGHBOR"
    return net.add(name, [x, net.constant(size)], [like(x, shape, exact=exact)], options)


@layer("READ_VARIABLE", dtypes=("int8", "int16", "float32"), ranks=(2, 3, 4), weight=2)
def window(net: Net, x: Value, name: str) -> list[Value] | None:
    """A variable that the newest rows are shifted into: join, keep the tail, give all."""
    del name
    if x.elements > 400:
        return None
    kept = like(x, (x.shape[0], net.whole(1, 4), *x.shape[2:]))
    total = kept.shape[1] + x.shape[1]
    handle = net.tensor(TensorSpec([], "resource"))
    shared = {"shared_name": f"state{handle}", "container": ""}
    net.operators.append(OperatorSpec("VAR_HANDLE", [], [handle], shared))
    if net.chance(0.5):
        _initialise(net, kept, shared)
    (before,) = net.add("READ_VARIABLE", [handle], [kept])
    (joined,) = net.add("CONCATENATION", [before, x],
                        [like(x, (x.shape[0], total, *x.shape[2:]))], {"axis": 1})  # fmt: skip
    begin = [0] * len(x.shape)
    begin[1] = x.shape[1]
    places = [net.constant(begin), net.constant(list(kept.shape))]
    (tail,) = net.add("SLICE", [joined, *places], [kept])
    net.operators.append(OperatorSpec("ASSIGN_VARIABLE", [handle, tail.index], []))
    net.used.update({handle, tail.index})
    net.values.remove(tail)
    return [joined]


def _initialise(net: Net, kept: Value, shared: dict[str, str]) -> None:
    first = random_data(net, replace(kept, low=-1.0, high=1.0))
    spec = TensorSpec(list(kept.shape), kept.dtype, kept.scale, kept.zero_point, data=first)
    operators = [OperatorSpec("VAR_HANDLE", [], [0], shared),
                 OperatorSpec("ASSIGN_VARIABLE", [0, 1], [])]  # fmt: skip
    subgraph = SubgraphSpec([TensorSpec([], "resource"), spec], operators, [], [], "init")
    net.subgraphs.append(subgraph)
    options = {"init_subgraph_index": len(net.subgraphs)}
    net.operators.insert(0, OperatorSpec("CALL_ONCE", [], [], options))
