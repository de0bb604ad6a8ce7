"""Boards under Linux and 64-bit RISC-V, on QEMU's user mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import smidgen
from smidgen.core.errors import EmulationError
from smidgen.emulate.device import Device
from smidgen.emulate.linux.machine import LinuxMachine
from smidgen.emulate.measure import measure
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.proof import prove, random_samples
from smidgen.targets.catalogue import board
from support.graphs import small_convnet
from support.models import read_goldens
from support.qemu import needs_qemu, needs_qemu_user
from support.samples import DATA, needs_data

BOARDS = ["raspberry-pi-zero", "raspberry-pi-3", "raspberry-pi-4", "raspberry-pi-5", "k210"]
# A loop of `n` rounds of two instructions (three on RISC-V, which has no flags), and the return.
COUNTED = {
    "raspberry-pi-zero": (2, "1: subs r0, r0, #1\\n bne 1b\\n bx lr"),
    "raspberry-pi-4": (2, "1: subs x0, x0, #1\\n b.ne 1b\\n ret"),
    "k210": (2, "1: addi a0, a0, -1\\n bnez a0, 1b\\n ret"),
}
PROGRAM = """#include <stdint.h>
uint32_t memory[64] = {{1, 2, 3}};
int deep(uint32_t), bad(uint32_t);
__asm__(".text\\n.globl counted\\n.type counted, %function\\ncounted:\\n {loop}\\n"
        ".size counted, .-counted\\n");
__attribute__((noinline)) int deep(uint32_t bytes) {{
    volatile uint8_t room[4096];
    for (uint32_t i = 0; i < bytes; ++i) {{
        room[i] = 1;
    }}
    return room[0];
}}
int bad(uint32_t address) {{
    return *(volatile int *)(uintptr_t)address;
}}
"""

pytestmark = needs_qemu_user


def machine(name: str, loop: str = "nop") -> LinuxMachine:
    sources = FirmwareSources(
        {"program.c": PROGRAM.format(loop=loop)}, ("counted", "memory", "deep", "bad")
    )
    return LinuxMachine(sources, board(name))


@pytest.mark.parametrize("name", COUNTED)
def test_instructions_are_counted_one_by_one(name: str) -> None:
    rounds, loop = COUNTED[name]
    under_test = machine(name, loop)
    for times in (1, 10, 12_345):
        under_test.clear_counts()
        under_test.call("counted", times)
        assert under_test.counts().instructions == rounds * times + 1


def test_memory_lasts_until_reset_and_stack_is_measured() -> None:
    under_test = machine("raspberry-pi-4")
    address, size = under_test.symbol("memory")
    assert size == 256 and under_test.read(address, 8) == b"\1\0\0\0\2\0\0\0"
    content = bytes(range(256))
    under_test.write(address, content)
    assert under_test.read(address, 256) == content
    under_test.call("deep", 1)
    assert 4096 <= under_test.stack_bytes <= 4096 + 512
    under_test.reset()
    assert under_test.read(address, 4) == b"\1\0\0\0" and under_test.stack_bytes == 0


def test_a_fault_names_the_function_and_the_machine_can_be_reset() -> None:
    under_test = machine("raspberry-pi-zero")
    with pytest.raises(EmulationError, match=r"bad on raspberry-pi-zero: .*SIGSEGV"):
        under_test.call("bad", 16)
    with pytest.raises(EmulationError, match="reset the machine"):
        under_test.call("deep", 1)
    under_test.reset()
    assert under_test.call("deep", 1) == 1


def test_a_stack_overflow_is_a_fault() -> None:
    under_test = machine("k210")
    with pytest.raises(EmulationError, match="SIGSEGV"):
        under_test.call("bad", under_test.firmware.stack.start - 8)


@pytest.mark.parametrize("name", BOARDS)
def test_a_network_equals_the_reference_and_is_counted_by_layer(name: str) -> None:
    graph = small_convnet()
    device = Device(smidgen.compile(graph, name), board(name))
    assert prove(graph, device, random_samples(graph, 4)).holds
    device.reset()
    measured = measure(device, random_samples(graph, 1))
    assert measured.stack_bytes > 0
    # None of these cores takes more than four instructions a clock.
    assert measured.instructions / 4 < (measured.modelled_cycles or 0) < 4 * measured.instructions
    assert sum(share.instructions for share in measured.shares) == measured.instructions
    assert measured.stack_bound_bytes is not None, measured.stack_unbounded
    assert measured.stack_bytes <= measured.stack_bound_bytes <= measured.stack_bytes + 128
    by_layer = sum(layer.instructions for layer in measured.layers)
    assert 0.9 * measured.instructions < by_layer <= measured.instructions


@needs_data
@pytest.mark.parametrize("name", BOARDS)
def test_published_goldens(name: str) -> None:
    assert_goldens(name, "kws_dscnn", "kws_ref_model.tflite", (1, 49, 10, 1))


@needs_data
@pytest.mark.parametrize("name", ["raspberry-pi-3", "raspberry-pi-5"])
def test_published_goldens_of_an_image_classifier(name: str) -> None:
    assert_goldens(name, "imgc_resnet8", "pretrainedResnet_quant.tflite", (1, 32, 32, 3))


def assert_goldens(name: str, folder: str, model: str, shape: tuple[int, ...]) -> None:
    assert DATA is not None
    place = DATA / "models" / "cfu_golden" / folder
    device = Device(smidgen.compile(smidgen.load(place / model), name), board(name))
    for x, expected in read_goldens(place, shape):
        assert np.array_equal(device.run([x])[0].reshape(-1), expected)


@needs_qemu
def test_code_for_a_cortex_m85_is_proved_on_its_predecessor(small_model: Path) -> None:
    graph = smidgen.load(small_model)
    device = Device(smidgen.compile(graph, "ek-ra8d1"), board("ek-ra8d1"))
    assert prove(graph, device, random_samples(graph, 4)).holds
    measured = measure(device, random_samples(graph, 1))
    assert measured.instructions > 0 and "Cortex-M55" in measured.emulator_note
