"""Python and NumPy values as C literals and initialisers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array, DType

LINE_WIDTH = 100


def identifier(text: str) -> str:
    """`text` as a lower-case C identifier."""
    cleaned = re.sub(r"[^0-9a-zA-Z]+", "_", text).strip("_").lower()
    return f"m_{cleaned}" if not cleaned or cleaned[0].isdigit() else cleaned


def comment_safe(text: str) -> str:
    """Names come from model files: nothing in them may end the comment or leave printable ASCII."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text).replace("*/", "* /")


def integer(value: int) -> str:
    """An integer literal; the least int32 has none, so it is written as C's own header does."""
    return "(-2147483647 - 1)" if value == -(1 << 31) else str(int(value))


def floating(value: float) -> str:
    """A float literal that reads back as exactly the same float32."""
    if math.isnan(value):
        return "(0.0f / 0.0f)"
    if math.isinf(value):
        return "(1.0f / 0.0f)" if value > 0 else "(-1.0f / 0.0f)"
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"


def initialiser(dtype: DType, values: Array, indent: str = "    ") -> str:
    """The lines between the braces of an array initialiser."""
    flat = values.reshape(-1)
    return _wrapped(_elements(dtype, flat), indent)


def _elements(dtype: DType, flat: Array) -> list[str]:
    if dtype in (DType.INT8, DType.UINT8):
        # A table of the 256 spellings: weights run to millions of elements.
        offset = -128 if dtype is DType.INT8 else 0
        spelled = [str(value) for value in range(offset, offset + 256)]
        return [spelled[index] for index in (flat.astype(np.int64) - offset).tolist()]
    if dtype is DType.INT4:
        return [f"0x{byte:02x}" for byte in pack_nibbles(flat).tolist()]
    spell = _SPELLINGS.get(dtype, integer)
    return [spell(value) for value in flat.tolist()]


_SPELLINGS: Mapping[DType, Callable[[Any], str]] = {
    DType.FLOAT32: floating,
    DType.BOOL: lambda value: "true" if value else "false",
    DType.INT64: "INT64_C({})".format,
    DType.UINT64: "UINT64_C({})".format,
}


def pack_nibbles(flat: Array) -> Array:
    """int4 values two to a byte, the first in the low nibble (TensorFlow Lite's layout)."""
    nibbles = (flat.astype(np.int16) & 15).astype(np.uint8)
    if len(nibbles) % 2:
        nibbles = np.append(nibbles, np.uint8(0))
    return nibbles[0::2] | (nibbles[1::2] << 4)


def _wrapped(elements: Iterable[str], indent: str) -> str:
    lines: list[str] = []
    line: list[str] = []
    width = len(indent)
    for element in elements:
        if width + len(element) + 2 > LINE_WIDTH and line:
            lines.append(indent + ", ".join(line) + ",")
            line, width = [], len(indent)
        line.append(element)
        width += len(element) + 2
    if line:
        lines.append(indent + ", ".join(line) + ",")
    return "\n".join(lines)
