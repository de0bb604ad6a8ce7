"""Runs models in a process of its own, which a model may take down: Micro's or generated C.

``python worker.py micro|c FOLDER FIRST``: reads ``FOLDER/work.pickle``, a list of jobs, and writes
``FOLDER/<number>.pickle``, a list of runs of output arrays or a text that says why there is none,
for each job from number FIRST on.
"""

from __future__ import annotations

import ctypes
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Union

import numpy as np

GUARD_BYTES = 64
_PATTERN = 0xA5
Runs = Sequence[Sequence[np.ndarray]]
Result = Union[str, "list[list[np.ndarray]]"]


@dataclass(frozen=True)
class MicroJob:
    """A .tflite file and the inputs of each run."""

    data: bytes
    runs: Runs


@dataclass(frozen=True)
class PortOf:
    """Where an input or output lies."""

    offset: int
    nbytes: int
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class CJob:
    """A model in the shared library `library`."""

    library: str
    prefix: str
    arena_bytes: int
    inputs: Sequence[PortOf]
    outputs: Sequence[PortOf]
    runs: Runs


def run_micro(job: MicroJob) -> Result:
    """The outputs that TensorFlow Lite Micro gives, or why it refuses."""
    from support.oracle import MicroOracle, OracleRefused

    try:
        oracle = MicroOracle(job.data, 4 << 20)
        return [oracle.run(run) for run in job.runs]
    except OracleRefused as refusal:
        return f"refused: {refusal}"


def run_c(job: CJob) -> Result:
    """The outputs of the compiled model; a text if it writes behind its arena."""
    library = ctypes.CDLL(job.library)
    size = job.arena_bytes + GUARD_BYTES
    memory = (ctypes.c_uint8 * (size + 16))(*[_PATTERN] * (size + 16))
    start = (ctypes.addressof(memory) + 15) & ~15
    getattr(library, f"{job.prefix}_init")(ctypes.c_void_p(start))
    results = []
    for run in job.runs:
        for port, values in zip(job.inputs, run, strict=True):
            raw = np.ascontiguousarray(values).tobytes()
            ctypes.memmove(start + port.offset, raw, len(raw))
        getattr(library, f"{job.prefix}_run")(ctypes.c_void_p(start))
        results.append([_read(start, port) for port in job.outputs])
    if ctypes.string_at(start + job.arena_bytes, GUARD_BYTES) != bytes([_PATTERN]) * GUARD_BYTES:
        return "writes behind its arena"
    return results


def _read(start: int, port: PortOf) -> np.ndarray:
    raw = ctypes.string_at(start + port.offset, port.nbytes)
    return np.frombuffer(raw, port.dtype).reshape(port.shape)


def main(kind: str, folder: Path, first: int) -> None:
    """Every job from `first` on."""
    act: Callable[..., Result] = {"micro": run_micro, "c": run_c}[kind]
    jobs = pickle.loads((folder / "work.pickle").read_bytes())
    for number in range(first, len(jobs)):
        (folder / f"{number}.pickle").write_bytes(pickle.dumps(act(jobs[number])))


if __name__ == "__main__":
    # Under its usual name, by which pickles find the classes.
    import_module("properties.worker").main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
