"""TensorFlow Lite Micro as an oracle, through the `tflite_micro` package.

The interpreter takes the process down on some models (an arena that is too small, a damaged file).
Tests that feed it such things use `micro_outputs_isolated`, which runs it in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_LEAST_ARENA_BYTES = 8 * 1024 * 1024


class OracleRefused(Exception):  # noqa: N818
    """TensorFlow Lite Micro would not load or run the model."""


class MicroOracle:
    """One interpreter for many runs of one model. Tensors are raw: int8 in, int8 out."""

    def __init__(self, model: bytes, arena_bytes: int | None = None) -> None:
        graph = schema.Model.GetRootAs(model, 0).Subgraphs(0)
        self.input_count = graph.InputsLength()
        self.output_count = graph.OutputsLength()
        arena = arena_bytes or max(_LEAST_ARENA_BYTES, 10 * len(model))
        try:
            self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena)
        except (RuntimeError, ValueError) as error:
            raise OracleRefused(str(error)) from error

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for `inputs`, each of its tensor's shape and type.

        State (LSTM, variables) goes on from the run before; see `reset`.
        """
        if len(inputs) != self.input_count:
            raise OracleRefused(f"{len(inputs)} inputs given, {self.input_count} wanted")
        try:
            for index, values in enumerate(inputs):
                self._interpreter.set_input(np.ascontiguousarray(values), index)
            self._interpreter.invoke()
            return [np.array(self._interpreter.get_output(i)) for i in range(self.output_count)]
        except (RuntimeError, ValueError, IndexError) as error:
            raise OracleRefused(str(error)) from error

    def reset(self) -> None:
        """Put all state back to what it was before the first run."""
        self._interpreter.reset()

    def input_details(self, index: int) -> dict:
        """Shape, dtype and quantisation of an input, as the runtime reports them."""
        return self._interpreter.get_input_details(index)

    def output_details(self, index: int) -> dict:
        """Shape, dtype and quantisation of an output, as the runtime reports them."""
        return self._interpreter.get_output_details(index)


def micro_outputs(
    model: bytes, inputs: Sequence[np.ndarray], arena_bytes: int | None = None
) -> list[np.ndarray]:
    """The outputs of one run of `model` from its initial state."""
    return MicroOracle(model, arena_bytes).run(inputs)


def micro_outputs_isolated(
    model: bytes, inputs: Sequence[np.ndarray], arena_bytes: int | None = None
) -> list[np.ndarray]:
    """As `micro_outputs`, in a process of its own; a crash becomes `OracleRefused`."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(given, *inputs, model=np.frombuffer(model, np.uint8), arena=arena_bytes or 0)
        done = subprocess.run(
            [sys.executable, __file__, str(given), str(made)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = done.stderr.strip().rsplit("\n", 1)[-1]
            raise OracleRefused(last or f"the runtime ended with {done.returncode}")
        with np.load(made) as arrays:
            return [arrays[f"arr_{index}"] for index in range(len(arrays.files))]


def _main(given: str, made: str) -> None:
    with np.load(given) as arrays:
        model, arena = arrays["model"].tobytes(), int(arrays["arena"])
        count = sum(name.startswith("arr_") for name in arrays.files)
        inputs = [arrays[f"arr_{index}"] for index in range(count)]
    np.savez(made, *micro_outputs(model, inputs, arena or None))


if __name__ == "__main__":
    _main(*sys.argv[1:])
