"""Calling compiled C on emulated cores: results, the stack, and every kind of fault."""

import ctypes
import functools
import struct

import pytest

from smidgen.core.errors import ArtifactError, EmulationError, UnknownName
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import Board, board, load_board
from smidgen.targets.toolchain import compile_firmware, compile_host_library

SOURCE = r"""
#include <math.h>
#include <stdint.h>
#include <string.h>

int32_t dot(const int8_t *a, const int8_t *b, int n);
int32_t seven(int a, int b, int c, int d, int e, int f, int g);
int32_t scale(int a, int b);
int32_t root(int a);
int32_t divide(int64_t *p);
int32_t set_up(void);
int32_t deep(int n);
int32_t move(int8_t *p, int to, int from, int n);
int32_t copy(int8_t *p, int to, int from, int n);
int32_t set(int8_t *p, int to, int value, int n);
int32_t compare(const int8_t *p, int a, int b, int n);
void put(volatile int32_t *p);
int32_t get(const volatile int32_t *p);
int64_t get_two(const int64_t *p);
void spin(void);
void stop(void);

int8_t buffer[512];
static int32_t initial = 42;
static int32_t cleared[3];
static const int32_t table[2] = {5, 6};

int32_t dot(const int8_t *a, const int8_t *b, int n) {
  int32_t sum = 0;
  for (int i = 0; i < n; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}
int32_t seven(int a, int b, int c, int d, int e, int f, int g) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g;
}
int32_t scale(int a, int b) { return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31); }
int32_t root(int a) { return (int32_t)(sqrtf((float)a) * 2.5F / 3.0F * 1000.0F); }
int32_t divide(int64_t *p) {
  p[2] = p[0] / p[1];
  return (int32_t)(p[2] % 1000);
}
int32_t set_up(void) {
  ++initial;
  return initial + cleared[1] + table[initial & 1];
}
int32_t move(int8_t *p, int to, int from, int n) {
  memmove(p + to, p + from, (size_t)n);
  return 0;
}
__attribute__((noinline)) static void fill(volatile int8_t *p, int n) {
  for (int i = 0; i < n; ++i) {
    p[i] = 0;
  }
}
int32_t copy(int8_t *p, int to, int from, int n) {
  memcpy(p + to, p + from, (size_t)n);
  return 0;
}
int32_t set(int8_t *p, int to, int value, int n) {
  memset(p + to, value, (size_t)n);
  return 0;
}
int32_t compare(const int8_t *p, int a, int b, int n) { return memcmp(p + a, p + b, (size_t)n); }
int32_t deep(int n) {
  volatile int8_t room[256];
  fill(room, 256);
  return n > 0 ? deep(n - 1) + room[0] : 0;
}
void put(volatile int32_t *p) { *p = 1; }
int32_t get(const volatile int32_t *p) { return *p; }
int64_t get_two(const int64_t *p) { return *p + 1; }
void spin(void) {
  for (volatile int i = 0;;) {
    (void)i;
  }
}
void stop(void) { __builtin_trap(); }
"""
FUNCTIONS = (
    "dot",
    "seven",
    "scale",
    "root",
    "divide",
    "set_up",
    "deep",
    "move",
    "copy",
    "set",
    "compare",
    "put",
    "get",
    "get_two",
    "spin",
    "stop",
)
BOARDS = (
    "nucleo-l4r5zi",
    "raspberry-pi-pico",
    "nucleo-f103rb",
    "nucleo-h743zi",
    "nucleo-u575zi",
    "esp32-c3",
    "gd32vf103",
    "rv32imafc",
)
RV32IMAFC = """
name = "rv32imafc"
core = "rv32imafc"
clock_hz = 1
flash = [{ name = "rom", address = 0x20000000, bytes = 65_536 }]
ram = [{ name = "sram", address = 0x80000000, bytes = 16_384 }]
"""


@pytest.fixture(scope="module", params=BOARDS)
def target(request, tmp_path_factory) -> Board:
    if request.param != "rv32imafc":
        return board(request.param)
    path = tmp_path_factory.mktemp("board") / "own.toml"
    path.write_text(RV32IMAFC)
    return load_board(path)


