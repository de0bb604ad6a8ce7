"""A FlatBuffers reader for files that come from strangers.

Layout, from the FlatBuffers internals document: a file starts with the offset of its root table; a
table starts with the signed distance back to its vtable; a vtable lists, slot by slot, where in the
table each field lies (0: absent, so the schema's default holds); strings, vectors and tables are
reached through unsigned forward offsets.

Every position is checked before it is read. Whatever costs time or memory in Python (a table, a
string, a tuple) is charged against an allowance proportional to the file's size, so that a small
file that points at one table a million times is refused, not obeyed. Bulk data is never copied: it
is handed out as a read-only NumPy view of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ModelFileError

_INT8, _UINT8 = struct.Struct("<b"), struct.Struct("<B")
_UINT16 = struct.Struct("<H")
_INT32, _UINT32 = struct.Struct("<i"), struct.Struct("<I")
_INT64, _UINT64 = struct.Struct("<q"), struct.Struct("<Q")
_FLOAT32 = struct.Struct("<f")

# Honest files were seen to need up to 2.5 a byte (unrolled LSTMs: many tables, few weights).
_ALLOWANCE_PER_BYTE = 6
_ALLOWANCE_FLOOR = 64 * 1024
_ALLOWANCE_CEILING = 16 * 1024 * 1024
_TABLE_COST = 64
_TUPLE_ELEMENT_COST = 16

MAX_TUPLE_ELEMENTS = 65536
DAMAGED_HINT = "it is damaged or was not downloaded whole: export or fetch it again"


class FlatBuffer:
    """The bytes of one file, and the allowance that bounds the work spent on them."""

    __slots__ = ("_allowance", "data", "name", "size")

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.size = len(data)
        self._allowance = min(
            _ALLOWANCE_FLOOR + _ALLOWANCE_PER_BYTE * self.size, _ALLOWANCE_CEILING
        )

    def damaged(self, why: str) -> ModelFileError:
        """The error to raise for a file whose structure is broken."""
        return ModelFileError(self.name, why, DAMAGED_HINT)

    def spend(self, cost_bytes: int) -> None:
        """Charge `cost_bytes` of work; raises ModelFileError when the allowance is used up."""
        self._allowance -= cost_bytes
        if self._allowance < 0:
            raise self.damaged("its parts refer to each other more often than its size explains")

    def root(self, kind: str) -> Table:
        """The root table, called `kind` in messages."""
        return self.table_at(0, kind)

    def read(self, form: struct.Struct, position: int, what: str) -> Any:
        """One scalar at `position`, or ModelFileError where it reaches past the end."""
        if position < 0 or position + form.size > self.size:
            raise self.damaged(f"{what} at byte {position} lies outside its {self.size} bytes")
        return form.unpack_from(self.data, position)[0]

    def follow(self, position: int, what: str) -> int:
        """The position that the forward offset at `position` points to."""
        offset = int(self.read(_UINT32, position, what))
        if offset == 0:
            raise self.damaged(f"{what} at byte {position} points at itself")
        return position + offset

    def table_at(self, position: int, kind: str) -> Table:
        """The table that the forward offset at `position` points to."""
        self.spend(_TABLE_COST)
        start = self.follow(position, kind)
        vtable = start - int(self.read(_INT32, start, kind))
        vtable_bytes = int(self.read(_UINT16, vtable, f"vtable of {kind}"))
        inline_bytes = int(self.read(_UINT16, vtable + 2, f"vtable of {kind}"))
        if vtable_bytes < 4 or vtable + vtable_bytes > self.size:
            raise self.damaged(f"vtable of {kind} at byte {vtable} has no sound size")
        if inline_bytes < 4 or start + inline_bytes > self.size:
            raise self.damaged(f"{kind} at byte {start} has no sound size")
        return Table(self, kind, start, vtable, vtable_bytes, inline_bytes)

    def vector_at(self, position: int, element_bytes: int, what: str) -> tuple[int, int]:
        """Where the elements of a vector start and how many there are."""
        start = self.follow(position, what)
        count = int(self.read(_UINT32, start, what))
        if start + 4 + count * element_bytes > self.size:
            raise self.damaged(f"{what} at byte {start} claims {count} elements, past the end")
        return start + 4, count


@dataclass(frozen=True, slots=True)
class Table:
    """One table; fields are read by their slot (the field id of the schema)."""

    buffer: FlatBuffer
    kind: str
    start: int
    vtable: int
    vtable_bytes: int
    inline_bytes: int

    def _field(self, slot: int, width: int) -> int:
        """Position of a field of `width` bytes, 0 where it is absent."""
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_bytes:
            return 0
        offset = int(_UINT16.unpack_from(self.buffer.data, self.vtable + entry)[0])
        if offset == 0:
            return 0
        if offset < 4 or offset + width > self.inline_bytes:
            raise self.buffer.damaged(f"field {slot} of {self.kind} lies outside its table")
        return self.start + offset

    def _scalar(self, slot: int, form: struct.Struct, default: Any) -> Any:
        position = self._field(slot, form.size)
        return form.unpack_from(self.buffer.data, position)[0] if position else default

    def int8(self, slot: int, default: int = 0) -> int:
        """A byte, signed (also the schema's byte-sized enums)."""
        return int(self._scalar(slot, _INT8, default))

    def uint8(self, slot: int, default: int = 0) -> int:
        """A byte, unsigned (also the discriminator of a union)."""
        return int(self._scalar(slot, _UINT8, default))

    def boolean(self, slot: int, default: bool = False) -> bool:
        """A bool; any value but 0 is true."""
        return bool(self._scalar(slot, _UINT8, default))

    def int32(self, slot: int, default: int = 0) -> int:
        """A signed 32-bit integer."""
        return int(self._scalar(slot, _INT32, default))

    def uint32(self, slot: int, default: int = 0) -> int:
        """An unsigned 32-bit integer."""
        return int(self._scalar(slot, _UINT32, default))

    def int64(self, slot: int, default: int = 0) -> int:
        """A signed 64-bit integer."""
        return int(self._scalar(slot, _INT64, default))

    def uint64(self, slot: int, default: int = 0) -> int:
        """An unsigned 64-bit integer."""
        return int(self._scalar(slot, _UINT64, default))

    def float32(self, slot: int, default: float = 0.0) -> float:
        """A single-precision float, as the Python float of equal value."""
        return float(self._scalar(slot, _FLOAT32, default))

    def _what(self, slot: int) -> str:
        return f"field {slot} of {self.kind}"

    def text(self, slot: int) -> str:
        r"""A string, ``""`` where absent; bytes that are no UTF-8 come as ``\xNN``."""
        position = self._field(slot, 4)
        if not position:
            return ""
        start, count = self.buffer.vector_at(position, 1, self._what(slot))
        self.buffer.spend(count)
        return self.buffer.data[start : start + count].decode("utf-8", "backslashreplace")

    def array(self, slot: int, dtype: str) -> Array:
        """A vector of numbers, shape [n], as a read-only view of the file; [0] where absent.

        Args:
            slot: Field id in the schema.
            dtype: Little-endian NumPy type string, e.g. ``"<f4"``.
        """
        position = self._field(slot, 4)
        if not position:
            return np.zeros(0, dtype)
        width = np.dtype(dtype).itemsize
        start, count = self.buffer.vector_at(position, width, self._what(slot))
        return np.frombuffer(self.buffer.data, dtype, count, start)

    def ints(self, slot: int) -> tuple[int, ...]:
        """A short vector of signed 32-bit integers as a tuple, ``()`` where absent."""
        values = self.array(slot, "<i4")
        if len(values) > MAX_TUPLE_ELEMENTS:
            raise self.buffer.damaged(f"{self._what(slot)} claims {len(values)} elements")
        self.buffer.spend(_TUPLE_ELEMENT_COST * len(values))
        return tuple(values.tolist())

    def has(self, slot: int) -> bool:
        """Whether the field is present."""
        return self._field(slot, 1) != 0

    def table(self, slot: int, kind: str) -> Table | None:
        """A table called `kind` in messages, None where absent."""
        position = self._field(slot, 4)
        return self.buffer.table_at(position, kind) if position else None

    def tables(self, slot: int, kind: str) -> TableVector:
        """A vector of tables, empty where absent; its elements are read when they are asked for."""
        position = self._field(slot, 4)
        if not position:
            return TableVector(self.buffer, kind, 0, 0)
        return TableVector(self.buffer, kind, *self.buffer.vector_at(position, 4, self._what(slot)))


@dataclass(frozen=True, slots=True)
class TableVector:
    """A vector of tables, read lazily: its declared length costs nothing."""

    buffer: FlatBuffer
    kind: str
    start: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Table:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return self.buffer.table_at(self.start + 4 * index, f"{self.kind} {index}")

    def __iter__(self) -> Iterator[Table]:
        return (self[index] for index in range(self.count))
