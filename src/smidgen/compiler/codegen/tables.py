"""Constant tables: names for them, one copy of equal ones, and their C text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from smidgen.compiler.codegen.literals import initialiser
from smidgen.core.dtypes import Array, DType


@dataclass(slots=True)
class Tables:
    """Collects the constant tables of a build in the order in which they are first used."""

    _names: dict[tuple[DType, bytes], str] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    nbytes: int = 0

    def add(self, name: str, dtype: DType, data: Array, comment: str) -> tuple[str, int]:
        """The C name of a table with these values, and the bytes that it added (0 if shared)."""
        values = np.ascontiguousarray(data, dtype.numpy)
        key = (dtype, values.tobytes())
        if key in self._names:
            return self._names[key], 0
        self._names[key] = name
        added = dtype.nbytes(values.size)
        self.nbytes += added
        self._texts.append(_declaration(name, dtype, values, comment))
        return name, added

    def text(self) -> str:
        """All tables as C."""
        return "\n".join(self._texts)


def _declaration(name: str, dtype: DType, values: Array, comment: str) -> str:
    c_type = "uint8_t" if dtype is DType.INT4 else dtype.c_type
    count = dtype.nbytes(values.size) if dtype is DType.INT4 else values.size
    note = f"/* {comment} */\n" if comment else ""
    return (
        f"{note}static const {c_type} {name}[{max(count, 1)}] SMG_ALIGNED(4) = {{\n"
        f"{initialiser(dtype, values) or '    0,'}\n}};\n"
    )
