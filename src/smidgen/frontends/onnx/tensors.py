"""TensorProto messages become NumPy arrays, with all their ways of storing numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ModelFileError, UnsupportedType
from smidgen.frontends.onnx.narrow import NARROW_INTEGERS, TINY_FLOATS, bits_of, unpacked
from smidgen.frontends.onnx.wire import Message

DIMS, DATA_TYPE, SEGMENT, FLOAT_DATA, INT32_DATA, INT64_DATA, NAME = 1, 2, 3, 4, 5, 7, 8
RAW_DATA, DOUBLE_DATA, UINT64_DATA, EXTERNAL_DATA, DATA_LOCATION = 9, 10, 11, 13, 14
EXTERNAL = 1
MAX_ELEMENTS = 1 << 26
"""Elements of one tensor; 64 million are more than any microcontroller can address."""

# fmt: off
TYPE_NAMES = (
    "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
    "float16", "double", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn",
    "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0",
    "uint2", "int2",
)
# fmt: on
FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64 = 1, 2, 3, 4, 5, 6, 7
BOOL, FLOAT16, DOUBLE, UINT32, UINT64, BFLOAT16 = 9, 10, 11, 12, 13, 16

UNSIGNED_OFFSET = 128
"""What uint8 quanta lose on their way to int8."""

STORED: Mapping[int, str] = {
    FLOAT: "<f4",
    UINT8: "u1",
    INT8: "i1",
    UINT16: "<u2",
    INT16: "<i2",
    INT32: "<i4",
    INT64: "<i8",
    BOOL: "?",
    FLOAT16: "<f2",
    DOUBLE: "<f8",
    UINT32: "<u4",
    UINT64: "<u8",
}
"""The NumPy dtype of raw data, for types whose elements are whole bytes that NumPy knows."""

ACTIVATIONS: Mapping[int, DType] = {
    FLOAT: DType.FLOAT32,
    FLOAT16: DType.FLOAT32,
    BFLOAT16: DType.FLOAT32,
    DOUBLE: DType.FLOAT32,
    UINT8: DType.UINT8,
    INT8: DType.INT8,
    INT16: DType.INT16,
    UINT16: DType.UINT16,
    INT32: DType.INT32,
    UINT32: DType.UINT32,
    INT64: DType.INT64,
    UINT64: DType.UINT64,
    BOOL: DType.BOOL,
    **dict.fromkeys(TINY_FLOATS, DType.FLOAT32),
    **{
        element: DType.INT8 if kind.signed else DType.UINT8
        for element, kind in NARROW_INTEGERS.items()
    },
}
"""The type that an activation has in a graph; all real numbers are computed in float32."""


def type_name(element: int) -> str:
    """What ONNX calls a TensorProto.DataType."""
    return TYPE_NAMES[element] if 0 <= element < len(TYPE_NAMES) else f"type {element}"


def dtype_of(element: int, what: str) -> DType:
    """The type of activations of a TensorProto.DataType; raises UnsupportedType."""
    if element not in ACTIVATIONS:
        raise UnsupportedType(
            what, f"is of type {type_name(element)}", f"use one of: {_names(ACTIVATIONS)}"
        )
    return ACTIVATIONS[element]


def numpy_type(element: int, what: str) -> np.dtype[np.generic]:
    """The NumPy dtype for constants of a TensorProto.DataType; raises UnsupportedType."""
    if element in STORED:
        return np.dtype(STORED[element]).newbyteorder("=")
    if element == BFLOAT16 or element in TINY_FLOATS:
        return np.dtype(np.float32)
    if element in NARROW_INTEGERS:
        return np.dtype(np.int8 if NARROW_INTEGERS[element].signed else np.uint8)
    raise UnsupportedType(what, f"is of type {type_name(element)}", "store it as float or int8")


def require_roundable(element: int, what: str) -> int:
    """`element`, if real numbers can be rounded to it; else UnsupportedType."""
    if element in TINY_FLOATS:
        raise UnsupportedType(
            what, f"rounds to {type_name(element)}", "keep such numbers in float16 or float32"
        )
    return element


def element_of(values: Array) -> int:
    """The TensorProto.DataType of an array of a type that NumPy has."""
    wanted = values.dtype.newbyteorder("=")
    return next(e for e, name in STORED.items() if np.dtype(name).newbyteorder("=") == wanted)


def limits_of(element: int) -> tuple[int, int]:
    """The least and the largest number of an integer type."""
    if element in NARROW_INTEGERS:
        return NARROW_INTEGERS[element].limits
    info = np.iinfo(np.dtype(STORED[element]))
    return int(info.min), int(info.max)


def _names(table: Mapping[int, object]) -> str:
    return ", ".join(type_name(element) for element in table)


def read_tensor(message: Message, folder: Path | None) -> Array:
    """The array in a TensorProto; data outside the file is looked for in `folder` only.

    Integers of fewer bits become int8 or uint8, bfloat16 and smaller floats float32. Raises
    ModelFileError for sizes that do not fit, UnsupportedType for a type that is not taken.
    """
    budget, name = message.budget, message.text(NAME)
    what = f"{budget.file}, tensor {name!r}"
    shape = tuple(int(extent) for extent in message.integers(DIMS))
    if message.has(SEGMENT):
        raise UnsupportedType(what, "is stored in segments", "save the model as one file")
    if any(extent < 0 for extent in shape) or math.prod(shape) > MAX_ELEMENTS or len(shape) > 16:
        raise budget.damaged(f"tensor {name!r} has the shape {list(shape)}")
    element = message.integer(DATA_TYPE)
    numpy_type(element, what)
    if message.integer(DATA_LOCATION) == EXTERNAL:
        values = _from_raw(_external(message, folder), element, math.prod(shape))
    elif message.has(RAW_DATA):
        values = _from_raw(message.blobs(RAW_DATA)[-1], element, math.prod(shape))
    else:
        values = _from_fields(message, element, math.prod(shape))
    if len(values) != math.prod(shape):
        raise budget.damaged(f"tensor {name!r} holds {len(values)} numbers, not {list(shape)}")
    array = values.reshape(shape)
    array.flags.writeable = False
    return array


def _from_raw(data: memoryview, element: int, count: int) -> Array:
    """The numbers in little-endian bytes; too few or too many are returned as they are."""
    if bits_of(element):
        return unpacked(np.frombuffer(data, np.uint8), element, count)
    if element == BFLOAT16:
        return _bfloat16(np.frombuffer(data[: len(data) // 2 * 2], "<u2"))
    stored = np.dtype(STORED[element])
    usable = data[: len(data) // stored.itemsize * stored.itemsize]
    if element == BOOL:
        return np.asarray(np.frombuffer(usable, np.uint8) != 0)
    return np.frombuffer(usable, stored).astype(stored.newbyteorder("="), copy=False)


def _from_fields(message: Message, element: int, count: int) -> Array:
    """The numbers in the field for their type; the shorter types share the one of int32."""
    if element == FLOAT:
        return message.floats(FLOAT_DATA).astype(np.float32)
    if element == DOUBLE:
        return message.doubles(DOUBLE_DATA).astype(np.float64)
    if element == INT64:
        return message.integers(INT64_DATA)
    if element in (UINT32, UINT64):
        return message.integers(UINT64_DATA).astype(np.dtype(STORED[element]))
    return _from_words(message.integers(INT32_DATA), element, count)


def _from_words(words: Array, element: int, count: int) -> Array:
    if element == FLOAT16:
        return words.astype(np.uint16).view(np.float16)
    if element == BFLOAT16:
        return _bfloat16(words.astype(np.uint16))
    if bits_of(element):
        return unpacked(words.astype(np.uint8), element, count)
    return words.astype(numpy_type(element, "tensor"))


def _bfloat16(words: Array) -> Array:
    return (words.astype(np.uint32) << 16).view(np.float32)


def _external(message: Message, folder: Path | None) -> memoryview:
    """The bytes of a tensor that lie in a file beside the model."""
    file = message.budget.file
    entries = {entry.text(1): entry.text(2) for entry in message.messages(EXTERNAL_DATA)}
    location = entries.get("location", "")
    what = f"{file}, tensor {message.text(NAME)!r}"
    if folder is None:
        raise ModelFileError(what, "lies in another file", "save the model as one file")
    path = _confined(folder, location, what)
    try:
        offset, size = int(entries.get("offset", 0)), path.stat().st_size
        length = int(entries.get("length", size - offset))
        if not (0 <= offset <= size and 0 <= length <= size - offset):
            raise ModelFileError(what, f"reaches beyond {location!r}", "copy both files again")
        message.budget.spend()
        with path.open("rb") as stream:
            stream.seek(offset)
            return memoryview(stream.read(min(length, 8 * MAX_ELEMENTS)))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            what, f"{location!r} cannot be read", "copy both files again"
        ) from error


def _confined(folder: Path, location: str, what: str) -> Path:
    """The regular file `location` if it lies inside `folder`, links followed."""
    try:
        root, path = folder.resolve(), (folder / location).resolve()
        inside = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not location or not inside:
        raise ModelFileError(
            what,
            f"is said to lie in {location!r}, and the model's folder has no such file",
            "put the file beside the model, or save the model as one file",
        )
    return path
