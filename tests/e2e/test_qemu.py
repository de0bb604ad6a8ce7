"""QEMU, the second emulator: the same bytes and the same counts as Unicorn, and the Cortex-M55."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import smidgen
from smidgen.cli.main import cli
from smidgen.core.errors import EmulationError
from smidgen.emulate.device import Device
from smidgen.emulate.measure import Measurement, measure
from smidgen.emulate.proof import prove, random_samples
from smidgen.emulate.samples import draw_inputs
from smidgen.targets.catalogue import board
from support.graphs import small_convnet
from support.models import read_goldens
from support.qemu import needs_qemu
from support.samples import DATA, needs_data

MODELS = {
    "kws_dscnn": ("kws_ref_model.tflite", (1, 49, 10, 1)),
    "imgc_resnet8": ("pretrainedResnet_quant.tflite", (1, 32, 32, 3)),
}
BOARDS = {
    "cortex-m3": "nucleo-f103rb",
    "cortex-m4": "nucleo-l4r5zi",
    "cortex-m7": "teensy-4.1",
    "cortex-m33": "lpc55s69-evk",
}


def device_on(folder: str, board_name: str, emulator: str) -> Device:
    assert DATA is not None
    graph = smidgen.load(DATA / "models" / "cfu_golden" / folder / MODELS[folder][0])
    return Device(smidgen.compile(graph, board_name), board(board_name), emulator)


def figures(measurement: Measurement) -> tuple[object, ...]:
    """All that is counted and not modelled."""
    m = measurement
    layers = [(layer.name, layer.instructions) for layer in m.layers]
    return (
        m.instructions,
        m.instructions_min,
        m.instructions_max,
        m.stack_bytes,
        m.flash_bytes,
        layers,
    )


@needs_qemu
@needs_data
@pytest.mark.parametrize("board_name", ["nucleo-l4r5zi", "corstone-300"])
@pytest.mark.parametrize("folder", MODELS)
def test_goldens_match_on_qemu(folder: str, board_name: str) -> None:
    assert DATA is not None
    device = device_on(folder, board_name, "qemu")
    goldens = read_goldens(DATA / "models" / "cfu_golden" / folder, MODELS[folder][1])
    assert goldens
    for x, expected in goldens:
        assert np.array_equal(device.run([x])[0].reshape(-1), expected)


@needs_qemu
@needs_data
@pytest.mark.parametrize("folder", MODELS)
def test_both_emulators_count_the_same_instructions_on_a_cortex_m4(folder: str) -> None:
    found = []
    for emulator in ("unicorn", "qemu"):
        device = device_on(folder, "nucleo-l4r5zi", emulator)
        samples = draw_inputs([port.type for port in device.artifact.manifest.inputs], 3)
        found.append(figures(measure(device, samples)))
    assert found[0] == found[1]


@needs_qemu
@pytest.mark.parametrize("core", BOARDS)
def test_both_emulators_agree_on_every_core_that_both_have(core: str) -> None:
    graph = small_convnet()
    artifact = smidgen.compile(graph, BOARDS[core])
    found = []
    for emulator in ("unicorn", "qemu"):
        device = Device(artifact, board(BOARDS[core]), emulator)
        samples = random_samples(graph, 4)
        assert prove(graph, device, samples).holds
        device.reset()
        found.append(figures(measure(device, samples)))
    assert found[0] == found[1]


@needs_qemu
@pytest.mark.parametrize("core", BOARDS)
def test_both_emulators_simulate_the_same_waits_for_every_layer(core: str) -> None:
    artifact = smidgen.compile(small_convnet(), BOARDS[core])
    samples = random_samples(small_convnet(), 1)
    found = []
    for emulator in ("unicorn", "qemu"):
        device = Device(artifact, board(BOARDS[core]), emulator)
        runs = [measure(device, samples) for _ in range(2)]
        found.append([[layer.wait_cycles for layer in run.layers] for run in runs])
    assert found[0] == found[1]
    assert sum(found[0][0]) > 0 or not board(BOARDS[core]).waits_for_memory


@needs_qemu
def test_command_line_profiles_a_cortex_m55(small_model: Path) -> None:
    command = ["profile", str(small_model), "--board", "corstone-300"]
    told = CliRunner().invoke(cli, [*command, "--json"])
    assert told.exit_code == 0, told.output
    report = json.loads(told.output)
    assert report["instructions"] > 0
    assert sum(layer["instructions"] for layer in report["layers"]) <= report["instructions"]
    assert report["modelled_cycles"] > report["instructions"] / 2
    by_layer = sum(layer["modelled_cycles"] for layer in report["layers"])
    assert 0.8 * report["modelled_cycles"] < by_layer <= report["modelled_cycles"]
    assert sum(row["instructions"] for row in report["functions"]) == report["instructions"]
    assert "+-40 %" in CliRunner().invoke(cli, command).output


@needs_qemu
def test_blocks_counted_by_both_emulators_cost_the_same(small_model: Path) -> None:
    artifact = smidgen.compile(smidgen.load(small_model), "nucleo-u575zi")
    samples = random_samples(smidgen.load(small_model), 1)
    found = [
        measure(Device(artifact, board("nucleo-u575zi"), emulator), samples)
        for emulator in ("unicorn", "qemu")
    ]
    clocks = [each.zero_wait_cycles or each.modelled_cycles for each in found]
    assert abs(clocks[0] - clocks[1]) / clocks[0] < 0.01


def test_without_qemu_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    artifact = smidgen.compile(small_convnet(), "corstone-300")
    with pytest.raises(EmulationError, match="install the package qemu-system-arm"):
        Device(artifact, board("corstone-300"))
