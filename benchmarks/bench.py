"""Every model of the sample data on every core: instructions, modelled cycles, memory, code.

    python benchmarks/bench.py --out out/bench.json        # measure; prints the table
    python benchmarks/bench.py --only kws --core cortex-m3 # a part of it
    python benchmarks/bench.py --diff OLD.json NEW.json    # what moved between two runs
    python benchmarks/bench.py --record out/bench.json     # into recorded.json and the page of docs

Cores are measured on a board of their own with ample memory and no wait states, so that one core
can be compared with another. Counts are deterministic; modelled cycles are modelled. Compile time
is seconds of smidgen's own and differs from run to run, so it is neither compared nor recorded.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import page
import report
from cases import CORES, Case, Row, cases, cores_here, models_in, run_case

_HERE = Path(__file__).parent
RECORDED = _HERE / "recorded.json"
DOCS = _HERE.parent / "docs"


def measured(listed: Sequence[Case], data: Path, jobs: int) -> list[Row]:
    """The figures of all cases, `jobs` at a time; tells on standard error how far it is."""
    started, rows = time.monotonic(), []
    with ProcessPoolExecutor(jobs) as pool:
        running = {pool.submit(run_case, case, data): case for case in listed}
        for done, job in enumerate(as_completed(running), 1):
            case = running[job]
            left = (time.monotonic() - started) / done * (len(listed) - done) / 60
            what = f"{case.model} {case.core} {case.objective}"
            print(f"{done}/{len(listed)}, {left:.0f} min left: {what}", file=sys.stderr)
            rows.append(job.result())
    return sorted(rows, key=report.key)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--core", action="append", choices=CORES, help="default: all")
    parser.add_argument("--only", action="append", default=[], help="part of a model's path")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--diff", nargs=2, type=Path, metavar=("OLD", "NEW"))
    parser.add_argument("--record", type=Path, metavar="NEW", help="put results into the record")
    return parser.parse_args()


def record(new: Path) -> None:
    """Put results into the record, cases that were not measured left as they were."""
    old = report.read(RECORDED) if RECORDED.exists() else []
    report.write(report.merged(old, report.read(new)), RECORDED, steady=True)
    page.write(report.read(RECORDED), DOCS)


def main() -> None:
    """Measure, compare two measurements, or record one."""
    arguments = _arguments()
    if arguments.diff:
        print(report.diff(*map(report.read, arguments.diff)) or "nothing moved")
        return
    if arguments.record:
        record(arguments.record)
        return
    if not os.environ.get("SMIDGEN_DATA"):
        sys.exit("set SMIDGEN_DATA to a folder with models")
    data = Path(os.environ["SMIDGEN_DATA"])
    cores = arguments.core or cores_here()
    for core in sorted(set(CORES) - set(cores)) if not arguments.core else ():
        print(f"{core}: left out, its emulator is not installed", file=sys.stderr)
    rows = measured(list(cases(models_in(data, arguments.only), cores)), data, arguments.jobs)
    print(report.table(rows))
    if arguments.out:
        report.write(rows, arguments.out, steady=False)


if __name__ == "__main__":
    main()
