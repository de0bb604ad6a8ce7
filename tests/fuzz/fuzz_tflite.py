"""Feeds damaged TensorFlow Lite files and FlexBuffers to their readers.

Run by itself:  ``python tests/fuzz/fuzz_tflite.py --runs 100000 --seed 7 [file.tflite ...]``

Every outcome but a value or an error of smidgen's own is a finding; so is a case that takes more
processor time or memory than its size explains. A finding is written next to the working folder as
``crash-<seed>-<run>.tflite``.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from smidgen.core.errors import SmidgenError
from smidgen.frontends.tflite.flexbuffer import read_flexbuffer
from smidgen.frontends.tflite.reader import parse_model

SECONDS_FLOOR, SECONDS_PER_BYTE = 2.0, 4e-6
MEMORY_FLOOR_BYTES, MEMORY_PER_BYTE = 2 * 1024 * 1024, 16
_TELLING = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFE, 0xFF)
_TELLING_WORDS = (0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, 0x01000000)


class Finding(Exception):  # noqa: N818
    """A reader broke its promise."""


def flip_bits(data: bytearray, rng: random.Random) -> None:
    """Up to 3 single bits."""
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def set_bytes(data: bytearray, rng: random.Random) -> None:
    """Up to 3 bytes to values at the edges of types."""
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] = rng.choice(_TELLING)


def set_words(data: bytearray, rng: random.Random) -> None:
    """An aligned 32-bit word (an offset or a length, most often) to a telling value."""
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(max(1, len(data) // 4)) * 4
        word = rng.choice((rng.choice(_TELLING_WORDS), rng.randrange(len(data) + 8)))
        data[at : at + 4] = struct.pack("<I", word)[: len(data) - at]


def nudge_words(data: bytearray, rng: random.Random) -> None:
    """An aligned 32-bit word a little up or down."""
    at = rng.randrange(max(1, len(data) // 4)) * 4
    if at + 4 <= len(data):
        word = struct.unpack_from("<I", data, at)[0]
        struct.pack_into("<I", data, at, (word + rng.randint(-16, 16)) % 2**32)


def cut(data: bytearray, rng: random.Random) -> None:
    """The end, or a piece from the middle."""
    start = rng.randrange(len(data))
    del data[start : len(data) if rng.random() < 0.5 else start + rng.randint(1, 64)]


def copy_piece(data: bytearray, rng: random.Random) -> None:
    """One piece over another, so that structures overlap."""
    size = rng.randint(1, min(64, len(data)))
    source, target = (rng.randrange(len(data) - size + 1) for _ in range(2))
    data[target : target + size] = data[source : source + size]


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip_bits,
    set_bytes,
    set_words,
    set_words,
    nudge_words,
    cut,
    copy_piece,
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """`data` with one mutation or a few; mostly it still calls itself a TensorFlow Lite model."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if changed:
            rng.choice(MUTATIONS)(changed, rng)
    if len(changed) >= 8 and rng.random() < 0.9:
        changed[4:8] = data[4:8]
    return bytes(changed)


def attack(read: Callable[[bytes, str], object], data: bytes) -> bool:
    """Whether `read` took `data`; raises Finding where it breaks its promise."""
    tracemalloc.start()
    begun = time.process_time()
    try:
        read(data, "fuzzed")
        taken = True
    except SmidgenError as error:
        if not str(error).startswith("fuzzed"):
            raise Finding(f"the message does not name the file: {error}") from error
        taken = False
    except Exception as error:
        raise Finding(f"{type(error).__name__}: {error}") from error
    finally:
        seconds, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if peak > MEMORY_FLOOR_BYTES + MEMORY_PER_BYTE * len(data):
        raise Finding(f"{peak} bytes of memory for {len(data)} bytes of file")
    if seconds > SECONDS_FLOOR + SECONDS_PER_BYTE * len(data):
        raise Finding(f"{seconds:.1f} s for {len(data)} bytes of file")
    return taken


def campaign(seeds: Sequence[bytes], runs: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """`runs` numbered mutations, drawn from `seeds` in turn."""
    for run in range(runs):
        yield run, mutate(seeds[run % len(seeds)], random.Random(f"{seed}/{run}"))


def _seeds(files: Sequence[Path]) -> list[bytes]:
    from fuzz_seeds import written_models

    return [*written_models(), *(path.read_bytes() for path in files)]


def _fuzz(seeds: Sequence[bytes], runs: int, seed: int) -> int:
    taken = 0
    for run, data in campaign(seeds, runs, seed):
        reader = read_flexbuffer if run % 8 == 7 else parse_model
        try:
            taken += attack(reader, data)
        except Finding as finding:
            path = Path(f"crash-{seed}-{run}.tflite")
            path.write_bytes(data)
            print(f"run {run}: {finding}; saved as {path}")
            return 1
    print(f"{runs} runs with seed {seed}: {taken} taken, {runs - taken} refused, nothing found")
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("files", nargs="*", type=Path, help="more files to start from")
    options = parser.parse_args()
    return _fuzz(_seeds(options.files), options.runs, options.seed)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    warnings.simplefilter("error")
    sys.exit(main())
