"""A float model quantised by samples from .npy files, for `--calibrate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError
from smidgen.graph.graph import Graph
from smidgen.project.arrays import map_array
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.ptq import quantize


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """.npy files of samples, one for each input of a model, and how to quantise by them."""

    paths: tuple[Path, ...] = ()
    config: QuantizeConfig = field(default_factory=QuantizeConfig)


def calibrated(graph: Graph, files: Sequence[Path] | SampleFiles) -> Graph:
    """`graph` on quanta, by samples in `files`: one .npy for each input, samples along axis 0.

    Without files the graph stays what it is. Raises ArrayError for files that do not fit, or for a
    model that is quantised already; UnsupportedError for an op that cannot be quantised.
    """
    given = files if isinstance(files, SampleFiles) else SampleFiles(tuple(files))
    if not given.paths:
        return graph
    return quantize(graph, samples_of(graph, given.paths), given.config)


def samples_of(graph: Graph, files: Sequence[Path]) -> Array | list[tuple[Array, ...]]:
    """The samples in `files`: an array, or, for several inputs, a tuple of arrays for each.

    Raises ArrayError for files that do not fit, or for a model that is quantised already.
    """
    if any(graph.tensors[name].quantization is not None for name in graph.inputs):
        raise ArrayError(
            f"model {graph.name!r}",
            "is quantised already",
            "leave --calibrate out, or give the float model",
        )
    if len(files) != len(graph.inputs):
        raise ArrayError(
            f"model {graph.name!r}",
            f"takes {len(graph.inputs)} inputs, and {len(files)} files of samples are given",
            f"give --calibrate once for each of: {', '.join(graph.inputs)}",
        )
    stacks = [read_samples(path) for path in files]
    if len({len(stack) for stack in stacks}) > 1:
        raise ArrayError(
            "calibration samples",
            f"there are {' and '.join(str(len(stack)) for stack in stacks)} of them",
            "give as many samples for each input",
        )
    return stacks[0] if len(stacks) == 1 else list(zip(*stacks, strict=True))


def read_samples(path: Path) -> Array:
    """The array in a .npy file, mapped rather than loaded; pickled objects are never loaded."""
    mapped = map_array(path)
    if mapped.ndim < 1 or mapped.dtype.kind not in "fiu" or not mapped.size:
        raise ArrayError(
            str(path),
            f"holds {mapped.dtype}{list(mapped.shape)}",
            "save real numbers, samples along the first axis",
        )
    return mapped
