"""How a live device's firmware prints numbers, against Python's own."""

from __future__ import annotations

import ctypes
import math
import struct
from functools import lru_cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import smidgen.emulate.live
from smidgen.compiler.artifact import Port
from smidgen.emulate.live.firmware import fixed_point
from smidgen.targets.toolchain import compile_host_library

LIVE = Path(smidgen.emulate.live.__file__).parent
U32 = ctypes.c_uint32
HARNESS = """
#include "smg_device.h"
#include <string.h>
static uint8_t arena[8];
void print(const uint8_t *raw, smg_output_t *output);
void print(const uint8_t *raw, smg_output_t *output) {
    memcpy(arena, raw, sizeof arena);
    output->data = arena;
    smg_uart_tx_count = 0;
    smg_put_output(output, 0);
}
"""


class Output(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("elements", U32),
        ("element_bytes", U32),
        ("is_signed", U32),
        ("is_float", U32),
        ("zero_point", ctypes.c_int32),
        ("multiplier", U32),
        ("shift", U32),
        ("decimals", U32),
    )


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    sources = {name: (LIVE / name).read_text() for name in ("smg_device.h", "smg_text.c")}
    return ctypes.CDLL(str(compile_host_library({**sources, "harness.c": HARNESS})))


def printed(raw: bytes, output: Output) -> str:
    library().print(raw.ljust(8, b"\0"), ctypes.byref(output))
    count = U32.in_dll(library(), "smg_uart_tx_count").value
    return bytes((ctypes.c_uint8 * 1024).in_dll(library(), "smg_uart_tx"))[:count].decode()


@given(st.floats(width=32))
@settings(deadline=None, max_examples=500)
def test_floats_are_printed_to_nine_digits(value: float) -> None:
    said = float(printed(struct.pack("<f", value), Output(0, 1, 4, 1, 1, 0, 1, 0, 0)))
    if math.isfinite(value):
        assert math.isclose(said, value, rel_tol=6e-9)
        assert struct.pack("<f", said) == struct.pack("<f", value)
    else:
        assert str(said) == str(value).replace("-nan", "nan")


@given(
    st.integers(-128, 127),
    st.integers(-128, 127),
    st.floats(1e-9, 1e6, allow_nan=False, allow_infinity=False),
)
@settings(deadline=None, max_examples=500)
def test_quanta_are_printed_as_real_numbers(value: int, zero_point: int, scale: float) -> None:
    port = Port("y", "int8", (1,), 0, 1, scale, zero_point)
    output = Output(0, 1, 1, 1, 0, zero_point, *fixed_point(port))
    said = printed(struct.pack("<b", value), output)
    assert len(said.partition(".")[2]) >= 3
    assert math.isclose(float(said), (value - zero_point) * scale, rel_tol=1e-8, abs_tol=scale / 50)


@given(st.integers(-(2**63), 2**63 - 1))
@settings(deadline=None)
def test_plain_integers_are_printed_whole(value: int) -> None:
    assert int(printed(struct.pack("<q", value), Output(0, 1, 8, 1, 0, 0, 1, 0, 0))) == value
