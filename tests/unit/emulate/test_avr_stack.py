"""The stack bound of AVR code, beside what painting shows and what a disassembler reads."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import smidgen
from smidgen.emulate.avr.machine import SimavrMachine
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.stack import avr
from smidgen.emulate.stack.bound import stack_bound
from smidgen.targets.catalogue import board
from support.avr import needs_avr

pytestmark = needs_avr
BOARDS = ["arduino-uno-r3", "arduino-mega-2560"]
DEEP = """
#include <stdint.h>
int f(int n);
__attribute__((noinline)) static int leaf(volatile uint8_t *p, int n) {
    volatile uint8_t mine[64];
    for (int i = 0; i < 64; ++i) { mine[i] = p[i]; }
    return mine[n & 63];
}
__attribute__((noinline)) static int64_t branch(int n) {
    volatile uint8_t mine[%d];
    for (int i = 0; i < %d; ++i) { mine[i] = (uint8_t)n; }
    return (leaf(mine, n) + 1LL) * n %% 7;
}
int f(int n) {
    if (n > 4) { return (int)branch(n); }
    return n == 2 ? (int)(branch(n + 4) / 3) + (int)branch(7) : (int)((float)n * 1.5f);
}
"""


def machine_for(name: str, source: str, optimise: str = "-O2") -> SimavrMachine:
    target = board(name)
    return SimavrMachine(FirmwareSources({"f.c": source}, ("f",), optimise).link(target), target)


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("frame", [3, 40, 100, 200])
@pytest.mark.parametrize("optimise", ["-O2", "-Os", "-O3"])
def test_the_bound_holds_and_is_close(name: str, frame: int, optimise: str) -> None:
    machine = machine_for(name, DEEP % (frame, frame), optimise)
    for argument in range(7):
        machine.call("f", argument)
    bound = stack_bound(machine.firmware, machine.board.core, ["f"])
    assert bound.bytes is not None, bound.why_unknown
    assert frame + 64 < machine.stack_bytes <= bound.bytes <= machine.stack_bytes + 16


@pytest.mark.parametrize("name", BOARDS)
def test_what_cannot_be_bounded_says_why(name: str) -> None:
    recursive = "int f(int n);\nint f(int n) { return n > 1 ? n * f(n / 2) + f(n - 2) : 1; }\n"
    pointer = (
        "int (*volatile chosen)(int);\nint f(int n);\nint f(int n) { return chosen(n) * 2; }\n"
    )
    growing = (
        "int f(int n);\nint f(int n) { volatile char a[n]; for (int i = 0; i < n; ++i) a[i] = 1; "
        "return a[n - 1]; }\n"
    )
    expected = {
        recursive: "f calls itself",
        pointer: "f calls through a pointer",
        growing: "moves the stack pointer by what is not a constant",
    }
    for source, why in expected.items():
        elf = FirmwareSources({"f.c": source}, ("f",)).link(board(name))
        found = stack_bound(read_firmware(elf), board(name).core, ["f"])
        assert found.bytes is None and why in found.why_unknown


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("objective", ["size", "balanced", "speed"])
def test_a_model_never_needs_more_than_its_bound(
    name: str, objective: str, small_model: Path
) -> None:
    artifact = smidgen.compile(smidgen.load(small_model), name, objective=objective)
    measured = smidgen.profile(artifact, inputs=3)
    assert measured.stack_bound_bytes is not None, measured.stack_unbounded
    assert 0 < measured.stack_bytes <= measured.stack_bound_bytes <= measured.stack_bytes + 32


@pytest.mark.skipif(shutil.which("avr-objdump") is None, reason="avr-objdump is not installed")
def test_every_encoding_is_read_as_binutils_reads_it(tmp_path: Path) -> None:
    raw = tmp_path / "words.bin"
    raw.write_bytes(b"".join(w.to_bytes(2, "little") + b"\0\0" for w in range(1 << 16)))
    command = ["avr-objdump", "-D", "-z", "-b", "binary", "-m", "avr:6", str(raw)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seen = 0
    for place, encoding, name, operands in _LINE.findall(listing):
        if int(place, 16) % 4 or name == ".word":
            continue
        word = int.from_bytes(bytes.fromhex(encoding)[:2], "little")
        assert word == int(place, 16) // 4
        told = f"{word:#06x} {name} {operands}"
        assert avr._words(word) == len(bytes.fromhex(encoding)) // 2, told
        assert avr._skips(word) == (name in ("cpse", "sbrc", "sbrs", "sbic", "sbis")), told
        if name not in _BRANCHES:
            assert avr.written_registers(word) >= _written(name, operands.strip()), told
        seen += 1
    assert seen > 60_000


_LINE = re.compile(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(\S+)[ \t]*([^;\n]*)", re.MULTILINE)
_BRANCHES = frozenset(
    ("push", "pop", "ldi", "ser", "in", "out", "rjmp", "rcall", "jmp", "call", "cpse")
)
_NO_RESULT = ("cp", "cpc", "cpi", "tst", "st", "std", "sts", "sbi", "cbi", "bst", "sbrc", "sbrs",
              "sbic", "sbis", "spm", "des")  # fmt: skip
_POINTERS = {"X": {26, 27}, "Y": {28, 29}, "Z": {30, 31}}


def _written(name: str, operands: str) -> set[int]:
    """The registers that an instruction writes, from its text."""
    moved = re.search(r"-([XYZ])|([XYZ])\+(?!\d)", operands)
    found = _POINTERS[moved[1] or moved[2]] if moved else set()
    target = re.match(r"r(\d+)", operands)
    if name.startswith(("mul", "fmul")):
        return {0, 1}
    if name in ("lpm", "elpm") and not operands:
        return {0}
    if name in ("xch", "las", "lac", "lat"):
        return {int(operands.rpartition("r")[2])}
    if target is None or name in _NO_RESULT:
        return found
    number = int(target[1])
    return found | ({number, number + 1} if name in ("movw", "adiw", "sbiw") else {number})
