"""A FlexBuffers reader for the options of custom operators, which come from strangers.

Layout, from the FlexBuffers internals document: the last byte is the width of the root value, the
one before it its packed type (type in the upper six bits, log2 of the width of what it points to in
the lower two). Values up to 8 bytes lie inline; the rest is reached by backward offsets. A vector
has its length before it and a packed type per element after it; a map is a vector of values that
also points at a vector of sorted keys.

Depth, number of values and copied bytes are bounded, so that a small buffer that refers to one part
again and again is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias, Union

from smidgen.core.errors import ModelFileError

FlexValue: TypeAlias = Union[
    bool, int, float, str, bytes, "tuple[FlexValue, ...]", "dict[str, FlexValue]", None
]

_NULL, _INT, _UINT, _FLOAT, _KEY, _STRING = 0, 1, 2, 3, 4, 5
_INDIRECT = {6: _INT, 7: _UINT, 8: _FLOAT}
_MAP, _VECTOR, _BLOB, _BOOL = 9, 10, 25, 26
_TYPED_VECTOR = {11: _INT, 12: _UINT, 13: _FLOAT, 14: _KEY, 36: _BOOL}
# Vectors of fixed length carry no length: type -> (element type, length).
_FIXED_VECTOR = {16 + 3 * n + kind - 1: (kind, n + 2) for n in range(3) for kind in (1, 2, 3)}

_FORMS = {
    _INT: {1: "<b", 2: "<h", 4: "<i", 8: "<q"},
    _UINT: {1: "<B", 2: "<H", 4: "<I", 8: "<Q"},
    _FLOAT: {2: "<e", 4: "<f", 8: "<d"},
}
_MAX_DEPTH = 32
_ALLOWANCE_FLOOR = 64
_ALLOWANCE_CEILING = 1024 * 1024


def read_flexbuffer_map(data: bytes, thing: str) -> dict[str, FlexValue]:
    """The map at the root of `data`; ``{}`` for no bytes at all.

    Args:
        data: A whole FlexBuffer, such as a custom operator's options.
        thing: What messages call it, e.g. ``model.tflite, operator 3 (SignalWindow)``.

    Raises:
        ModelFileError: it is damaged, or its root is no map.
    """
    if not data:
        return {}
    value = read_flexbuffer(data, thing)
    if not isinstance(value, dict):
        raise _damaged(thing, "the root is no map")
    return value


def read_flexbuffer(data: bytes, thing: str) -> FlexValue:
    """The root value of `data`: maps as dict, vectors as tuple, blobs as bytes.

    Raises:
        ModelFileError: it is damaged.
    """
    reader = _Reader(bytes(data), thing)
    if len(data) < 3:
        raise _damaged(thing, f"{len(data)} bytes hold no value")
    packed, width = data[-2], data[-1]
    if width not in (1, 2, 4, 8):
        raise _damaged(thing, f"the root has width {width}")
    return reader.value(_Place(len(data) - 2 - width, width, packed), 0)


def _damaged(thing: str, why: str) -> ModelFileError:
    return ModelFileError(
        thing, f"its options are no sound FlexBuffer: {why}", "export the model again"
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value lies, in how many bytes, and of what packed type."""

    position: int
    width: int
    packed: int

    @property
    def type(self) -> int:
        return self.packed >> 2

    @property
    def target_width(self) -> int:
        return 1 << (self.packed & 3)


