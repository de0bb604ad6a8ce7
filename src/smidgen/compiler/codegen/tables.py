"""Constant tables: names for them, one copy of equal ones, and their C text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from smidgen.compiler.codegen.literals import initialiser
from smidgen.core.dtypes import Array, DType


@dataclass(slots=True)
class Tables:
    """Collects the constant tables of a build in the order in which they are first used.

    `rom` is the C qualifier of tables in flash; "" where loads reach the flash.
    """

    rom: str = ""
    _names: dict[tuple[DType, bytes, str], str] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    nbytes: int = 0
    rom_bytes: int = 0
    """Those of tables with `rom`."""

    def add(
        self, name: str, dtype: DType, data: Array, comment: str, in_rom: bool = True
    ) -> tuple[str, int]:
        """The C name of a table with these values, and the bytes that it added (0 if shared).

        What takes a table without `in_rom` knows no address space.
        """
        values = np.ascontiguousarray(data, dtype.numpy)
        space = self.rom if in_rom else ""
        key = (dtype, values.tobytes(), space)
        if key in self._names:
            return self._names[key], 0
        self._names[key] = name
        added = dtype.nbytes(values.size)
        self.nbytes += added
        self.rom_bytes += added if space else 0
        self._texts.append(_declaration(name, space, dtype, values, comment))
        return name, added

    def text(self) -> str:
        """All tables as C."""
        return "\n".join(self._texts)


def table_type(dtype: DType) -> str:
    """The C type of the elements of a table; int4 values lie two to a byte."""
    return "uint8_t" if dtype is DType.INT4 else dtype.c_type


def _declaration(name: str, space: str, dtype: DType, values: Array, comment: str) -> str:
    c_type = table_type(dtype)
    count = dtype.nbytes(values.size) if dtype is DType.INT4 else values.size
    note = f"/* {comment} */\n" if comment else ""
    return (
        f"{note}static const {space}{c_type} {name}[{max(count, 1)}] SMG_ALIGNED(4) = {{\n"
        f"{initialiser(dtype, values) or '    0,'}\n}};\n"
    )
