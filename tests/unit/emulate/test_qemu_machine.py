"""Calling compiled C on QEMU: results, counts, the stack, and every kind of fault."""

import pytest

from smidgen.core.errors import EmulationError, UnknownName
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.machine import QemuMachine
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import board
from support.qemu import needs_qemu

pytestmark = needs_qemu

SOURCE = r"""
#include <stdint.h>

uint32_t weigh(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f, uint32_t g);
uint32_t loop(uint32_t n);
uint32_t next(void);
float half(float x);
uint32_t deep(uint32_t n);
uint32_t peek(const volatile uint32_t *p);
uint32_t jump(void (*where)(void));
void undefined(void);
void spin(void);
void root(uint8_t *p);
void wrong(uint8_t *p);

uint8_t buffer[64];
static uint32_t counter = 42;

uint32_t weigh(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f, uint32_t g) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g;
}
uint32_t loop(uint32_t n) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; ++i) {
        __asm__ volatile("add %0, %1" : "+r"(sum) : "r"(i));
    }
    return sum;
}
uint32_t next(void) { return ++counter; }
float half(float x) { return x * 0.5f; }
uint32_t deep(uint32_t n) {
    volatile uint8_t room[256];
    for (uint32_t i = 0; i < sizeof room; ++i) {
        room[i] = (uint8_t)n;
    }
    return n == 0u ? 0u : room[n & 7u] + deep(n - 1u);
}
uint32_t peek(const volatile uint32_t *p) { return *p; }
uint32_t jump(void (*where)(void)) { where(); return 1; }
void undefined(void) { __asm__ volatile("udf #7"); }
void spin(void) {
    for (;;) {
        __asm__ volatile("nop");
    }
}
__attribute__((noinline)) static void first(uint8_t *p) { p[0] = (uint8_t)(p[0] + 1u); }
__attribute__((noinline)) static void second(uint8_t *p) { p[1] = (uint8_t)(p[0] * 2u); }
void root(uint8_t *p) { first(p); second(p); }
void wrong(uint8_t *p) { first(p); second(p); p[2] = (uint8_t)(p[2] + 1u); }
"""
ENTRIES = ("weigh", "loop", "next", "half", "deep", "peek", "jump", "undefined", "spin", "root",
           "wrong", "buffer")  # fmt: skip
PROGRAM = FirmwareSources({"a.c": SOURCE}, ENTRIES)


@pytest.fixture(scope="module", params=["nucleo-l4r5zi", "corstone-300"])
def machine(request: pytest.FixtureRequest) -> QemuMachine:
    return QemuMachine(PROGRAM, board(request.param), seconds_limit=5)


@pytest.fixture(autouse=True)
def fresh(machine: QemuMachine) -> None:
    machine.reset()
    machine.set_regions(None)


def test_arguments_go_in_registers_and_on_the_stack(machine: QemuMachine) -> None:
    assert machine.call("weigh", 1, 2, 3, 4, 5, 6, 7) == 140


def test_memory_is_written_and_read_back(machine: QemuMachine) -> None:
    address, count = machine.symbol("buffer")
    content = bytes(range(count))
    machine.write(address, content)
    assert machine.read(address, count) == content


def test_initialised_data_starts_anew_after_a_reset(machine: QemuMachine) -> None:
    assert [machine.call("next"), machine.call("next")] == [43, 44]
    machine.reset()
    assert machine.call("next") == 43


def test_counts_equal_those_of_unicorn_even_beyond_a_wrap_of_the_counter() -> None:
    target = board("nucleo-l4r5zi")
    unicorn = Machine(PROGRAM.link(target), target)
    qemu = QemuMachine(PROGRAM, target)
    counts = []
    for machine in (unicorn, qemu):
        machine.clear_counts()
        machine.call("loop", 1000)
        counts.append(machine.counts().instructions)
    assert counts[0] == counts[1]
    each = counts[0] // 1000
    qemu.clear_counts()
    qemu.call("loop", 600_000_000)
    assert abs(qemu.counts().instructions - each * 600_000_000) < 100


def test_layers_are_counted_one_by_one(machine: QemuMachine) -> None:
    address, _ = machine.symbol("buffer")
    machine.set_regions("root", ("first", "second"))
    machine.write(address, b"\x05\x00")
    machine.call("root", address)
    counts = machine.counts()
    outside, first, second = (row.instructions for row in counts.layers)
    assert machine.read(address, 2) == b"\x06\x0c"
    assert min(outside, first, second) >= 2
    assert outside + first + second == counts.instructions


def test_work_that_is_in_no_layer_is_found_out(machine: QemuMachine) -> None:
    address, _ = machine.symbol("buffer")
    machine.set_regions("wrong", ("first", "second"))
    with pytest.raises(EmulationError, match="leaves 1 bytes of memory otherwise"):
        machine.call("wrong", address)


def test_the_stack_is_measured(machine: QemuMachine) -> None:
    machine.call("deep", 3)
    assert 4 * 256 <= machine.stack_bytes < 4 * 256 + 200


@pytest.mark.parametrize(
    ("function", "argument", "why"),
    [
        ("deep", 100, "stack overflow"),
        ("peek", 0x4FFF_0000, r"no memory.*0x4fff0000"),
        ("jump", 0xB000_0001, "jump to where no code is|fetch where no code"),
        ("jump", 0x2000_0000, "invalid processor state"),
        ("undefined", 0, "undefined instruction.*in undefined"),
        ("spin", 0, "gave no answer within 5 s"),
    ],
)
def test_faults_name_their_cause(
    machine: QemuMachine, function: str, argument: int, why: str
) -> None:
    with pytest.raises(EmulationError, match=why):
        machine.call(function, argument)
    with pytest.raises(EmulationError, match="reset the machine"):
        machine.call("next")
    machine.reset()
    assert machine.call("next") == 43


def test_unknown_functions_are_named(machine: QemuMachine) -> None:
    with pytest.raises(UnknownName, match="weight"):
        machine.call("weight")


def test_floats_need_the_core_to_have_an_fpu(machine: QemuMachine) -> None:
    assert machine.call("half", 0) is not None


def test_a_core_that_qemu_lacks_is_refused() -> None:
    with pytest.raises(EmulationError, match="QEMU has no board with it"):
        QemuMachine(PROGRAM, board("raspberry-pi-pico"))