class _Reader:
    """The bytes of one FlexBuffer and the allowance for reading them."""

    __slots__ = ("_allowance", "_data", "_thing")

    def __init__(self, data: bytes, thing: str) -> None:
        self._data = data
        self._thing = thing
        self._allowance = min(_ALLOWANCE_FLOOR + 4 * len(data), _ALLOWANCE_CEILING)

    def value(self, place: _Place, depth: int) -> FlexValue:
        """The value at `place`."""
        self._spend(1)
        if depth > _MAX_DEPTH:
            raise _damaged(self._thing, "its values nest too deep")
        if place.type == _NULL:
            return None
        if place.type == _BOOL:
            return self._number(_UINT, place.position, place.width) != 0
        if place.type in _FORMS:
            return self._number(place.type, place.position, place.width)
        return self._pointed(place, self._follow(place.position, place.width), depth)

    def _pointed(self, place: _Place, target: int, depth: int) -> FlexValue:
        """The value that lies elsewhere, at `target`."""
        kind, width = place.type, place.target_width
        if kind in _INDIRECT:
            return self._number(_INDIRECT[kind], target, width)
        if kind == _KEY:
            return self._key(target)
        if kind in (_STRING, _BLOB):
            content = self._slice(target, self._length(target, width))
            return content if kind == _BLOB else content.decode("utf-8", "backslashreplace")
        if kind == _MAP:
            return self._map(target, width, depth)
        return self._vector(kind, target, width, depth)

    def _vector(self, kind: int, target: int, width: int, depth: int) -> tuple[FlexValue, ...]:
        if kind in _FIXED_VECTOR:
            element, count = _FIXED_VECTOR[kind]
            return self._elements(target, width, bytes([element << 2]) * count, depth)
        if kind != _VECTOR and kind not in _TYPED_VECTOR:
            raise _damaged(self._thing, f"a value has type {kind}, which does not exist")
        count = self._length(target, width)
        if kind in _TYPED_VECTOR:
            return self._elements(target, width, bytes([_TYPED_VECTOR[kind] << 2]) * count, depth)
        return self._elements(target, width, self._slice(target + count * width, count), depth)

    def _elements(
        self, target: int, width: int, packed: bytes, depth: int
    ) -> tuple[FlexValue, ...]:
        return tuple(
            self.value(_Place(target + i * width, width, kind), depth + 1)
            for i, kind in enumerate(packed)
        )

    def _map(self, target: int, width: int, depth: int) -> dict[str, FlexValue]:
        keys_target = self._follow(target - 3 * width, width)
        keys_width = self._number(_UINT, target - 2 * width, width)
        if keys_width not in (1, 2, 4, 8):
            raise _damaged(self._thing, f"a map has keys of width {keys_width}")
        values = self._vector(_VECTOR, target, width, depth)
        if self._length(keys_target, int(keys_width)) != len(values):
            raise _damaged(self._thing, "a map has more keys than values, or fewer")
        keys = (
            self._key(self._follow(keys_target + i * int(keys_width), int(keys_width)))
            for i in range(len(values))
        )
        return dict(zip(keys, values, strict=True))

    def _spend(self, cost: int) -> None:
        self._allowance -= cost
        if self._allowance < 0:
            raise _damaged(self._thing, "its values refer to each other too often")

    def _number(self, kind: int, position: int, width: int) -> int | float:
        form = _FORMS[kind].get(width)
        if form is None:
            raise _damaged(self._thing, f"a number has {width} byte")
        if position < 0 or position + width > len(self._data):
            raise _damaged(self._thing, "a value lies outside of it")
        number: int | float = struct.unpack_from(form, self._data, position)[0]
        return number

    def _follow(self, position: int, width: int) -> int:
        return position - int(self._number(_UINT, position, width))

    def _length(self, target: int, width: int) -> int:
        count = int(self._number(_UINT, target - width, width))
        if count > len(self._data):
            raise _damaged(
                self._thing, f"a length of {count} is beyond its {len(self._data)} bytes"
            )
        return count

    def _slice(self, start: int, count: int) -> bytes:
        if start < 0 or start + count > len(self._data):
            raise _damaged(self._thing, "a value lies outside of it")
        self._spend(count)
        return self._data[start : start + count]

    def _key(self, start: int) -> str:
        end = self._data.find(b"\0", start) if start >= 0 else -1
        if end < 0:
            raise _damaged(self._thing, "a key has no end")
        return self._slice(start, end - start).decode("utf-8", "backslashreplace")
