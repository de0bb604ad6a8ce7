"""Runs the float reference over samples and finds the range of each activation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ArrayError, UnsupportedType
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Tensor
from smidgen.quantize.histogram import Histogram
from smidgen.quantize.masking import masks, score_names, without_depth

Range = tuple[float, float]
Sample = Any
"""One input array, or a sequence of one array for each input of the graph."""


class RangeMethod(Enum):
    """How a range is read off the values that a tensor took."""

    MINMAX = "minmax"
    """The smallest and the largest value."""
    PERCENTILE = "percentile"
    """All but the rarest extremes."""
    MSE = "mse"
    """The range whose quantisation has the least squared error."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The range of every activation, zero included, and their means.

    A constant has a range here only if it may saturate.
    """

    ranges: Mapping[str, Range]
    means: Mapping[str, Array]
    samples: int


def calibrate(
    graph: Graph,
    samples: Iterable[Sample],
    method: RangeMethod = RangeMethod.MINMAX,
    percentile: float = 99.99,
) -> Calibration:
    """Observe every activation of a float graph over `samples`.

    State runs on from one sample to the next, as it does on the device.

    Raises ArrayError where there is no sample, or one has the wrong shape or is not finite, and
    UnsupportedType where an activation is quantised already.
    """
    activations = float_activations(graph)
    seen = {tensor.name: Histogram() for tensor in activations}
    sums = {tensor.name: np.zeros(tensor.shape) for tensor in activations}
    reference, count, scores = Reference(graph), 0, score_names(graph)
    for inputs in each_sample(graph, samples):
        trace = reference.trace(inputs)
        for name, histogram in seen.items():
            values = without_depth(trace[name]) if name in scores else trace[name]
            _observe(name, values, histogram, method)
            sums[name] += values
        count += 1
    ranges = {name: _range(histogram, method, percentile) for name, histogram in seen.items()}
    return Calibration(
        {**ranges, **dict.fromkeys(masks(graph, scores), (0.0, 0.0))},
        {name: total / count for name, total in sums.items()},
        count,
    )


def float_activations(graph: Graph) -> list[Tensor]:
    """Every float32 tensor that is no constant; UnsupportedType where one is quantised already."""
    activations = [tensor for tensor in graph.tensors.values() if not tensor.is_constant]
    for tensor in activations:
        if tensor.quantization is not None:
            raise UnsupportedType(
                f"tensor {tensor.name!r}",
                f"is {tensor.dtype.label}",
                "quantise the float32 model, not one that is quantised already",
            )
    return [tensor for tensor in activations if tensor.dtype is DType.FLOAT32]


def each_sample(graph: Graph, samples: Iterable[Sample]) -> Iterator[list[Array]]:
    """`samples` as checked inputs of float `graph`; ArrayError if there is none."""
    index = -1
    for index, sample in enumerate(samples):
        yield _inputs(graph, sample, index)
    if index < 0:
        raise ArrayError(
            "calibration samples",
            "there are none",
            "pass some dozens of inputs like those that the device will see",
        )


def _inputs(graph: Graph, sample: Sample, index: int) -> list[Array]:
    given: Sequence[Any] = sample if len(graph.inputs) > 1 else [sample]
    if len(given) != len(graph.inputs):
        raise ArrayError(
            f"calibration sample {index}",
            f"holds {len(given)} arrays, and the model takes {len(graph.inputs)}",
            "pass a tuple of one array for each input",
        )
    return [
        _fitted(graph.tensors[name], np.asarray(array), index)
        for name, array in zip(graph.inputs, given, strict=True)
    ]


def _fitted(tensor: Tensor, array: Array, index: int) -> Array:
    """`array` in type and shape of `tensor`; the leading batch of 1 may be missing."""
    where = f"calibration sample {index} for input {tensor.name!r}"
    if array.dtype.kind not in ("fiu" if tensor.dtype is DType.FLOAT32 else "iub"):
        raise ArrayError(where, f"holds {array.dtype}", f"pass numbers for {tensor.dtype.label}")
    if tensor.shape not in (array.shape, (1, *array.shape)):
        raise ArrayError(
            where, f"has shape {list(array.shape)}, not {list(tensor.shape)}", "reshape the sample"
        )
    values = array.astype(tensor.dtype.numpy).reshape(tensor.shape)
    if not np.isfinite(values).all():
        raise ArrayError(where, "holds NaN or infinity", "leave such samples out, or repair them")
    return values


def _observe(name: str, values: Array, histogram: Histogram, method: RangeMethod) -> None:
    if not np.isfinite(values).all():
        raise ArrayError(
            f"tensor {name!r}",
            "becomes NaN or infinite in the float model",
            "check the model's weights and the scale of its inputs",
        )
    histogram.widen(values)
    if method is not RangeMethod.MINMAX:
        histogram.add(values)


def _range(histogram: Histogram, method: RangeMethod, percentile: float) -> Range:
    if method is RangeMethod.PERCENTILE:
        low, high = histogram.percentile_range(percentile)
    elif method is RangeMethod.MSE:
        low, high = histogram.least_error_range()
    else:
        low, high = histogram.low, histogram.high
    return min(low, 0.0), max(high, 0.0)
