"""8-bit AVR: compiled by avr-gcc, proved on simavr."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import smidgen
from kernels.test_state import circular_model
from smidgen.cli.main import cli
from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import DType
from smidgen.core.errors import DoesNotFit, EmulationError
from smidgen.emulate.avr.machine import SimavrMachine
from smidgen.emulate.device import Device
from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.measure import measure
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.proof import prove, random_samples
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.ops.elementwise.ops import Add
from smidgen.search.tuning import tune
from smidgen.targets.catalogue import MemoryRegion, board
from support.avr import UNO, needs_avr, roomy
from support.graphs import autoencoder, quant, separable_convnet, small_convnet
from support.samples import DATA, needs_data
from support.threeway import graph_of

pytestmark = needs_avr
# `ldi` 1 cycle, `sbiw` 2, `brne` 2 when taken and 1 when not, `ret` 4 (AVR Instruction Set Manual).
PROGRAM = """#include <stdint.h>
uint8_t memory[16] = {1, 2, 3};
const int16_t table[4] = {-5, 7, 11, -13};
const __flash int16_t distant[4] = {-5, 7, 11, -13};
void counted(uint16_t), deep(void), endless(void);
int16_t look_up(uint8_t), look_up_in_flash(uint8_t);
int16_t high_word(int16_t, int16_t);
__asm__(".text\\n.globl counted\\n.type counted, @function\\ncounted:\\n"
        "1: sbiw r24, 1\\n brne 1b\\n ret\\n.size counted, .-counted\\n");
