"""The element types that tensors have, and what each is called in NumPy and in C."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class _Traits:
    numpy: str
    c_type: str
    bits: int


class DType(Enum):
    """An element type. `INT4` is stored as int8 in NumPy and packed two to a byte in C."""

    BOOL = _Traits("bool", "bool", 8)
    INT4 = _Traits("int8", "smg_int4_t", 4)
    INT8 = _Traits("int8", "int8_t", 8)
    UINT8 = _Traits("uint8", "uint8_t", 8)
    INT16 = _Traits("int16", "int16_t", 16)
    UINT16 = _Traits("uint16", "uint16_t", 16)
    INT32 = _Traits("int32", "int32_t", 32)
    UINT32 = _Traits("uint32", "uint32_t", 32)
    INT64 = _Traits("int64", "int64_t", 64)
    UINT64 = _Traits("uint64", "uint64_t", 64)
    FLOAT32 = _Traits("float32", "float", 32)

    @property
    def label(self) -> str:
        """The lower-case name used in printed graphs and reports, e.g. ``int8``."""
        return self.name.lower()

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype that holds it."""
        return np.dtype(self.value.numpy)

    @property
    def c_type(self) -> str:
        """The C99 element type."""
        return str(self.value.c_type)

    @property
    def is_integer(self) -> bool:
        """Whether it is a signed or unsigned integer (not bool, not float)."""
        return self not in (DType.BOOL, DType.FLOAT32)

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and largest value of an integer type."""
        if self is DType.INT4:
            return -8, 7
        info = np.iinfo(self.numpy)
        return int(info.min), int(info.max)

    def nbytes(self, elements: int) -> int:
        """Bytes that `elements` of this type occupy on the device (int4: two to a byte)."""
        return (elements * self.value.bits + 7) // 8

    @staticmethod
    def parse(label: str) -> DType:
        """The type called `label` (the inverse of `label`); raises KeyError."""
        return DType[label.upper()]
