"""The protobuf wire format, as far as ONNX files need it, from bytes that may be anybody's.

The `onnx` package is not used for reading: its messages take up to a hundred times the bytes that
describe them, and its checker and shape inference run C++ over files from strangers. Here every
field that is looked at is paid for from a `Budget`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ModelFileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_SIGN_BIT = 1 << 63

Field = int | memoryview
"""What one field holds: a number (fixed-size ones as their bits), or the bytes of the rest."""


@dataclass(slots=True)
class Budget:
    """How many more fields of `file` are read before it is refused."""

    file: str
    fields: int

    def spend(self, count: int = 1) -> None:
        """Take `count` fields; raises ModelFileError where there are not so many left."""
        self.fields -= count
        if self.fields < 0:
            raise ModelFileError(
                self.file, "has far more parts than any model for a microcontroller", "check it"
            )

    def damaged(self, why: str) -> ModelFileError:
        """The error that says the file is damaged because of `why`."""
        return ModelFileError(self.file, f"is damaged: {why}", "export or download it again")


@dataclass(slots=True)
class Message:
    """One protobuf message: its fields by number, in the order in which they came."""

    budget: Budget
    fields: dict[int, list[tuple[int, Field]]] = field(default_factory=dict)

    @staticmethod
    def parse(data: memoryview, budget: Budget) -> Message:
        """The message in `data`; raises ModelFileError where the bytes are no message."""
        message = Message(budget)
        position = 0
        while position < len(data):
            budget.spend()
            key, position = _varint(data, position, budget)
            value, position = _value(data, position, key & 7, budget)
            message.fields.setdefault(key >> 3, []).append((key & 7, value))
        return message

    def has(self, number: int) -> bool:
        """Whether field `number` occurs."""
        return number in self.fields

    def messages(self, number: int) -> list[Message]:
        """The messages in field `number`."""
        return [Message.parse(data, self.budget) for data in self.blobs(number)]

    def message(self, number: int) -> Message:
        """The last message in field `number`, or an empty one."""
        blobs = self.blobs(number)
        return Message.parse(blobs[-1], self.budget) if blobs else Message(self.budget)

    def blobs(self, number: int) -> list[memoryview]:
        """The bytes of each occurrence of field `number`."""
        found = [value for _, value in self.fields.get(number, ())]
        if not all(isinstance(value, memoryview) for value in found):
            raise self.budget.damaged(f"field {number} is a number where bytes belong")
        return [value for value in found if isinstance(value, memoryview)]

    def texts(self, number: int) -> list[str]:
        """The strings in field `number`."""
        try:
            return [bytes(data).decode("utf-8") for data in self.blobs(number)]
        except UnicodeDecodeError as error:
            raise self.budget.damaged("a name is no UTF-8 text") from error

    def text(self, number: int) -> str:
        """The last string in field `number`, or an empty one."""
        texts = self.texts(number)
        return texts[-1] if texts else ""

    def integer(self, number: int, default: int = 0) -> int:
        """The last number in field `number`, signed."""
        numbers = self.integers(number)
        return int(numbers[-1]) if len(numbers) else default

    def integers(self, number: int) -> Array:
        """The numbers in field `number`, packed or one by one, as int64."""
        parts = [
            _packed_varints(value, self.budget)
            if isinstance(value, memoryview)
            else np.array([_signed(value)], np.int64)
            for _, value in self.fields.get(number, ())
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def floats(self, number: int) -> Array:
        """The float32 numbers in field `number`."""
        return self._fixed(number, FIXED32, "<f4")

    def doubles(self, number: int) -> Array:
        """The float64 numbers in field `number`."""
        return self._fixed(number, FIXED64, "<f8")

    def _fixed(self, number: int, wire: int, dtype: str) -> Array:
        size = np.dtype(dtype).itemsize
        parts = []
        for kind, value in self.fields.get(number, ()):
            if isinstance(value, memoryview) and len(value) % size == 0:
                parts.append(np.frombuffer(value, dtype))
            elif kind == wire and isinstance(value, int):
                parts.append(np.frombuffer(value.to_bytes(size, "little"), dtype))
            else:
                raise self.budget.damaged(f"field {number} does not hold numbers of {size} bytes")
        return np.concatenate(parts) if parts else np.zeros(0, dtype)


def _varint(data: memoryview, position: int, budget: Budget) -> tuple[int, int]:
    number = 0
    for index in range(_MAX_VARINT_BYTES):
        if position + index >= len(data):
            raise budget.damaged("it ends within a number")
        byte = data[position + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, position + index + 1
    raise budget.damaged("a number has more than 64 bits")


def _value(data: memoryview, position: int, kind: int, budget: Budget) -> tuple[Field, int]:
    """The value at `position`, and where the next field starts."""
    if kind == VARINT:
        return _varint(data, position, budget)
    if kind == BYTES:
        size, position = _varint(data, position, budget)
    elif kind in (FIXED32, FIXED64):
        size = 4 if kind == FIXED32 else 8
    else:
        raise budget.damaged(f"there is no wire type {kind}")
    end = position + size
    if end > len(data):
        raise budget.damaged("a field is longer than what holds it")
    if kind == BYTES:
        return data[position:end], end
    return struct.unpack_from("<I" if size == 4 else "<Q", data, position)[0], end


def _signed(number: int) -> int:
    return number - 2 * _SIGN_BIT if number & _SIGN_BIT else number


def _packed_varints(data: memoryview, budget: Budget) -> Array:
    """All varints in `data`, decoded at once; 64-bit arithmetic wraps as protobuf's does."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    if not len(raw):
        return np.zeros(0, np.int64)
    if not len(ends) or ends[-1] != len(raw) - 1:
        raise budget.damaged("it ends within a number")
    starts = np.concatenate([[0], ends[:-1] + 1])
    if int((ends - starts).max()) >= _MAX_VARINT_BYTES:
        raise budget.damaged("a number has more than 64 bits")
    places = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    parts = (raw & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    return np.add.reduceat(parts, starts).astype(np.int64)