@functools.lru_cache(maxsize=8)
def firmware(where: Board) -> bytes:
    symbols = [*FUNCTIONS, "buffer"]
    return compile_firmware({"all.c": SOURCE}, where, entry_symbols=symbols)


@pytest.fixture
def machine(target) -> Machine:
    return Machine(firmware(target), target)


@pytest.fixture(scope="module")
def host() -> ctypes.CDLL:
    return ctypes.CDLL(str(compile_host_library({"all.c": SOURCE})))


def signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def test_dot_product(machine):
    address, size = machine.symbol("buffer")
    assert size == 512
    values = [(i * 37 % 256) - 128 for i in range(200)]
    machine.write(address, struct.pack("200b", *values))
    expected = sum(a * b for a, b in zip(values, values[3:], strict=False))
    assert signed(machine.call("dot", address, address + 3, 197)) == expected


def test_arguments_beyond_the_registers(machine):
    assert machine.call("seven", 1, 2, 3, 4, 5, 6, 7) == 140


@pytest.mark.parametrize("name", ["scale", "root"])
def test_arithmetic_agrees_with_this_computer(machine, host, name):
    pairs = [(123456789, 1 << 30), (7, 3), (2147483647, -2147483648), (1000, -1), (99, 2147483647)]
    for a, b in pairs:
        assert signed(machine.call(name, a, b)) == getattr(host, name)(a, b)


def test_64_bit_division(machine):
    address, _ = machine.symbol("buffer")
    machine.write(address, struct.pack("<qq", -(10**15), 77))
    machine.call("divide", address)
    assert struct.unpack("<q", machine.read(address + 16, 8)) == (-12987012987012,)


@pytest.mark.parametrize(("to", "origin"), [(0, 4), (4, 0), (0, 3), (3, 0), (8, 8), (1, 101)])
def test_memmove(machine, to, origin):
    address, _ = machine.symbol("buffer")
    before = bytes(range(200))
    machine.write(address, before)
    machine.call("move", address, to, origin, 90)
    expected = bytearray(before)
    expected[to : to + 90] = before[origin : origin + 90]
    assert machine.read(address, 200) == expected


@pytest.mark.parametrize(("to", "origin"), [(0, 200), (4, 204), (1, 200), (3, 203), (100, 0)])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 90])
def test_memcpy(machine, to, origin, count):
    address, _ = machine.symbol("buffer")
    before = bytes(i * 7 & 0xFF for i in range(300))
    machine.write(address, before)
    machine.call("copy", address, to, origin, count)
    expected = bytearray(before)
    expected[to : to + count] = before[origin : origin + count]
    assert machine.read(address, 300) == expected


@pytest.mark.parametrize(("to", "value", "count"), [(0, 0, 32), (1, 0, 31), (3, 7, 0), (2, -1, 50)])
def test_memset(machine, to, value, count):
    address, _ = machine.symbol("buffer")
    before = bytes(range(100))
    machine.write(address, before)
    machine.call("set", address, to, value, count)
    expected = bytearray(before)
    expected[to : to + count] = bytes([value & 0xFF]) * count
    assert machine.read(address, 100) == expected


def test_memcmp(machine):
    address, _ = machine.symbol("buffer")
    machine.write(address, b"abcdabce\xff")
    assert machine.call("compare", address, 0, 4, 3) == 0
    assert signed(machine.call("compare", address, 0, 4, 4)) < 0
    assert signed(machine.call("compare", address, 8, 0, 1)) > 0


def test_data_is_initialised_by_reset_and_only_then(machine):
    assert [machine.call("set_up") for _ in range(2)] == [43 + 6, 44 + 5]
    machine.reset()
    assert machine.call("set_up") == 43 + 6


def test_initialised_data_counts_as_flash_and_as_ram(machine):
    sizes = machine.firmware.sizes
    assert sizes.data >= 4 and sizes.zeroed >= 512
    assert sizes.ram_bytes == sizes.data + sizes.zeroed
    assert sizes.flash_bytes == sizes.code + sizes.constants + sizes.data


