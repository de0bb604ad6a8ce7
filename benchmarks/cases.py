"""What is measured: models, cores, objectives, and the figures of one of each."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import SmidgenError
from smidgen.emulate.device import Device
from smidgen.emulate.measure import measure
from smidgen.emulate.proof import prove, random_samples
from smidgen.frontends.load import load_model
from smidgen.targets.ample import ample
from smidgen.targets.catalogue import board

# A board of each core, for its memory map's start addresses; sizes are replaced by ample ones.
CORES = {
    "cortex-m0": "nucleo-f091rc",
    "cortex-m0plus": "raspberry-pi-pico",
    "cortex-m3": "nucleo-f103rb",
    "cortex-m4f": "nucleo-l4r5zi",
    "cortex-m7f": "nucleo-h743zi",
    "cortex-m33f": "nucleo-u575zi",
    "cortex-m55": "corstone-300",
    "rv32imc": "esp32-c3",
    "rv32imafc": "ch32v307-evt",
}
QEMU, QEMU_CORES = "qemu-system-arm", ("cortex-m55",)
FULL_CORE = "cortex-m4f"
"""The core on which every objective is measured; on the others, "balanced"."""
OBJECTIVES = ("size", "balanced", "speed")
COUNTED = (
    "instructions", "modelled_cycles", "arena_bytes", "static_ram_bytes", "stack_bytes",
    "code_bytes", "weight_bytes",
)  # fmt: skip
SUFFIXES = (".tflite", ".lite", ".onnx")
SAMPLES = 2

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """One model, by its path below the sample data, on one core under one objective."""

    model: str
    core: str
    objective: str


def cores_here() -> list[str]:
    """The cores that can be measured on this computer."""
    able = shutil.which(QEMU) is not None
    return [core for core in CORES if able or core not in QEMU_CORES]


def models_in(data: Path, wanted: Sequence[str]) -> list[str]:
    """The models below `data` whose path contains one of `wanted`; all if none is wanted."""
    paths = sorted(path for path in data.rglob("*") if path.suffix in SUFFIXES)
    names = (path.relative_to(data).as_posix() for path in paths)
    return [name for name in names if not wanted or any(word in name for word in wanted)]


def cases(models: Sequence[str], cores: Sequence[str]) -> Iterator[Case]:
    """Every model on every core; on one core under every objective."""
    for model in models:
        for core in cores:
            for objective in OBJECTIVES if core == FULL_CORE else ("balanced",):
                yield Case(model, core, objective)


def run_case(case: Case, data: Path) -> Row:
    """The figures of one case; an ``error`` where smidgen or the core refuses the model."""
    row: Row = {"model": case.model, "core": case.core, "objective": case.objective}
    try:
        return {**row, **_figures(case, data)}
    except SmidgenError as problem:
        return {**row, "error": " ".join(str(problem).split())}


def _figures(case: Case, data: Path) -> Row:
    graph, target = load_model(data / case.model), ample(board(CORES[case.core]))
    started = time.process_time()
    artifact = compile_graph(graph, target, objective=case.objective)
    seconds = time.process_time() - started
    device = Device(artifact, target)
    samples = random_samples(graph, SAMPLES)
    proof = prove(graph, device, samples)
    device.reset()
    measured = measure(device, samples)
    return {
        **{name: getattr(measured, name) for name in COUNTED},
        "macs": measured.macs,
        "mismatches": proof.mismatches,
        "compile_seconds": round(seconds, 2),
    }
