"""Operators with operands that make no sense are refused by name, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels import test_index, test_movement, test_reduce, test_resize, test_state
from smidgen.core.errors import SmidgenError
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from support.tflite_writer import pack, unpack

FAMILIES = (
    test_movement.joined,
    test_movement.cut,
    test_movement.padded,
    test_movement.sliced,
    test_movement.arranged,
    test_movement.blocks,
    test_movement.reshaped,
    test_index.gathered,
    test_index.chosen,
    test_index.running,
    test_reduce.extremes,
)


def files() -> Iterator[bytes]:
    rng = np.random.default_rng(0)
    for family in FAMILIES:
        seen: set[str] = set()
        for model in family(rng):
            kind = model.name.split()[0]
            if kind not in seen:
                seen.add(kind)
                yield model.data
    for model in test_resize.resized("RESIZE_BILINEAR", ("int8",), rng):
        yield model.data
        break
    yield test_state.window_model("int8").data
    yield test_state.circular_model(3, 1).data
    yield test_state.loop_model(known=True).data


def damage(rng: np.random.Generator, data: bytes) -> bytes:
    """The file with one thing changed that its schema still allows."""
    model = unpack(data)
    graph = model.subgraphs[rng.integers(len(model.subgraphs))]
    operator = graph.operators[rng.integers(len(graph.operators))]
    tensor = graph.tensors[rng.integers(len(graph.tensors))]
    choice = rng.integers(0, 6)
    if choice == 0:
        operator.inputs = operator.inputs[: rng.integers(0, len(operator.inputs) + 1)]
    elif choice == 1 and len(operator.inputs):
        operator.inputs = rng.choice(np.arange(-1, len(graph.tensors)), len(operator.inputs))
    elif choice == 2:
        operator.outputs = operator.outputs[: rng.integers(0, len(operator.outputs) + 1)]
    elif choice == 3:
        buffer = model.buffers[tensor.buffer]
        if buffer.data is not None and len(buffer.data):
            values = rng.choice([0, 1, 2, 127, 254, 255], len(buffer.data))
            where = rng.random(len(buffer.data)) < 0.3
            buffer.data = np.where(where, values, buffer.data).astype(np.uint8)
    elif choice == 4 and len(tensor.shape):
        tensor.shape = rng.integers(0, 5, rng.integers(0, 5)).astype(np.int32)
    else:
        tensor.type = int(rng.choice([0, 1, 2, 4, 6, 7, 9, 3]))
    return pack(model)


@pytest.mark.parametrize("part", range(4))
def test_damage_is_named(part: int) -> None:
    rng = np.random.default_rng(part)
    whole = list(files())
    refused = 0
    for _ in range(12):
        for data in whole:
            damaged = damage(rng, data)
            try:
                convert(parse_model(damaged, "damaged"), "damaged")
            except SmidgenError as problem:
                refused += 1
                assert "damaged" in str(problem)
    assert refused > len(whole)
