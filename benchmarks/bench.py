"""Every model of the sample data on every core: instructions, modelled cycles, memory, code.

    python benchmarks/bench.py --out benchmarks/results.json     # measure; also prints the table
    python benchmarks/bench.py --diff OLD.json NEW.json          # what moved between two runs

Cores are measured on a board of their own with ample memory and no wait states, so that one core
can be compared with another. Counts are deterministic; modelled cycles are modelled. Compile time
is seconds and differs from run to run, so a diff leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import SmidgenError
from smidgen.core.table import render
from smidgen.emulate.device import Device
from smidgen.emulate.measure import measure
from smidgen.emulate.proof import prove, random_samples
from smidgen.frontends.load import load_model
from smidgen.targets.catalogue import Board, MemoryRegion, board

# A board of each core, for its memory map's start addresses; sizes are replaced by ample ones.
CORES = {
    "cortex-m0plus": "raspberry-pi-pico",
    "cortex-m3": "nucleo-f103rb",
    "cortex-m4f": "nucleo-l4r5zi",
    "cortex-m7f": "nucleo-h743zi",
    "cortex-m33f": "nucleo-u575zi",
    "rv32imc": "esp32-c3",
}
OBJECTIVES = ("balanced",)
COUNTED = (
    "instructions", "modelled_cycles", "arena_bytes", "static_ram_bytes", "stack_bytes",
    "code_bytes", "weight_bytes",
)  # fmt: skip
SAMPLES = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One model on one core under one objective."""

    model: Path
    core: str
    objective: str


def bench_board(core: str) -> Board:
    """A board with that core, 16 MB of flash and 8 MB of RAM, no wait states."""
    base = board(CORES[core])
    flash = MemoryRegion("flash", base.flash[0].address, 16 << 20, 0, base.flash[0].fetch)
    ram = MemoryRegion("ram", base.ram[0].address, 8 << 20, 0, base.ram[0].fetch)
    return replace(base, name=f"bench-{core}", flash=(flash,), ram=(ram,), aliases=())


def cases(data: Path, cores: list[str], wanted: list[str]) -> Iterator[Case]:
    """Every model in `data` whose path contains one of `wanted` (all if none), on every core."""
    models = sorted({*data.rglob("*.tflite"), *data.rglob("*.lite"), *data.rglob("*.onnx")})
    for model in models:
        if not wanted or any(word in str(model) for word in wanted):
            for core in cores:
                for objective in OBJECTIVES:
                    yield Case(model, core, objective)


def run_case(case: Case, data: Path) -> dict[str, object]:
    """The figures of one case; an ``error`` where smidgen refuses the model."""
    row: dict[str, object] = {
        "model": str(case.model.relative_to(data)),
        "core": case.core,
        "objective": case.objective,
    }
    try:
        started = time.process_time()
        graph = load_model(case.model)
        target = bench_board(case.core)
        artifact = compile_graph(graph, target, objective=case.objective)
        seconds = time.process_time() - started
        device = Device(artifact, target)
        samples = random_samples(graph, SAMPLES)
        proof = prove(graph, device, samples)
        device.reset()
        measured = measure(device, samples)
    except SmidgenError as problem:
        return {**row, "error": str(problem)}
    counted = {name: getattr(measured, name) for name in COUNTED}
    return {
        **row,
        **counted,
        "macs": measured.macs,
        "mismatches": proof.mismatches,
        "compile_seconds": round(seconds, 2),
    }


def table(rows: list[dict[str, object]]) -> str:
    """The rows as aligned text."""
    header = (
        "model", "core", "instructions", "mod. cycles", "cyc/MAC", "arena", "RAM", "stack", "code",
        "weights", "compile s", "mismatches",
    )  # fmt: skip
    return render(header, [_cells(row) for row in rows])


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    head = (str(row["model"]), str(row["core"]))
    if "error" in row:
        return (*head, "refused", *("" for _ in range(9)))
    macs, cycles = int(str(row["macs"])), int(str(row["modelled_cycles"]))
    ratio = f"{cycles / macs:.2f}" if macs else "-"
    figures = [f"{row[name]:,}" for name in COUNTED[2:]]
    counts = (f"{row['instructions']:,}", f"{cycles:,}", ratio)
    return (*head, *counts, *figures, str(row["compile_seconds"]), str(row["mismatches"]))


def diff(old: Path, new: Path) -> str:
    """What moved between two result files, one line a figure; empty where nothing did."""
    before, after = (_by_case(path) for path in (old, new))
    lines = [f"{key}: only in {old}" for key in before if key not in after]
    for key, row in after.items():
        if key not in before:
            lines.append(f"{key}: new")
            continue
        lines.extend(_moves(key, before[key], row))
    return "\n".join(lines)


def _moves(key: str, before: dict[str, object], after: dict[str, object]) -> Iterator[str]:
    for name in (*COUNTED, "mismatches", "error"):
        old, new = before.get(name), after.get(name)
        if old != new:
            change = ""
            if isinstance(old, int) and isinstance(new, int) and old:
                change = f" ({100 * (new - old) / old:+.2f} %)"
            yield f"{key}: {name} {old} -> {new}{change}"


def _by_case(path: Path) -> dict[str, dict[str, object]]:
    rows = json.loads(path.read_text())
    return {f"{row['model']} {row['core']} {row['objective']}": row for row in rows}


def main() -> None:
    """Measure, or compare two measurements."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--core", action="append", choices=CORES, help="default: all")
    parser.add_argument("--only", action="append", default=[], help="part of a model's path")
    parser.add_argument("--diff", nargs=2, type=Path, metavar=("OLD", "NEW"))
    arguments = parser.parse_args()
    if arguments.diff:
        print(diff(*arguments.diff) or "nothing moved")
        return
    if not os.environ.get("SMIDGEN_DATA"):
        sys.exit("set SMIDGEN_DATA to a folder with models")
    data = Path(os.environ["SMIDGEN_DATA"])
    rows = []
    for case in cases(data, arguments.core or list(CORES), arguments.only):
        print(f"- {case.model.relative_to(data)} {case.core}", file=sys.stderr)
        rows.append(run_case(case, data))
    print(table(rows))
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
