"""How far the modelled cycles are from what was measured on real boards (`published.toml`).

    SMIDGEN_DATA=... python benchmarks/validate_cycles.py [--json]
        [--coremark FOLDER] [--primes FILE]

MLPerf Tiny's programs are not run here, so two things are compared:

- Programs whose instructions are known: predicted are those instructions times the cycles per
  instruction that the core's table gives our own code for a model of the same kind, and the waits
  for reading weights from flash. CMSIS-NN reads a convolution's weights once for every two output
  positions; behind a cache that holds them, or in dense layers, they are read once.
- One program on several boards: the ratio of its clocks between two boards, beside the ratio of our
  own code's modelled cycles, waits included.

CoreMark and a program that counts primes are run, from sources that are not part of this project
(`known`): the modelled clocks are compared with those that others measured, or, where they had a
compiler of another kind, the ratios of the clocks of two boards.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import known

import smidgen
from smidgen.core.table import render
from smidgen.emulate.measure import Measurement
from smidgen.targets.catalogue import board as find_board
from smidgen.targets.records import tomllib

PUBLISHED = Path(__file__).with_name("published.toml")
# Of the sample models, one of the same kind for each model of the benchmark.
LOOK_ALIKES = {
    "kws": "models/mlonmcu_golden/micro_kws_m_quantized/micro_kws_m_quantized.tflite",
    "vww": "models/mltk/image_example1.tflite",
    "ic": "models/mlonmcu_golden/resnet/resnet.tflite",
    "ad": "models/mltk/anomaly_detection.tflite",
}
DENSE = ("ad",)
BASE = "nucleo-l4r5zi"
LEFT_OUT = (
    "CoreMark is left out: git clone https://github.com/eembc/coremark, then --coremark coremark",
    "The primes are left out: save http://hoult.org/primes.txt, then --primes primes.txt",
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure that was published, and what the model says of it."""

    core: str
    board: str
    program: str
    model: str
    what: str
    published: float
    predicted: float

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was published."""
        return self.predicted / self.published - 1


@cache
def profile(board: str, model: str) -> Measurement:
    """Our own code for a model like `model`, on the board."""
    path = Path(os.environ["SMIDGEN_DATA"]) / LOOK_ALIKES[model]
    return smidgen.profile(smidgen.compile(smidgen.load(path), board), board=board, inputs=2)


def published() -> dict[str, Any]:
    """All that others measured."""
    return tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))


def comparisons() -> list[Comparison]:
    """All that can be compared without the programs themselves."""
    counted, same = published()["microtvm"], published()["bosch"]
    models = counted.pop("models")
    found = [
        _by_instructions(board, facts, model, models[model])
        for board, facts in counted.items()
        for model in facts["ms"]
    ]
    others = [board for board in same if board != BASE]
    return found + [_by_ratio(same, board, model) for board in others for model in same[BASE]["ms"]]


def coremark_comparisons(folder: Path) -> list[Comparison]:
    """What was measured of CoreMark, beside its runs from the sources in `folder`."""
    return [each for group in published()["coremark"] for each in _coremark_group(folder, group)]


def _coremark_group(folder: Path, group: dict[str, Any]) -> list[Comparison]:
    measured = {name: each["mhz"] * 1e6 / each["score"] for name, each in group["boards"].items()}
    compiler, optimise, waits = group["ours"], group["optimise"], group.get("waits", False)
    names = [name for name in measured if _can_run(name, compiler)]
    runs = {
        name: known.coremark(folder, find_board(name), compiler, optimise, waits) for name in names
    }
    return _compared(f"CoreMark, {group['by']}", optimise, measured, runs, group.get("beside", ""))


def primes_comparisons(file: Path) -> list[Comparison]:
    """What was measured of the primes, beside runs of `file`."""
    found = []
    for group in published()["primes"]:
        times = {name: each["seconds"] * each["mhz"] for name, each in group["boards"].items()}
        measured = {name: time * 1e6 for name, time in times.items()}
        names = [name for name in measured if _can_run(name, known.GCC)]
        runs = {name: known.primes(file, find_board(name)) for name in names}
        found += _compared("primes", "-O1", measured, runs, group.get("beside", ""))
    return found


def _can_run(name: str, compiler: str) -> bool:
    why = known.why_not(find_board(name).core, compiler)
    if why:
        print(f"{name} is left out: {why}", file=sys.stderr)
    return not why


def _compared(
    program: str,
    optimise: str,
    measured: dict[str, float],
    runs: dict[str, known.Ran],
    beside: str,
) -> list[Comparison]:
    """The clocks that were measured, or their ratio to those of the board `beside`."""
    if beside and beside not in runs:
        return []
    unit, base = (measured[beside], runs[beside].clocks) if beside else (1.0, 1.0)
    title = f"{program}, beside {beside}" if beside else program
    what, digits = ("ratio", 3) if beside else ("clocks", 0)
    return [
        Comparison(
            find_board(name).core.name, name, title, optimise, what,
            round(measured[name] / unit, digits), round(run.clocks / base, digits),
        )
        for name, run in runs.items()
        if name != beside
    ]  # fmt: skip


def _by_instructions(
    board: str, facts: dict[str, Any], model: str, program: dict[str, int]
) -> Comparison:
    ours = profile(board, model)
    per_instruction = (ours.zero_wait_cycles or 0) / ours.instructions
    clocks = program["instructions"] * per_instruction + _weight_waits(board, model, program)
    ms = clocks / facts["clock_hz"] * 1e3
    return Comparison(
        ours.core, board, "microTVM, CMSIS-NN", model, "ms", facts["ms"][model], round(ms, 2)
    )


def _weight_waits(board: str, model: str, program: dict[str, int]) -> float:
    flash = find_board(board).flash[0]
    kept = sum(each.bytes for each in find_board(board).caches if each.serves == "both")
    once = model in DENSE or kept > 0
    count = program["weights"] if once else program["macs"] / 2
    return count / flash.read_bytes * flash.wait_states


def _by_ratio(same: dict[str, Any], board: str, model: str) -> Comparison:
    published = _clocks(same[board], model) / _clocks(same[BASE], model)
    ours, base = profile(board, model), profile(BASE, model)
    predicted = (ours.modelled_cycles or 0) / (base.modelled_cycles or 1)
    return Comparison(
        ours.core, board, f"Bosch's engine, clocks beside {BASE}", model, "ratio",
        round(published, 3), round(predicted, 3),
    )  # fmt: skip


def _clocks(facts: dict[str, Any], model: str) -> float:
    return float(facts["ms"][model] * facts["clock_hz"] / 1e3)


def _row(found: Comparison) -> tuple[str, ...]:
    figures = (f"{found.published:.7g}", f"{found.predicted:.7g}", f"{100 * found.error:+.0f} %")
    return (found.program, found.board, found.core, found.model, found.what, *figures)


def main() -> None:
    """Prints the comparisons as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coremark", type=Path, metavar="FOLDER", help="CoreMark's sources")
    parser.add_argument("--primes", type=Path, metavar="FILE", help="primes.txt; half an hour")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if "SMIDGEN_DATA" not in os.environ:
        sys.exit("set SMIDGEN_DATA to the folder of sample models")
    found = comparisons()
    found += coremark_comparisons(arguments.coremark) if arguments.coremark else []
    found += primes_comparisons(arguments.primes) if arguments.primes else []
    if arguments.json:
        print(json.dumps([{**asdict(each), "error": each.error} for each in found], indent=1))
    else:
        header = ("program", "board", "core", "model", "what", "published", "predicted", "error")
        print(render(header, [_row(each) for each in found], left=5))
    for path, why in zip((arguments.coremark, arguments.primes), LEFT_OUT, strict=True):
        if path is None:
            print(why, file=sys.stderr)


if __name__ == "__main__":
    main()
