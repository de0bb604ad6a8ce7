"""Feeds damaged files to every reader of files from strangers.

Run by itself:  ``python tests/fuzz/fuzz_readers.py --seconds 60 [--guided] [--only tflite]``

Every outcome but a value or an error of smidgen's own that names the file is a finding; so is a
file that takes more processor time or memory than its size explains. Findings are written into the
working folder. `--guided` lets atheris, where it is installed, steer by the code that runs.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz_tflite import Finding, mutate
from readers import READERS, Reader

from smidgen.core.errors import SmidgenError

SECONDS = 5.0
MEMORY_FLOOR_BYTES, MEMORY_PER_BYTE = 8 << 20, 64


def attack(reader: Reader, data: bytes, folder: Path) -> bool:
    """Whether the reader took `data`; raises Finding where it breaks its promise."""
    path = folder / f"fuzzed{reader.suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    tracemalloc.start()
    begun = time.process_time()
    try:
        reader.read(path)
        taken = True
    except SmidgenError as error:
        if "fuzzed" not in str(error):
            raise Finding(f"the message does not name the file: {error}") from error
        taken = False
    except Exception as error:
        raise Finding(f"{type(error).__name__}: {str(error)[:300]}") from error
    finally:
        seconds, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if peak > MEMORY_FLOOR_BYTES + MEMORY_PER_BYTE * len(data):
        raise Finding(f"{peak} bytes of memory for {len(data)} bytes of file")
    if seconds > SECONDS:
        raise Finding(f"{seconds:.1f} s for {len(data)} bytes of file")
    return taken


def damaged(reader: Reader, seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """A sound file with a few bytes changed, cut, or replaced by what such files are made of."""
    data = mutate(rng.choice(seeds), rng)
    while reader.pieces and rng.random() < 0.5:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice(reader.pieces) + data[at + rng.choice((0, 0, 1, 7)) :]
    return data


def campaign(reader: Reader, seed: int) -> Iterator[tuple[int, bytes]]:
    """Numbered damaged files without end."""
    seeds = reader.seeds()
    run = 0
    while True:
        yield run, damaged(reader, seeds, random.Random(f"{seed}/{run}"))
        run += 1


def _fuzz(name: str, seconds: float, seed: int, folder: Path) -> int:
    """For so many seconds; returns the number of different findings."""
    reader, until = READERS[name], time.monotonic() + seconds
    taken, findings = 0, set()
    for run, data in campaign(reader, seed):
        if time.monotonic() > until:
            print(f"{name}: {run} files, {taken} taken, {len(findings)} findings", flush=True)
            break
        try:
            taken += attack(reader, data, folder)
        except Finding as finding:
            if str(finding)[:60] not in findings:
                findings.add(str(finding)[:60])
                path = Path(f"crash-{name.replace(' ', '-')}-{seed}-{run}")
                path.write_bytes(data)
                print(f"{name}, run {run}: {finding}; saved as {path}", flush=True)
    return len(findings)


def _guided(name: str, seconds: float, folder: Path) -> None:
    """libFuzzer through atheris, which ends the process at the first finding."""
    import atheris

    reader, corpus = READERS[name], folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(reader.seeds()):
        (corpus / str(number)).write_bytes(seed)
    atheris.instrument_all()
    settings = [f"-max_total_time={seconds:.0f}", "-max_len=20000", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *settings, str(corpus)], lambda data: attack(reader, data, folder))
    atheris.Fuzz()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=20, help="for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=READERS, help="one reader")
    parser.add_argument("--guided", action="store_true", help="with atheris; needs --only")
    options = parser.parse_args()
    if options.guided and not options.only:
        parser.error("--guided needs --only")
    with tempfile.TemporaryDirectory() as name:
        if options.guided:
            _guided(options.only, options.seconds, Path(name))
            return 0
        names = [options.only] if options.only else list(READERS)
        found = [_fuzz(each, options.seconds, options.seed, Path(name)) for each in names]
    return int(any(found))


if __name__ == "__main__":
    warnings.simplefilter("error")
    sys.exit(main())
