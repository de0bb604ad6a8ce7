"""Marks for tests that need simavr and avr-gcc, and models on a large 8-bit AVR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.emulate.device import Device
from smidgen.emulate.emulators import why_not_at_hand
from smidgen.emulate.proof import FLOAT_TOLERANCE
from smidgen.graph.evaluate import Reference
from smidgen.targets.catalogue import Board, MemoryRegion, board, core
from support.threeway import Model, graph_of

UNO = "arduino-uno-r3"
_MISSING = why_not_at_hand(core("avr"))
needs_avr = pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "-")


def roomy() -> Board:
    """An ATmega1284P, which has the same core with 16 KB of RAM."""
    uno = board(UNO)
    flags = tuple(flag.replace("328p", "1284p") for flag in uno.core.gnu_flags)
    core = replace(uno.core, gnu_flags=flags, emulator_model="atmega1284p")
    flash = MemoryRegion("flash", 0, 128 * 1024, 0)
    return replace(uno, core=core, flash=(flash,), ram=(MemoryRegion("ram", 0x80_0100, 16_384, 0),))


def check_on_avr(models: Sequence[Model], objective: str = "balanced") -> None:
    """Assert that the generated C gives on an ATmega1284P what the reference gives."""
    for model in models:
        graph, target = graph_of(model), roomy()
        device = Device(compile_graph(graph, target, objective=objective), target)
        reference = Reference(graph)
        for index, run in enumerate(model.runs):
            for mine, right in zip(device.run(run), reference.run(run), strict=True):
                _same(f"{model.name}, run {index}", mine, right)
        bound = device.stack_bound()
        assert bound.bytes is not None, f"{model.name}: {bound.why_unknown}"
        assert device.machine.stack_bytes <= bound.bytes, f"{model.name} exceeds its stack bound"


def _same(where: str, mine: np.ndarray, right: np.ndarray) -> None:
    if right.dtype == np.float32:
        scale = max(float(np.abs(right).max(initial=0.0)), 1e-6)
        off = np.abs(mine.astype(np.float64) - right) / scale
        assert off.max(initial=0.0) <= FLOAT_TOLERANCE, f"{where}: off by {off.max()} relative"
    else:
        wrong = int((mine != right).sum())
        assert not wrong, f"{where}: {wrong} of {right.size} differ"
