"""How far the modelled cycles are from what was measured on real boards (`published.toml`).

    SMIDGEN_DATA=... python benchmarks/validate_cycles.py [--json]

The published programs are not run here, so two things are compared:

- Programs whose instructions are known: predicted are those instructions times the cycles per
  instruction that the core's table gives our own code for a model of the same kind, and the waits
  for reading weights from flash. CMSIS-NN reads a convolution's weights once for every two output
  positions; behind a cache that holds them, or in dense layers, they are read once.
- One program on several boards: the ratio of its clocks between two boards, beside the ratio of our
  own code's modelled cycles, waits included.
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


def comparisons() -> list[Comparison]:
    """All that can be compared."""
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    known, same = published["microtvm"], published["bosch"]
    models = known.pop("models")
    found = [
        _by_instructions(board, facts, model, models[model])
        for board, facts in known.items()
        for model in facts["ms"]
    ]
    others = [board for board in same if board != BASE]
    return found + [_by_ratio(same, board, model) for board in others for model in same[BASE]["ms"]]


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
    figures = (f"{found.published:g}", f"{found.predicted:g}", f"{100 * found.error:+.0f} %")
    return (found.program, found.board, found.core, found.model, found.what, *figures)


def main() -> None:
    """Prints the comparisons as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if "SMIDGEN_DATA" not in os.environ:
        sys.exit("set SMIDGEN_DATA to the folder of sample models")
    found = comparisons()
    if arguments.json:
        print(json.dumps([{**asdict(each), "error": each.error} for each in found], indent=1))
    else:
        header = ("program", "board", "core", "model", "what", "published", "predicted", "error")
        print(render(header, [_row(each) for each in found], left=5))


if __name__ == "__main__":
    main()
