"""Published models with published outputs: byte for byte on the emulated boards."""

from __future__ import annotations

import numpy as np
import pytest

import smidgen
from smidgen.emulate.device import Device
from smidgen.targets.catalogue import board
from support.models import read_goldens
from support.samples import DATA, needs_data

MODELS = {
    "kws_dscnn": ("kws_ref_model.tflite", (1, 49, 10, 1)),
    "imgc_resnet8": ("pretrainedResnet_quant.tflite", (1, 32, 32, 3)),
}


@needs_data
@pytest.mark.parametrize("objective", ["size", "balanced", "speed"])
@pytest.mark.parametrize("folder", MODELS)
def test_all_goldens_match_on_the_emulated_cortex_m4(folder: str, objective: str) -> None:
    check_goldens(folder, "nucleo-l4r5zi", objective, limit=None)


@needs_data
@pytest.mark.parametrize("name", ["raspberry-pi-pico", "esp32-c3", "nucleo-f103rb"])
def test_keyword_goldens_match_on_other_cores(name: str) -> None:
    check_goldens("kws_dscnn", name, "balanced", limit=3)


def check_goldens(folder: str, board_name: str, objective: str, limit: int | None) -> None:
    file, shape = MODELS[folder]
    assert DATA is not None
    place = DATA / "models" / "cfu_golden" / folder
    artifact = smidgen.compile(smidgen.load(place / file), board_name, objective=objective)
    device = Device(artifact, board(board_name))
    goldens = read_goldens(place, shape)[:limit]
    assert goldens
    for x, expected in goldens:
        assert np.array_equal(device.run([x])[0].reshape(-1), expected)
