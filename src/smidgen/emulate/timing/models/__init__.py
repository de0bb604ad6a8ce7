"""Clocks per block of code, one table per family of cores. All of it is a model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from smidgen.core.errors import UnknownName
from smidgen.emulate.timing.models import (
    arm1176,
    cortex_a53,
    cortex_a72,
    cortex_a76,
    cortex_m0,
    cortex_m0plus,
    cortex_m3,
    cortex_m4,
    cortex_m7,
    cortex_m33,
    cortex_m55,
    cortex_m85,
    esp32_c6,
    hazard3,
    qingke_v2,
    rocket,
    rv32,
)
from smidgen.emulate.timing.models.cost import BlockCost, CycleModel
from smidgen.targets.cache import fingerprint

MODELS: Mapping[str, CycleModel] = MappingProxyType(
    {
        "arm1176": arm1176.block_cost,
        "cortex-a53": cortex_a53.block_cost,
        "cortex-a72": cortex_a72.block_cost,
        "cortex-a76": cortex_a76.block_cost,
        "cortex-m0": cortex_m0.block_cost,
        "cortex-m0plus": cortex_m0plus.block_cost,
        "cortex-m3": cortex_m3.block_cost,
        "cortex-m4": cortex_m4.block_cost,
        "cortex-m7": cortex_m7.block_cost,
        "cortex-m33": cortex_m33.block_cost,
        "cortex-m55": cortex_m55.block_cost,
        "cortex-m85": cortex_m85.block_cost,
        "esp32-c6": esp32_c6.block_cost,
        "hazard3": hazard3.block_cost,
        "qingke-v2": qingke_v2.block_cost,
        "rocket": rocket.block_cost,
        "rv32": rv32.block_cost,
    }
)


def cycle_model(name: str) -> CycleModel:
    """The model called `name`; raises UnknownName."""
    if name not in MODELS:
        raise UnknownName("cycle model", name, MODELS)
    return MODELS[name]


@cache
def models_identity() -> str:
    """What changes whenever a table or its rules do: the text of all files here."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return fingerprint(*(each.read_text(encoding="utf-8") for each in files))


__all__ = ["BlockCost", "CycleModel", "cycle_model", "models_identity"]
