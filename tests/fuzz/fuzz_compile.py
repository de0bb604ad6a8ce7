"""Feeds damaged models through the whole compiler: load, optimise, generate C.

Run by itself:  ``python tests/fuzz/fuzz_compile.py --runs 2000 --seed 7 [file.tflite ...]``

Every outcome but an artifact or an error of smidgen's own is a finding; so is a model that takes
more than `SECONDS` of processor time or `MEMORY_BYTES` of memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz_tflite import Finding, campaign

from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import SmidgenError
from smidgen.frontends.load import load_model
from smidgen.targets.catalogue import board
from support.tflite_writer import pack, unpack

SECONDS = 5.0
MEMORY_BYTES = 2 << 30
_TELLING = (-1, 0, 1, 2, 3, 5, 7, 127, 255, 65536, 2**31 - 1)
_BOARDS = ("esp32-c3", "nucleo-l4r5zi")


def attack(data: bytes, board_name: str) -> bool:
    """Whether smidgen compiles the model `data`; raises Finding where it breaks its promise."""
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fuzzed.tflite")
        path.write_bytes(data)
        try:
            compile_graph(load_model(path), board(board_name), "fuzzed")
            taken = True
        except SmidgenError as error:
            if not str(error):
                raise Finding("an error without a message") from error
            taken = False
        except (Exception, _OutOfTime) as error:
            raise Finding(_told(error)) from error
    seconds = time.process_time() - begun
    if seconds > SECONDS:
        raise Finding(f"{seconds:.1f} s for {len(data)} bytes of file")
    return taken


class _OutOfTime(BaseException):
    """The watchdog barked."""


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in frames)
    return f"{type(error).__name__}: {error}{place}"


def damaged(data: bytes, rng: random.Random) -> bytes:
    """`data` with a few fields changed that its schema still allows: the reader takes most."""
    model = unpack(data)
    graph = rng.choice(model.subgraphs)
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice((_shape, _kind, _operands, _options, _quantization, _content))(model, graph, rng)
    return pack(model)


def _shape(model: object, graph: object, rng: random.Random) -> None:
    tensor = rng.choice(graph.tensors)
    shape = [] if tensor.shape is None else [int(n) for n in tensor.shape]
    if shape and rng.random() < 0.8:
        shape[rng.randrange(len(shape))] = rng.choice(_TELLING)
    else:
        shape = [rng.choice(_TELLING) for _ in range(rng.randint(0, 6))]
    tensor.shape = [max(-(2**31), min(n, 2**31 - 1)) for n in shape]


def _kind(model: object, graph: object, rng: random.Random) -> None:
    rng.choice(graph.tensors).type = rng.randrange(18)


def _operands(model: object, graph: object, rng: random.Random) -> None:
    if graph.operators:
        operator = rng.choice(graph.operators)
        places = [int(n) for n in operator.inputs]
        if places and rng.random() < 0.7:
            places[rng.randrange(len(places))] = rng.randrange(-1, len(graph.tensors))
        else:
            places = places[: rng.randint(0, len(places))]
        operator.inputs = places


def _options(model: object, graph: object, rng: random.Random) -> None:
    if graph.operators:
        options = rng.choice(graph.operators).builtinOptions
        fields = (
            [name for name, value in vars(options or object).items() if isinstance(value, int)]
            if options
            else []
        )
        if fields:
            field = rng.choice(fields)
            old = getattr(options, field)
            setattr(options, field, not old if isinstance(old, bool) else rng.choice(_TELLING))


def _quantization(model: object, graph: object, rng: random.Random) -> None:
    quant = rng.choice(graph.tensors).quantization
    if quant is None or quant.scale is None or not len(quant.scale):
        return
    what = rng.randrange(4)
    if what == 0:
        scales = [float(s) for s in quant.scale]
        scales[rng.randrange(len(scales))] = rng.choice(
            (0.0, -1.0, 1e-38, 1e38, float("nan"), float("inf"), 1e-10, 1e9)
        )
        quant.scale = scales
    elif what == 1 and quant.zeroPoint is not None and len(quant.zeroPoint):
        quant.zeroPoint = [rng.choice((-129, -128, 0, 127, 128, 2**40))] * len(quant.zeroPoint)
    elif what == 2:
        quant.quantizedDimension = rng.choice(_TELLING)
    else:
        quant.scale = [float(s) for s in quant.scale][: rng.randint(0, len(quant.scale))]


def _content(model: object, graph: object, rng: random.Random) -> None:
    buffer = rng.choice(model.buffers)
    if buffer.data is not None and len(buffer.data):
        data = bytearray(bytes(buffer.data))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice((0, 1, 2, 127, 128, 254, 255))
        buffer.data = list(data)


def sound_and_damaged(seeds: Sequence[bytes], runs: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """`runs` numbered models: bytes damaged in one of four, fields in the others."""
    damages = campaign(seeds, runs, seed)
    for run, data in damages:
        if not run % 4:
            yield run, data
            continue
        try:
            yield run, damaged(seeds[run % len(seeds)], random.Random(f"{seed}:{run}"))
        except (OverflowError, TypeError, ValueError):
            continue  # what the schema's own writer refuses


def limit_memory() -> None:
    """From here on an allocation beyond `MEMORY_BYTES` is a MemoryError."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.RLIM_INFINITY))


def watch() -> None:
    """Stop what runs for longer than `SECONDS` of processor time; see `rewind`."""

    def bark(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime(f"more than {SECONDS:.0f} s")

    signal.signal(signal.SIGVTALRM, bark)


def rewind() -> None:
    """Give the next model its full time."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("files", nargs="*", type=Path, help="models; else some that are drawn")
    options = parser.parse_args()
    seeds = [path.read_bytes() for path in options.files] or drawn_seeds()
    limit_memory()
    watch()
    findings, taken = {}, 0
    for run, data in sound_and_damaged(seeds, options.runs, options.seed):
        rewind()
        try:
            taken += attack(data, _BOARDS[run % 2])
        except Finding as finding:
            if str(finding) not in findings:
                path = Path(f"crash-{options.seed}-{run}.tflite")
                path.write_bytes(data)
                findings[str(finding)] = path
                print(f"run {run}: {finding}; saved as {path}", flush=True)
    print(f"{options.runs} runs with seed {options.seed}: {taken} taken, {len(findings)} findings")
    return int(bool(findings))


def drawn_seeds() -> list[bytes]:
    """Small networks of every operator."""
    from properties.generate import draw

    return [draw(99, number).data for number in range(200)]


if __name__ == "__main__":
    warnings.simplefilter("error")
    sys.exit(main())
