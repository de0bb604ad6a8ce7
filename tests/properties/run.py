"""A long campaign of random networks.

``python tests/properties/run.py --graphs 10000 --seed 1`` draws networks 0 to 9999 of seed 1, and
compares the reference with TensorFlow Lite Micro, and generated C with the reference: on this
computer under UBSan, and each so many batches on emulated boards. A network that fails is made
smaller and saved with its inputs and a description. `--only 17` looks at network 17 alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    _HERE = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]
    sys.path.insert(0, str(_HERE.parent))

from properties.generate import Network, draw
from properties.judge import Verdict, judge
from properties.shrink import shrunk, told

BATCH = 100
BOARDS = ("nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3", "nucleo-f103rb")
OBJECTIVES = ("balanced", "size", "speed")
_BOARD_SHARE = 4
"""One batch in so many runs on a board, too."""
_ON_BOARD = 40
"""So many networks of such a batch."""


def batch(seed: int, number: int, count: int) -> list[Verdict]:
    """The verdicts on one batch; its number decides the objective and the board."""
    networks = [draw(seed, number * BATCH + place) for place in range(count)]
    objective = OBJECTIVES[number % len(OBJECTIVES)]
    verdicts = judge(networks, objective)
    if number % _BOARD_SHARE == 0:
        board = BOARDS[number // _BOARD_SHARE % len(BOARDS)]
        again = judge(networks[:_ON_BOARD], objective, [board], micro=False, host=False)
        verdicts = [
            b if b.failure else a for a, b in zip(verdicts, again, strict=False)
        ] + verdicts[_ON_BOARD:]
    return verdicts


def campaign(seed: int, graphs: int, workers: int) -> Iterator[list[Verdict]]:
    """The verdicts of all batches, in order."""
    counts = [min(BATCH, graphs - first) for first in range(0, graphs, BATCH)]
    numbers = range(len(counts))
    if workers == 1:
        yield from (batch(seed, number, counts[number]) for number in numbers)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(batch, [seed] * len(counts), numbers, counts)


def report(verdict: Verdict, folder: Path) -> str:
    """Make a failing network smaller and save it; returns what to tell."""
    kind = verdict.failure.split(":")[0]
    boards = [kind] if kind in BOARDS else []

    def fails(candidate: Network) -> bool:
        return judge([candidate], boards=boards)[0].failure.startswith(kind)

    network = shrunk(verdict.network, fails) if fails(verdict.network) else verdict.network
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"failing-{network.name.replace('/', '-')}"
    stem.with_suffix(".tflite").write_bytes(network.data)
    for number, run in enumerate(network.runs):
        np.savez(f"{stem}-{number}.npz", *run)
    return f"{network.name}: {verdict.failure}\n{told(network)}\nsaved as {stem}.tflite"


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many networks were judged, by whom, and of which operators."""
    taken = [v for v in verdicts if not v.refused]
    micro = [v for v in taken if not v.unjudged and not v.network.beyond_micro]
    stopped = Counter(v.unjudged.split(":")[0] for v in taken if v.unjudged)
    operators = Counter(name for v in micro for name in set(v.network.operators))
    rare = ", ".join(f"{name} {count}" for name, count in operators.most_common()[:-6:-1])
    return (
        f"{len(verdicts)} networks, {len(taken)} taken, {len(micro)} judged by Micro "
        f"(not: {dict(stopped)}), {len(operators)} operators (rarest: {rare}), "
        f"{sum(bool(v.failure) for v in verdicts)} failures"
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--graphs", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int, help="judge this network alone, on every board")
    parser.add_argument("--out", type=Path, default=Path("out/properties"))
    options = parser.parse_args()
    if options.only is not None:
        verdicts = judge([draw(options.seed, options.only)], boards=BOARDS)
    else:
        verdicts, begun = [], time.monotonic()
        for part in campaign(options.seed, options.graphs, options.workers):
            verdicts += part
            spent = time.monotonic() - begun
            print(f"\r{len(verdicts)} networks, {spent:.0f} s", end="", file=sys.stderr)
        print(file=sys.stderr)
    for verdict in verdicts:
        if verdict.failure:
            print(report(verdict, options.out))
        elif verdict.refused:
            print(f"{verdict.network.name}: refused: {verdict.refused}")
    print(f"seed {options.seed}: {summary(verdicts)}")
    return int(any(verdict.failure for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
