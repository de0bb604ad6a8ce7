"""8-bit AVR: compiled by avr-gcc, proved on simavr."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import smidgen
from smidgen.cli.main import cli
from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import DoesNotFit, EmulationError
from smidgen.emulate.avr.machine import SimavrMachine
from smidgen.emulate.device import Device
from smidgen.emulate.measure import measure
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.proof import prove, random_samples
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Board, MemoryRegion, board
from support.avr import needs_avr
from support.graphs import small_convnet
from support.samples import DATA, needs_data

pytestmark = needs_avr
UNO = "arduino-uno-r3"
# `ldi` 1 cycle, `sbiw` 2, `brne` 2 when taken and 1 when not, `ret` 4 (AVR Instruction Set Manual).
PROGRAM = """#include <stdint.h>
uint8_t memory[16] = {1, 2, 3};
const int16_t table[4] = {-5, 7, 11, -13};
void counted(uint16_t), deep(void), endless(void);
int16_t look_up(uint8_t);
int16_t high_word(int16_t, int16_t);
__asm__(".text\\n.globl counted\\n.type counted, @function\\ncounted:\\n"
        "1: sbiw r24, 1\\n brne 1b\\n ret\\n.size counted, .-counted\\n");
int16_t look_up(uint8_t index) {
    return table[index];
}
int16_t high_word(int16_t a, int16_t b) {
    return (int16_t)((int32_t)a * b >> 16);
}
void deep(void) {
    deep();
    memory[0]++;
}
void endless(void) {
    for (;;) {
    }
}
"""
SYMBOLS = ("counted", "memory", "look_up", "high_word", "deep", "endless")


def roomy() -> Board:
    """An ATmega1284P, which has the same core with 16 KB of RAM."""
    uno = board(UNO)
    core = replace(uno.core, gnu_flags=("-mmcu=atmega1284p",), emulator_model="atmega1284p")
    flash = MemoryRegion("flash", 0, 128 * 1024, 0)
    return replace(uno, core=core, flash=(flash,), ram=(MemoryRegion("ram", 0x80_0100, 16_384, 0),))


@pytest.fixture
def machine() -> SimavrMachine:
    uno = board(UNO)
    return SimavrMachine(FirmwareSources({"program.c": PROGRAM}, SYMBOLS).link(uno), uno)


@pytest.mark.parametrize("times", [1, 10, 1000])
def test_instructions_and_cycles_are_those_of_the_manual(
    machine: SimavrMachine, times: int
) -> None:
    machine.call("counted", times)
    counts = machine.counts()
    assert counts.instructions == 2 * times + 1
    assert counts.modelled_cycles == 4 * times - 1 + 4


def test_constants_are_read_from_ram_and_arguments_have_16_bits(machine: SimavrMachine) -> None:
    assert [machine.call("look_up", index) for index in range(4)] == [0xFFFB, 7, 11, 0xFFF3]
    assert machine.call("high_word", 300, -300 & 0xFFFF) == -90_000 >> 16 & 0xFFFF
    address, size = machine.symbol("memory")
    assert size == 16 and machine.read(address, 3) == b"\1\2\3"
    machine.write(address, b"\7")
    machine.reset()
    assert machine.read(address, 1) == b"\1"


def test_a_stack_overflow_is_a_fault(machine: SimavrMachine) -> None:
    with pytest.raises(EmulationError, match=r"stack overflow.* in deep"):
        machine.call("deep")


def test_code_that_runs_away_is_stopped(machine: SimavrMachine) -> None:
    with pytest.raises(EmulationError, match=r"more instructions than the limit.* in endless"):
        machine.call("endless", instruction_limit=10_000)


def test_what_is_no_ram_or_function_is_refused(machine: SimavrMachine) -> None:
    with pytest.raises(EmulationError, match="are no RAM"):
        machine.read(0x80_0000, 1)
    with pytest.raises(EmulationError, match="is no function"):
        machine.call("memory")


def test_a_network_equals_the_reference_on_16_bit_integers() -> None:
    graph: Graph = small_convnet()
    target = roomy()
    device = Device(compile_graph(graph, target), target)
    assert prove(graph, device, random_samples(graph, 3)).holds
    device.reset()
    measured = measure(device, random_samples(graph, 1))
    by_layer = sum(layer.instructions for layer in measured.layers)
    assert 0.9 * measured.instructions < by_layer <= measured.instructions
    assert measured.modelled_cycles and measured.modelled_cycles > measured.instructions
    # The constants, which a core of Harvard architecture cannot load from flash, are in RAM too.
    assert measured.static_ram_bytes >= measured.arena_bytes + measured.weight_bytes


@needs_data
@pytest.mark.parametrize(
    "model",
    [
        "tflm/hello_world_int8.tflite",
        "mlonmcu_golden/sine_model/hello_world.tflite",
        "mlonmcu_golden/sine_model/sine_model.tflite",
        "mlonmcu_golden/tests_model_with_add/model_with_add.tflite",
        "mlonmcu_golden/tests_model_with_reduce_max/model_with_reduce_max.tflite",
    ],
)
def test_small_models_run_on_the_uno(model: str) -> None:
    assert DATA is not None
    graph = smidgen.load(DATA / "models" / model)
    device = Device(smidgen.compile(graph, UNO), board(UNO))
    assert prove(graph, device, random_samples(graph, 6)).holds


@needs_data
def test_signal_kernels_are_exact_on_16_bit_integers() -> None:
    assert DATA is not None
    graph = smidgen.load(DATA / "models" / "tflm" / "audio_preprocessor_int8.tflite")
    target = roomy()
    device = Device(compile_graph(graph, target), target)
    assert prove(graph, device, random_samples(graph, 3)).holds


def test_what_does_not_fit_is_refused(small_model: Path) -> None:
    graph, uno = smidgen.load(small_model), board(UNO)
    small = replace(uno, ram=(MemoryRegion("sram", 0x80_0100, 512, 0),))
    with pytest.raises(DoesNotFit, match="RAM region 'sram' overflows by"):
        Device(compile_graph(graph, small), small)


def test_without_a_compiler_it_is_not_verified(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    out = tmp_path / "out"
    arguments = ["compile", str(small_model), "--board", UNO, "-o", str(out)]
    told = CliRunner().invoke(cli, arguments)
    assert told.exit_code == 0, told.output
    assert "NOT VERIFIED" in told.output and "packages gcc-avr and avr-libc" in told.output
    assert json.loads((out / "report.json").read_text())["verified"] is False
