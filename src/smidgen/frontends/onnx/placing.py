"""Elements picked from, or put into, places that are known at import: one Gather each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.onnx.broadcasting import shape_of
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import combine
from smidgen.frontends.onnx.shaping import checked_positions, joined, picked, reshaped
from smidgen.frontends.onnx.values import Constant, Operand, Value

_KINDS: Mapping[str, str] = {"add": "Add", "mul": "Mul", "max": "Max", "min": "Min"}
_MOST_ROUNDS = 32
"""How often one element may be updated."""


def _at(call: Call, sources: Sequence[Operand], places: Array) -> Value:
    """The elements at `places` of all `sources`, flat and one behind the other."""
    flat = [_flat(call, source) for source in sources]
    whole = joined(call, flat, 0) if len(flat) > 1 else flat[0]
    chosen = picked(call, whole, Constant(places.reshape(-1)), 0)
    return reshaped(call, chosen, places.shape)


def _flat(call: Call, source: Operand) -> Value:
    value = call.scope.plain(call.scope.as_value(source, call.stem))
    return reshaped(call, value, (math.prod(value.layout.shape),))


def _numbered(shape: Sequence[int]) -> Array:
    """Each place of `shape` with the number of its element."""
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def _along(call: Call, shape: Sequence[int], index: int) -> Array:
    """The elements of `shape` that input `index` names along `axis`, in its own places else."""
    rank = len(shape)
    axis = call.axis(0, rank)
    positions = checked_positions(call, call.known(index, "positions"), shape[axis])
    if positions.ndim != rank or any(
        own > extent
        for place, (own, extent) in enumerate(zip(positions.shape, shape, strict=True))
        if place != axis
    ):
        call.damaged(f"positions of {list(positions.shape)} in {list(shape)}")
    coordinates: list[Array] = list(np.indices(positions.shape, sparse=True))
    coordinates[axis] = positions
    return np.asarray(_numbered(shape)[tuple(coordinates)])


def gather_elements(call: Call) -> Value:
    """Elements at positions along an axis."""
    x = call.value(0)
    return _at(call, [x], _along(call, x.layout.shape, 1))


def scatter_elements(call: Call) -> Value:
    """Updates put at positions along an axis."""
    return _updated(call, _along(call, shape_of(call.operand(0)), 1))


def scatter_nd(call: Call) -> Value:
    """Updates put at coordinates, each a slice of what the coordinates leave."""
    shape, positions = shape_of(call.operand(0)), call.constant(1, "positions")
    depth = positions.shape[-1] if positions.ndim else 0
    if not 0 < depth <= len(shape) or not positions.size or positions.dtype.kind not in "iu":
        call.damaged(f"coordinates of {depth} numbers in {list(shape)}")
    limits = np.array(shape[:depth])
    chosen = np.where(positions < 0, positions + limits, positions)
    if chosen.min() < 0 or np.any(chosen >= limits):
        call.damaged("a coordinate lies outside")
    return _updated(call, np.asarray(_numbered(shape)[tuple(np.moveaxis(chosen, -1, 0))]))


def _updated(call: Call, places: Array) -> Value:
    """Input 0 with input 2 put at `places`, or combined with what is there."""
    data, updates = call.operand(0), call.operand(2)
    if shape_of(updates) != places.shape:
        call.damaged(f"updates of {list(shape_of(updates))} for {list(places.shape)} places")
    kind, flat = call.text("reduction", "none"), places.reshape(-1)
    if kind == "none":
        return _put(call, data, flat, updates)
    if kind not in _KINDS:
        call.damaged(f"there is no reduction {kind!r}")
    for chosen in _rounds(call, flat):
        there, given = (_at(call, [x], at) for x, at in ((data, flat[chosen]), (updates, chosen)))
        data = _put(call, data, flat[chosen], combine(call, _KINDS[kind], there, given))
    assert isinstance(data, Value)
    return data


def _put(call: Call, data: Operand, places: Array, updates: Operand) -> Value:
    """`data` with the last of `updates` for a place there."""
    sources = _numbered(shape_of(data))
    sources.reshape(-1)[places] = sources.size + np.arange(places.size)
    return _at(call, [data, updates], sources)


def _rounds(call: Call, places: Array) -> list[Array]:
    """The updates in as few parts as have no place twice, in their order."""
    rounds, left = [], np.arange(places.size)
    while left.size:
        _, first = np.unique(places[left], return_index=True)
        rounds.append(left[np.sort(first)])
        left = np.delete(left, first)
        if len(rounds) > _MOST_ROUNDS:
            call.refuse("an element is updated many times", "sum the updates before")
    return rounds


def compress(call: Call) -> Value:
    """Slices along an axis, or elements, that a constant chooses."""
    x = call.value(0)
    if "axis" not in call.node.attributes:
        x, axis = _flat(call, x), 0
    else:
        axis = call.axis(0, len(x.layout.axes))
    chosen = np.flatnonzero(call.constant(1, "condition"))
    if not chosen.size:
        call.refuse("its result is empty", "leave it out")
    return picked(call, x, Constant(chosen), axis)


def reverse_sequence(call: Call) -> Value:
    """The first steps of each sequence in reverse."""
    x, lengths = call.value(0), call.integers(1, "lengths")
    rank = len(x.layout.axes)
    time, batch = call.axis(0, rank, "time_axis"), call.axis(1, rank, "batch_axis")
    steps, count = (x.layout.shape[axis] for axis in (time, batch))
    if time == batch or len(lengths) != count or not 0 <= min(lengths) <= max(lengths) <= steps:
        call.damaged(f"lengths {list(lengths)} in {list(x.layout.shape)}")
    step, reach = np.arange(steps)[:, np.newaxis], np.array(lengths)
    sources = np.where(step < reach, reach - 1 - step, step)
    order = sources if time < batch else sources.T
    shape = [n if axis in (time, batch) else 1 for axis, n in enumerate(x.layout.shape)]
    numbered = _numbered(x.layout.shape)
    return _at(call, [x], np.take_along_axis(numbered, order.reshape(shape), time))


PLACING: Mapping[str, Lowering] = {
    "GatherElements": gather_elements,
    "Scatter": scatter_elements,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Compress": compress,
    "ReverseSequence": reverse_sequence,
}
