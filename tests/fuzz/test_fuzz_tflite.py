"""Damaged, hostile and random files: an error of smidgen's own or a model, within bounds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from fuzz_seeds import written_models
from fuzz_tflite import attack, campaign
from hypothesis import given
from hypothesis import strategies as st

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.flexbuffer import read_flexbuffer
from smidgen.frontends.tflite.reader import parse_model
from support.samples import needs_data, sample_id, tflite_files
from support.tflite_writer import schema

SEEDS = written_models()
SMALL_SAMPLES = tflite_files()[::12]


@pytest.mark.parametrize("data", SEEDS, ids=["convolution", "calls", "metadata"])
def test_the_files_to_start_from_are_sound(data: bytes) -> None:
    assert attack(parse_model, data)


def test_damaged_written_files() -> None:
    outcomes = [attack(parse_model, data) for _, data in campaign(SEEDS, 600, seed=1)]
    # Both must happen, or the damage is too coarse or too slight to say anything.
    assert 0.02 < sum(outcomes) / len(outcomes) < 0.9


@pytest.mark.slow
def test_many_damaged_written_files() -> None:
    assert sum(attack(parse_model, data) for _, data in campaign(SEEDS, 60000, seed=2))


@needs_data
@pytest.mark.parametrize("path", SMALL_SAMPLES, ids=sample_id)
def test_damaged_real_files(path: Path) -> None:
    for _, data in campaign([path.read_bytes()], 20, seed=3):
        attack(parse_model, data)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("path", tflite_files(), ids=sample_id)
def test_many_damaged_real_files(path: Path) -> None:
    for _, data in campaign([path.read_bytes()], 200, seed=4):
        attack(parse_model, data)


@pytest.mark.parametrize("data", SEEDS, ids=["convolution", "calls", "metadata"])
def test_each_byte_at_its_extremes(data: bytes) -> None:
    for position in range(0, len(data), 3):
        for value in (0, 0xFF):
            changed = bytearray(data)
            changed[position] = value
            attack(parse_model, bytes(changed))


@given(st.binary(max_size=400), st.integers(0, 64))
def test_random_bytes_behind_the_identifier(tail: bytes, root: int) -> None:
    attack(parse_model, struct.pack("<I", root) + b"TFL3" + tail)


@given(st.binary(max_size=300))
def test_random_flexbuffers(data: bytes) -> None:
    attack(read_flexbuffer, data)


def model_file(build: Callable[[flatbuffers.Builder], dict[int, int]]) -> bytes:
    """A file whose root has the fields that `build` returns: slot to offset."""
    builder = flatbuffers.Builder(1024)
    slots = build(builder)
    builder.StartObject(8)
    builder.PrependUint32Slot(0, 3, 0)
    for slot, offset in slots.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    return bytes(builder.Output())


def repeated(builder: flatbuffers.Builder, table: int, count: int) -> int:
    """A vector that names one table `count` times."""
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()


def rich_tensor(builder: flatbuffers.Builder, shape: list[int], scales: int) -> int:
    tensor = schema.TensorT()
    tensor.shape, tensor.name = np.array(shape, np.int32), "a name that takes some room" * 8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = np.ones(scales, np.float32)
    tensor.quantization.zeroPoint = np.zeros(scales, np.int64)
    tensor.buffer, tensor.type = 1, schema.TensorType.INT4
    return tensor.Pack(builder)


def hostile(tensors: int, subgraphs: int, elements: int) -> bytes:
    """One heavy tensor, named again and again by one subgraph, named again and again."""

    def build(builder: flatbuffers.Builder) -> dict[int, int]:
        buffer = schema.BufferT()
        buffer.data = np.zeros((elements + 1) // 2, np.uint8)
        content = buffer.Pack(builder)
        tensor = rich_tensor(builder, [elements], elements)
        vector = repeated(builder, tensor, tensors)
        builder.StartObject(5)
        builder.PrependUOffsetTRelativeSlot(0, vector, 0)
        graph = builder.EndObject()
        return {2: repeated(builder, graph, subgraphs), 4: repeated(builder, content, 2)}

    return model_file(build)


def test_a_few_shared_parts_are_fine() -> None:
    model = parse_model(hostile(3, 2, 9), "m")
    assert [tensor.shape for tensor in model.subgraphs[1].tensors] == [(9,)] * 3


@pytest.mark.parametrize(
    ("tensors", "subgraphs", "elements"),
    [(20000, 1, 4), (1, 20000, 4), (500, 500, 4), (2000, 2000, 2), (1000, 1, 50000)],
)
def test_parts_that_are_named_again_and_again(tensors: int, subgraphs: int, elements: int) -> None:
    data = hostile(tensors, subgraphs, elements)
    assert not attack(parse_model, data)
    with pytest.raises(ModelFileError, match="refer to each other more often"):
        parse_model(data, "m")


def words(data: bytes) -> range:
    return range(8, len(data) - 3, 4)


@pytest.mark.parametrize("word", [0xFFFFFFFF, 0x7FFFFFFF, 0x3FFFFFFF, 0])
def test_every_length_and_offset_at_its_extreme(word: int) -> None:
    for at in words(SEEDS[0]):
        attack(parse_model, SEEDS[0][:at] + struct.pack("<I", word) + SEEDS[0][at + 4 :])


def test_every_offset_back_to_the_root() -> None:
    data = SEEDS[1]
    root = struct.unpack_from("<I", data)[0]
    for at in words(data):
        attack(parse_model, data[:at] + struct.pack("<I", (root - at) % 2**32) + data[at + 4 :])


def test_a_table_that_is_its_own_vtable() -> None:
    data = struct.pack("<I4sIIII", 12, b"TFL3", 0, 0, 4, 4)
    with pytest.raises(ModelFileError):
        parse_model(data, "m")


def test_a_declared_length_costs_nothing() -> None:
    def build(builder: flatbuffers.Builder) -> dict[int, int]:
        return {2: builder.CreateByteVector(b"1234")}

    data = bytearray(model_file(build))
    at = data.index(struct.pack("<I", 4) + b"1234")
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    with pytest.raises(ModelFileError, match="claims 4294967295 elements"):
        parse_model(bytes(data), "m")
