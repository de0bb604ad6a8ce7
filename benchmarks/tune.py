"""Measures the layers of common models anew, for the table of costs that smidgen comes with.

    python benchmarks/tune.py                          # writes src/smidgen/compiler/measured.tsv
    python benchmarks/tune.py --board nucleo-l4r5zi    # one core; others stay as they are in it

Every kernel that competes for a layer is measured, in code of its own and in code that layers
share, on each core. The result depends on kernels and compiler alone; minutes for each core.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from smidgen.compiler import costs
from smidgen.frontends.load import load_model
from smidgen.search.tuning import tune
from smidgen.targets.catalogue import board

_TABLE = Path(costs.__file__).with_name("measured.tsv")
BOARDS = (
    "raspberry-pi-pico", "nucleo-f103rb", "nucleo-l4r5zi", "nucleo-h743zi", "nucleo-u575zi",
    "esp32-c3", "ch32v307-evt",
)  # fmt: skip
MODELS = (
    "cfu_golden/kws_dscnn/kws_ref_model.tflite",
    "cfu_golden/imgc_resnet8/pretrainedResnet_quant.tflite",
    "tinymaix/mbnet96_0.25_q.tflite",
    "tflm/micro_speech_quantized.tflite",
    "mltk/anomaly_detection.tflite",
    "micro_wake_word/v2_hey_jarvis.tflite",
)


def measured(model: Path, board_name: str) -> costs.CostTable:
    """What the layers of one model take on one core, those for the objective "speed" included."""
    return tune(load_model(model), board(board_name), known={}, everything=True)


def main() -> None:
    """Measure, two at a time, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--board", action="append", choices=BOARDS, help="default: all, from none")
    names = parser.parse_args().board
    if not os.environ.get("SMIDGEN_DATA"):
        sys.exit("set SMIDGEN_DATA to a folder with models")
    folder = Path(os.environ["SMIDGEN_DATA"], "models")
    table = dict(costs.shipped()) if names else {}
    with ProcessPoolExecutor(2) as pool:
        jobs = {
            pool.submit(measured, folder / model, name): f"{model} on {name}"
            for name in names or BOARDS
            for model in MODELS
        }
        for done, job in enumerate(as_completed(jobs), 1):
            table.update(job.result())
            print(f"{done}/{len(jobs)} {jobs[job]}", file=sys.stderr)
    _TABLE.write_text(costs.write(table))
    print(f"{len(table)} measurements in {_TABLE}")


if __name__ == "__main__":
    main()