def test_the_stack_is_measured(machine):
    machine.call("seven", 1, 2, 3, 4, 5, 6, 7)
    shallow = machine.stack_bytes
    machine.call("deep", 3)
    at_3 = machine.stack_bytes
    machine.call("deep", 7)
    frame = (machine.stack_bytes - at_3) / 4
    assert shallow < 64
    assert 256 < frame < 256 + 64 and frame == int(frame)
    machine.reset()
    assert machine.stack_bytes == 0


def test_stack_overflow(machine):
    with pytest.raises(EmulationError, match=r"stack overflow.*deep|stack overflow.*fill"):
        machine.call("deep", 1000)
    assert machine.call("scale", 1 << 30, 6) == 3


def test_write_to_flash(machine, target):
    with pytest.raises(EmulationError, match=r"write to flash \(4 bytes at .*in put"):
        machine.call("put", target.flash[0].address + 64)


def test_access_without_memory(machine, target):
    behind = target.ram[0].end
    with pytest.raises(EmulationError, match=rf"no memory .*{behind:#010x}.*in get"):
        machine.call("get", behind)
    with pytest.raises(EmulationError, match=r"no memory .*in put"):
        machine.call("put", 0x5000_0000)


def test_ram_is_usable_to_its_last_word(machine, target):
    machine.call("put", target.ram[0].end - 4)
    assert machine.call("get", target.ram[0].end - 4) == 1


def test_unaligned_pair_of_words(machine):
    address, _ = machine.symbol("buffer")
    with pytest.raises(EmulationError, match=r"unaligned access.*in get_two"):
        machine.call("get_two", address + 1)


def test_unaligned_word(machine, target):
    address, _ = machine.symbol("buffer")
    machine.write(address, bytes(range(8)))
    if "unaligned" in target.core.features:
        assert machine.call("get", address + 1) == 0x04030201
    else:
        with pytest.raises(EmulationError, match=r"unaligned access.*in get"):
            machine.call("get", address + 1)


def test_undefined_instruction(machine):
    with pytest.raises(EmulationError, match=r"undefined instruction.*in stop"):
        machine.call("stop")


def test_endless_loop(machine):
    with pytest.raises(EmulationError, match=r"ran more than 100,000 instructions.*in spin"):
        machine.call("spin", instruction_limit=100_000)


def test_unknown_function(machine):
    with pytest.raises(UnknownName, match="did you mean"):
        machine.call("seve")


def test_data_is_not_called(machine):
    with pytest.raises(EmulationError, match="is no function"):
        machine.call("buffer")


def test_reading_where_no_memory_is(machine):
    with pytest.raises(EmulationError, match="no memory"):
        machine.read(0xF000_0000, 4)


def test_memory_that_ends_inside_a_page(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(RV32IMAFC.replace("16_384", "15_360"))
    own = load_board(path)
    machine = Machine(firmware(own), own)
    machine.call("put", own.ram[0].end - 4)
    with pytest.raises(EmulationError, match=r"no memory.*in put"):
        machine.call("put", own.ram[0].end)


def test_no_elf_file():
    with pytest.raises(ArtifactError, match="ELF"):
        Machine(b"\x7fELF nonsense", board("nucleo-l4r5zi"))


def test_a_core_without_an_emulator_says_so(tmp_path):
    path = tmp_path / "m55.toml"
    path.write_text(RV32IMAFC.replace('core = "rv32imafc"', 'core = "cortex-m55"'))
    own = load_board(path)
    elf = compile_firmware(
        {"a.c": "int f(void);\nint f(void) { return 1; }\n"}, own, entry_symbols=["f"]
    )
    with pytest.raises(EmulationError, match=r"cortex-m55.*does not drive"):
        Machine(elf, own)


def test_small_copies_are_no_calls():
    source = {
        "load.c": "#include <stdint.h>\n#include <string.h>\nint32_t load(const void *from);\n"
        "int32_t load(const void *from) {\n  int32_t x;\n  memcpy(&x, from, sizeof x);\n"
        "  return x;\n}\n"
    }
    where = board("nucleo-l4r5zi")
    machine = Machine(compile_firmware(source, where, entry_symbols=["load"]), where)
    assert "memcpy" not in machine.firmware.symbols
    machine.write(where.ram[0].address, bytes(range(8)))
    assert machine.call("load", where.ram[0].address + 1) == 0x04030201
