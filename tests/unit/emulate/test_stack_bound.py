"""The stack bound from the call graph, beside what painting shows."""

import pytest

import smidgen
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.emulate.linux.machine import LinuxMachine
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.stack.bound import stack_bound
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_firmware
from support.qemu import needs_qemu, needs_qemu_user

BOARDS = [
    "nucleo-l4r5zi", "nucleo-f103rb", "raspberry-pi-pico", "nucleo-f091rc", "nucleo-h743zi",
    "nucleo-u575zi", "esp32-c3", "gd32vf103", "ch32v003",
]  # fmt: skip
LINUX = ["raspberry-pi-zero", "raspberry-pi-3", "raspberry-pi-5", "sipeed-maix-bit"]
DEEP = """
#include <stdint.h>
int f(int n);
__attribute__((noinline)) static int leaf(volatile uint8_t *p, int n) {
    volatile uint8_t mine[64];
    for (int i = 0; i < 64; ++i) { mine[i] = p[i]; }
    return mine[n & 63];
}
__attribute__((noinline)) static int branch(int n) {
    volatile uint8_t mine[%d];
    for (int i = 0; i < %d; ++i) { mine[i] = (uint8_t)n; }
    return leaf(mine, n) + 1;
}
int f(int n) {
    switch (n) {
    case 0: return 3;
    case 1: return branch(n) * 2;
    case 2: return branch(n + 4) + branch(7);
    case 3: return n * n;
    case 4: return branch(n) - n;
    case 5: return 11;
    default: return branch(n);
    }
}
"""


def bound_and_measured(name, source, *args, optimise="-O2"):
    target = board(name)
    elf = compile_firmware({"f.c": source}, target, entry_symbols=["f"], optimise=optimise)
    machine = Machine(elf, target)
    for argument in args:
        machine.call("f", argument)
    return stack_bound(read_firmware(elf), target.core, ["f"]), machine.stack_bytes


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("frame", [80, 200, 700])
@pytest.mark.parametrize("optimise", ["-O2", "-Os"])
def test_the_bound_holds_and_is_close(name, frame, optimise):
    if name == "ch32v003" and frame > 200:
        frame = 240  # it has 512 bytes of stack
    source = DEEP % (frame, frame)
    bound, measured = bound_and_measured(name, source, *range(7), optimise=optimise)
    assert bound.bytes is not None, bound.why_unknown
    assert frame + 64 < measured <= bound.bytes <= measured + 96


@needs_qemu_user
@pytest.mark.parametrize("name", LINUX)
@pytest.mark.parametrize("frame", [80, 700, 6000])
@pytest.mark.parametrize("optimise", ["-O2", "-Os"])
def test_the_bound_holds_on_linux_boards(name, frame, optimise):
    sources = FirmwareSources({"f.c": DEEP % (frame, frame)}, ("f",), optimise)
    machine = LinuxMachine(sources, board(name))
    for argument in range(7):
        machine.call("f", argument)
    bound = stack_bound(machine.firmware, board(name).core, ["f"])
    assert bound.bytes is not None, bound.why_unknown
    assert frame + 64 < machine.stack_bytes <= bound.bytes <= machine.stack_bytes + 96


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3"])
def test_frames_of_several_kilobytes(name):
    bound, measured = bound_and_measured(name, DEEP % (6000, 6000), 1)
    assert bound.bytes is not None, bound.why_unknown
    assert 6000 < measured <= bound.bytes <= measured + 64


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3"])
def test_what_cannot_be_bounded_says_why(name):
    recursive = (
        "int f(int n);\nint f(int n) { volatile int k = n; "
        "return k > 1 ? k * f(k / 2) + f(k - 2) : 1; }\n"
    )
    assert "f calls itself" in bound_and_measured(name, recursive, 5)[0].why_unknown
    pointer = (
        "int f(int n);\nstatic int one(int n) { return n + 1; }\n"
        "static int (*volatile chosen)(int) = one;\nint f(int n) { return chosen(n) * 2; }\n"
    )
    assert "f calls through a pointer" in bound_and_measured(name, pointer, 5)[0].why_unknown
    growing = (
        "int f(int n);\nint f(int n) { volatile char a[n]; for (int i = 0; i < n; ++i) a[i] = 1; "
        "return a[n - 1]; }\n"
    )
    target = board(name)
    elf = compile_firmware({"f.c": growing}, target, entry_symbols=["f"])
    found = stack_bound(read_firmware(elf), target.core, ["f"])
    assert found.bytes is None and "stack pointer" in found.why_unknown


@pytest.mark.parametrize("name", [*BOARDS[:-1], pytest.param("corstone-300", marks=needs_qemu)])
def test_a_model_never_needs_more_than_its_bound(name, small_model):
    artifact = smidgen.compile(smidgen.load(small_model), name)
    measured = smidgen.profile(artifact, inputs=3)
    assert measured.stack_bound_bytes is not None, measured.stack_unbounded
    assert 0 < measured.stack_bytes <= measured.stack_bound_bytes <= measured.stack_bytes + 64
