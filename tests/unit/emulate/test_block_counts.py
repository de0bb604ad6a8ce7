"""Instructions are counted exactly, and go to the layer that was running."""

import pytest

from smidgen.emulate.timing.cycles import ROOT, Counts
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_firmware

THUMB = r"""
.syntax unified
.text
.macro function name
  .global \name
  .type \name, %function
  .thumb_func
\name:
.endm

function sum
  movs r2, #0
1:
  ldm r0!, {r3}
  adds r2, r2, r3
  subs r1, #1
  bne 1b
  mov r0, r2
  bx lr
.size sum, . - sum

function helper
  nop
  bx lr
.size helper, . - helper

function layer_a
  push {r4, lr}
  bl helper
  nop
  pop {r4, pc}
.size layer_a, . - layer_a

function layer_b
  push {r4, lr}
  bl helper
  bl helper
  pop {r4, pc}
.size layer_b, . - layer_b

function root
  push {r4, lr}
  bl layer_a
  bl layer_b
  nop
  bl helper
  bl layer_a
  pop {r4, pc}
.size root, . - root
"""
RISCV = r"""
.text
.global sum
.type sum, %function
sum:
  li a2, 0
1:
  lw a3, 0(a0)
  add a2, a2, a3
  addi a0, a0, 4
  addi a1, a1, -1
  bnez a1, 1b
  mv a0, a2
  ret
.size sum, . - sum
"""
THUMB_BOARDS = (
    "nucleo-l4r5zi",
    "raspberry-pi-pico",
    "nucleo-f103rb",
    "nucleo-h743zi",
    "nucleo-u575zi",
)


def thumb_machine(name: str) -> Machine:
    symbols = ("sum", "root", "layer_a", "layer_b", "helper")
    elf = compile_firmware(
        {"t.S": THUMB}, board(name), entry_symbols=symbols, reserve_stack_bytes=1024
    )
    return Machine(elf, board(name))


def instructions(rows: tuple, name: str) -> int:
    return next(row.instructions for row in rows if row.name == name)


@pytest.mark.parametrize("name", THUMB_BOARDS)
@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_loop_in_thumb(name, count):
    machine = thumb_machine(name)
    machine.call("sum", board(name).ram[0].address, count)
    assert machine.counts().instructions == 1 + 4 * count + 2


@pytest.mark.parametrize("name", ["esp32-c3", "gd32vf103"])
@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_loop_on_riscv(name, count):
    machine = Machine(
        compile_firmware({"r.S": RISCV}, board(name), entry_symbols=["sum"]), board(name)
    )
    machine.call("sum", board(name).ram[0].address, count)
    assert machine.counts().instructions == 1 + 5 * count + 2


def layered(name: str = "nucleo-l4r5zi") -> tuple[Machine, Counts]:
    machine = thumb_machine(name)
    machine.set_regions("root", ("layer_a", "layer_b"))
    machine.call("root")
    return machine, machine.counts()


@pytest.mark.parametrize("name", THUMB_BOARDS)
def test_layers_hold_what_they_call(name):
    _, counts = layered(name)
    # root: its own 7 instructions. Its call of helper comes right after layer_b has returned to it.
    assert [row.name for row in counts.layers] == [ROOT, "layer_a", "layer_b"]
    assert [row.instructions for row in counts.layers] == [7 + 2, 2 * (4 + 2), 4 + 2 * 2]


def test_functions_hold_only_themselves():
    _, counts = layered()
    assert instructions(counts.functions, "helper") == 5 * 2 - 0
    assert instructions(counts.functions, "layer_a") == 2 * 4
    assert instructions(counts.functions, "root") == 7


def test_sums_agree():
    _, counts = layered()
    for rows in (counts.layers, counts.functions):
        assert sum(row.instructions for row in rows) == counts.instructions
        assert abs(sum(row.modelled_cycles for row in rows) - counts.modelled_cycles) <= len(rows)


def test_counts_add_up_over_calls_until_cleared():
    machine, once = layered()
    machine.call("root")
    assert machine.counts().instructions == 2 * once.instructions
    machine.clear_counts()
    assert machine.counts().instructions == 0
    machine.call("root")
    again = machine.counts()
    assert again.instructions == once.instructions
    assert again.modelled_cycles - again.wait_cycles == once.modelled_cycles - once.wait_cycles
    assert again.wait_cycles < once.wait_cycles  # the caches are warm


def test_jumps_that_are_taken_are_counted():
    machine = thumb_machine("nucleo-l4r5zi")
    machine.call("sum", board("nucleo-l4r5zi").ram[0].address, 10)
    first, loop, end = sorted(machine.blocks(), key=lambda block: block.address)
    assert (first.executions, first.taken) == (1, 1)
    assert (loop.executions, loop.taken) == (9, 8)
    assert (end.executions, end.taken) == (1, 1)


def test_many_blocks_are_all_kept():
    functions = "".join(f"case {i}: x ^= x * {i + 3}U + 1U; break;\n" for i in range(3000))
    source = (
        "unsigned many(unsigned n);\nunsigned many(unsigned n) {\n  unsigned x = n;\n"
        "  for (volatile unsigned i = 0; i < n; ++i) {\n    switch (i) {\n"
        f"{functions}    default: break;\n    }}\n  }}\n  return x;\n}}\n"
    )
    elf = compile_firmware({"m.c": source}, board("nucleo-l4r5zi"), entry_symbols=["many"])
    machine = Machine(elf, board("nucleo-l4r5zi"))
    machine.call("many", 3000)
    blocks = machine.blocks()
    assert len(blocks) > 3000
    assert len({(block.address, block.bytes) for block in blocks}) == len(blocks)