int16_t look_up(uint8_t index) {
    return table[index];
}
int16_t look_up_in_flash(uint8_t index) {
    return distant[index];
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
SYMBOLS = (
    "counted", "memory", "look_up", "look_up_in_flash", "high_word", "deep", "endless",
)  # fmt: skip


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


def test_constants_are_read_and_arguments_have_16_bits(machine: SimavrMachine) -> None:
    for function in ("look_up", "look_up_in_flash"):
        assert [machine.call(function, index) for index in range(4)] == [0xFFFB, 7, 11, 0xFFF3]
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
    # In RAM are the arena and 28 bytes of a table in the softmax.
    assert measured.static_ram_bytes == measured.arena_bytes + 28


@pytest.mark.parametrize(
    ("graph", "arena_bytes"),
    [
        pytest.param(small_convnet(), 768, id="convnet"),
        pytest.param(autoencoder((64, 96, 32, 16, 32, 96, 64)), 192, id="autoencoder"),
        pytest.param(separable_convnet(), 800, id="separable"),
    ],
)
@pytest.mark.parametrize("objective", ["size", "balanced", "speed"])
def test_weights_stay_in_the_flash_of_the_uno(
    graph: Graph, arena_bytes: int, objective: str
) -> None:
    device = Device(compile_graph(graph, board(UNO), objective=objective), board(UNO))
    assert prove(graph, device, random_samples(graph, 2)).holds
    device.reset()
    measured = measure(device, random_samples(graph, 1))
    assert measured.arena_bytes <= arena_bytes
    assert measured.static_ram_bytes <= measured.arena_bytes + 28  # of a table in the softmax
    weights = sum(tensor.nbytes for tensor in graph.tensors.values() if tensor.is_constant)
    assert measured.weight_bytes >= weights
    assert measured.flash_bytes <= 32_768
    assert measured.stack_bound_bytes is not None, measured.stack_unbounded
    assert measured.stack_bytes <= measured.stack_bound_bytes <= measured.stack_bytes + 16


@pytest.mark.parametrize("name", ["arduino-mega-2560", "arduino-leonardo"])
def test_other_boards_run_the_same(name: str) -> None:
    graph, target = small_convnet(), board(name)
    device = Device(compile_graph(graph, target), target)
    assert prove(graph, device, random_samples(graph, 2)).holds
    with pytest.raises(EmulationError, match="are no RAM"):
        device.machine.read(target.ram[0].address - 1, 1)


@needs_data
def test_a_keyword_model_runs_on_the_mega() -> None:
    assert DATA is not None
    graph = smidgen.load(DATA / "models" / "tflm" / "micro_speech_quantized.tflite")
    mega = board("arduino-mega-2560")
    device = Device(compile_graph(graph, mega), mega)
    assert prove(graph, device, random_samples(graph, 1)).holds
    bound = device.stack_bound()
    assert bound.bytes is not None, bound.why_unknown
    assert device.machine.stack_bytes <= bound.bytes


def test_a_live_mega_answers() -> None:
    graph, mega = small_convnet(), board("arduino-mega-2560")
    device = LiveDevice(compile_graph(graph, mega), mega)
    (x,) = random_samples(graph, 1)[0]
    assert b"smidgen emulated arduino-mega-2560" in device.ask(b"name%")
    device.ask(f"db load {x.nbytes}%".encode())
    sent = [device.ask(b"db " + x.tobytes()[at : at + 31].hex().encode() + b"%")
            for at in range(0, x.nbytes, 31)]  # fmt: skip
    assert b"m-load-done" in sent[-1]
    said = device.ask(b"infer 1 0%").decode()
    (expected,) = Reference(graph).run([x])
    quanta = (expected.reshape(-1).astype(float) + 128) / 256
    found = [float(text) for text in said.split("m-results-[")[1].split("]")[0].split(",")]
    assert np.abs(found - quanta).max() < 1e-4
    first, last = (int(line[9:]) for line in said.split("\r\n") if line.startswith("m-lap-us-"))
    assert 50_000 < last - first < 150_000


def test_a_constant_operand_is_copied_to_ram() -> None:
    b = GraphBuilder("sum")
    x = b.input("x", DType.INT8, (1, 300), quant(0.05, 3))
    values = np.random.default_rng(1).integers(-128, 128, (1, 300))
    (y,) = b.add(Add(), [x, b.constant("c", DType.INT8, values, quant(0.04))], quant(0.1))
    graph = b.finish([y])
    device = Device(compile_graph(graph, board(UNO)), board(UNO))
    assert prove(graph, device, random_samples(graph, 3)).holds
    assert device.machine.firmware.sizes.data >= 300


def test_states_start_from_flash() -> None:
    graph = graph_of(circular_model(5, None))
    device = Device(compile_graph(graph, board(UNO)), board(UNO))
    assert prove(graph, device, random_samples(graph, 3)).holds
    assert device.machine.firmware.sizes.data == 0


def test_other_compilers_need_gnu_c_and_find_it_in_the_manifest() -> None:
    artifact = compile_graph(small_convnet(), board(UNO))
    assert artifact.manifest.compile_flags[0] == "-std=gnu99"
    assert "static const __flash int8_t" in artifact.files["small_convnet_weights.h"]
    assert not any("SMG_ROM " in text or "SMG_ANY" in text for text in artifact.files.values())


def test_more_constants_than_addresses_reach_are_refused() -> None:
    wide = autoencoder((128, 128, 128, 128, 128))
    with pytest.raises(DoesNotFit, match=r"reach 47,872 bytes of constants in flash, not 70,144"):
        compile_graph(wide, roomy())


@needs_data
@pytest.mark.parametrize(
    "model",
    [
        "tflm/hello_world_int8.tflite",
        "mlonmcu_golden/sine_model/hello_world.tflite",
        "mlonmcu_golden/sine_model/sine_model.tflite",
        "mlonmcu_golden/tests_model_with_add/model_with_add.tflite",
        "mlonmcu_golden/tests_model_with_reduce_max/model_with_reduce_max.tflite",
        "edge_impulse/temperature-regression.i8.lite",
        "edge_impulse/accelerometer.onnx",
        "tinymaix/mnist_valid_q.tflite",
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


def test_a_board_with_more_memory_than_the_chip_is_refused() -> None:
    uno = board(UNO)
    elf = FirmwareSources({"program.c": PROGRAM}, SYMBOLS).link(uno)
    for big in (
        replace(uno, ram=(MemoryRegion("sram", 0x80_0100, 4096, 0),)),
        replace(uno, flash=(MemoryRegion("flash", 0, 65_536, 0),)),
    ):
        with pytest.raises(EmulationError, match="ends behind that of simavr's atmega328p"):
            SimavrMachine(elf, big)


def test_layers_are_measured_on_the_chip_itself() -> None:
    found = tune(autoencoder((8, 16, 8)), board(UNO), known={})
    assert found


def test_what_does_not_fit_is_refused(small_model: Path) -> None:
    graph, uno = smidgen.load(small_model), board(UNO)
    small = replace(uno, ram=(MemoryRegion("sram", 0x80_0100, 256, 0),))
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
