"""FlexBuffers read back as the `flatbuffers` package writes them; damaged ones are refused."""

from __future__ import annotations

from typing import Any

import pytest
from flatbuffers import flexbuffers
from hypothesis import example, given
from hypothesis import strategies as st

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.flexbuffer import read_flexbuffer, read_flexbuffer_map

# The writer takes ASCII keys, and floats whose size a single-precision float can have.
KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e30, 1e30)
    | st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


def as_read(value: Any) -> Any:
    """What a reader returns for `value`: vectors are tuples."""
    if isinstance(value, dict):
        return {key: as_read(inner) for key, inner in value.items()}
    return tuple(as_read(inner) for inner in value) if isinstance(value, list) else value


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@example({"a": [1, 2, 3], "b": [0.5, -1e30], "c": {"d": [True, None, "x"]}})
def test_maps_read_back(value: dict[str, Any]) -> None:
    assert read_flexbuffer_map(bytes(flexbuffers.Dumps(value)), "m") == as_read(value)


@given(VALUES)
def test_values_read_back(value: Any) -> None:
    assert read_flexbuffer(bytes(flexbuffers.Dumps(value)), "m") == as_read(value)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_vectors_of_fixed_length_read_back(count: int) -> None:
    builder = flexbuffers.Builder()
    builder.FixedTypedVectorFromElements([-5, 6, 7, 300][:count])
    assert read_flexbuffer(bytes(builder.Finish()), "m") == (-5, 6, 7, 300)[:count]


def test_typed_vectors_blobs_and_indirect_numbers_read_back() -> None:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("floats")
        builder.TypedVectorFromElements([1.5, 2.5])
        builder.Key("bools")
        builder.TypedVectorFromElements([True, False])
        builder.Key("blob")
        builder.Blob(b"\1\2")
        builder.Key("far")
        builder.IndirectInt(-70000)
        builder.Key("small")
        builder.IndirectFloat(0.25)
    assert read_flexbuffer_map(bytes(builder.Finish()), "m") == {
        "floats": (1.5, 2.5),
        "bools": (True, False),
        "blob": b"\1\2",
        "far": -70000,
        "small": 0.25,
    }


def test_no_bytes_are_an_empty_map() -> None:
    assert read_flexbuffer_map(b"", "m") == {}


def test_a_root_that_is_no_map_is_refused() -> None:
    with pytest.raises(ModelFileError, match="the root is no map"):
        read_flexbuffer_map(bytes(flexbuffers.Dumps([1])), "m")


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_value_or_an_error(data: bytes) -> None:
    try:
        read_flexbuffer(data, "some thing")
    except ModelFileError as error:
        assert str(error).startswith("some thing: ")


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.data())
def test_one_changed_byte_ends_in_a_value_or_an_error(value: dict, data: st.DataObject) -> None:
    changed = bytearray(flexbuffers.Dumps(value))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_flexbuffer_map(bytes(changed), "m")
    except ModelFileError as error:
        assert error.hint


def test_a_vector_that_contains_itself_is_refused() -> None:
    # One element, whose offset of 0 bytes back is the vector; type 10 (vector) of 1-byte width.
    with pytest.raises(ModelFileError, match="nest too deep"):
        read_flexbuffer(bytes([1, 0, 40, 2, 40, 1]), "m")


def test_shared_vectors_do_not_multiply() -> None:
    # Each of 24 levels is a vector that names the level below twice: 2**24 leaves in 100 bytes.
    data = bytearray([2, 1, 1, 4, 4])
    below = 1
    for _ in range(24):
        start = len(data) + 1
        data += bytes([2, start - below, start + 1 - below, 40, 40])
        below = start
    data += bytes([len(data) - below, 40, 1])
    with pytest.raises(ModelFileError, match="too often"):
        read_flexbuffer(bytes(data), "m")
