"""Arrays into the bytes of a model's inputs, and its outputs' bytes into arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.compiler.artifact import Manifest, Port
from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ArrayError


def check_inputs(manifest: Manifest, inputs: Sequence[Array]) -> None:
    """Raises ArrayError unless there is one array for each input."""
    if len(inputs) != len(manifest.inputs):
        raise ArrayError(
            f"model {manifest.name!r}",
            f"got {len(inputs)} input arrays, takes {len(manifest.inputs)}",
        )


def to_bytes(port: Port, given: Array) -> bytes:
    """`given` as the device holds it; raises ArrayError for another type or shape."""
    wanted = port.element
    if given.dtype != wanted.numpy or given.shape != port.shape:
        raise ArrayError(
            f"input {port.name!r}",
            f"got {given.dtype}{list(given.shape)}, takes {wanted.label}{list(port.shape)}",
            "convert or reshape the array",
        )
    assert wanted is not DType.INT4
    return given.astype(wanted.numpy.newbyteorder("<"), copy=False).tobytes()


def read_port(port: Port, raw: bytes) -> Array:
    """The array that the device's bytes `raw` of `port` are."""
    return np.frombuffer(raw, port.element.numpy).reshape(port.shape)
