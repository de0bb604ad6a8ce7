"""Arrays from files into a build on its emulated board, and out again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smidgen.compiler.artifact import Artifact, Port
from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ArrayError
from smidgen.core.fixedpoint import round_half_away
from smidgen.emulate.device import Device
from smidgen.project.arrays import map_array
from smidgen.targets.catalogue import board as find_board


def read_samples(artifact: Artifact, paths: Sequence[Path], quantize: bool) -> list[list[Array]]:
    """One list of input arrays a sample, from one .npy file an input.

    A file holds the input's shape, or that shape (or, where the batch is 1, the rest of it) with
    samples stacked in front. With `quantize` the files hold real numbers.
    """
    ports = artifact.manifest.inputs
    if len(paths) != len(ports):
        names = ", ".join(f"{port.name} {port.dtype}{list(port.shape)}" for port in ports)
        raise ArrayError(
            f"model {artifact.manifest.name!r}",
            f"got {len(paths)} input files, takes {len(ports)}",
            f"give one --input for each of: {names}",
        )
    stacks = [_stack(port, path, quantize) for port, path in zip(ports, paths, strict=True)]
    counts = {len(stack) for stack in stacks}
    if len(counts) != 1:
        raise ArrayError("input files", f"hold {sorted(counts)} samples", "stack equally many")
    return [list(sample) for sample in zip(*stacks, strict=True)]


def run_samples(
    artifact: Artifact, samples: Sequence[Sequence[Array]], board_name: str
) -> list[list[Array]]:
    """The outputs of each sample, run one after the other on one board."""
    device = Device(artifact, find_board(board_name))
    return [device.run(sample) for sample in samples]


def to_real(port: Port, quanta: Array) -> Array:
    """The real numbers that `quanta` of a quantised port stand for."""
    assert port.scale is not None and port.zero_point is not None
    real: Array = (quanta.astype(np.float64) - port.zero_point) * port.scale
    return real


def quantize_to(dtype: DType, scale: float, zero_point: int, real: Array) -> Array:
    """The quanta nearest to `real` numbers, saturated to the range of `dtype`."""
    quanta = round_half_away(real.astype(np.float64) / scale) + zero_point
    clipped: Array = np.clip(quanta, *dtype.range)
    return clipped.astype(dtype.numpy)


def _stack(port: Port, path: Path, quantize: bool) -> list[Array]:
    values = map_array(path)
    if quantize:
        values = _quantized(port, path, values)
    for shape in (port.shape, port.shape[1:] if port.shape[:1] == (1,) else port.shape):
        if values.dtype == port.element.numpy and values.shape == shape:
            return [values.reshape(port.shape)]
        if values.dtype == port.element.numpy and values.shape[1:] == shape and len(values):
            return [sample.reshape(port.shape) for sample in values]
    raise ArrayError(
        str(path),
        f"holds {values.dtype}{list(values.shape)}, but input {port.name!r} takes "
        f"{port.dtype}{list(port.shape)}",
        "add --quantize to pass real numbers"
        if values.dtype.kind == "f" and port.scale is not None
        else "convert or reshape the array",
    )


def _quantized(port: Port, path: Path, values: Array) -> Array:
    if port.scale is None or port.zero_point is None:
        raise ArrayError(str(path), f"input {port.name!r} is not quantised", "leave out --quantize")
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ArrayError(str(path), "holds other than finite numbers", "clean the recording")
    return quantize_to(port.element, port.scale, port.zero_point, values)
