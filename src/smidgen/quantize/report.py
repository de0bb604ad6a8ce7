"""Where the error of a quantised graph comes from, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.quantize.calibration import Sample, each_sample
from smidgen.quantize.masking import with_finite_masks
from smidgen.quantize.scales import dequantized, quantized


@dataclass(frozen=True, slots=True)
class Error:
    """How far quantised values are from the float ones."""

    sqnr_db: float
    """Signal to quantisation noise in decibels: 10 log10(sum x^2 / sum (x - y)^2)."""
    mean_abs: float
    max_abs: float

    def to_dict(self) -> dict[str, float | None]:
        """As plain data; None where the SQNR is infinite."""
        sqnr = self.sqnr_db if math.isfinite(self.sqnr_db) else None
        return {"sqnr_db": sqnr, "mean_abs": self.mean_abs, "max_abs": self.max_abs}


@dataclass(frozen=True, slots=True)
class LayerReport:
    """The errors of one layer."""

    name: str
    kind: str
    accumulated: Error
    """At its output in the quantised graph, whose inputs carry the errors of all layers before."""
    own: Error
    """At its output when it alone is quantised."""
    effect: Error
    """At the outputs of the graph when it alone is quantised."""


@dataclass(frozen=True, slots=True)
class QuantizationReport:
    """The error at the outputs of a quantised graph, and what each layer has to do with it."""

    model: str
    samples: int
    output: Error
    layers: tuple[LayerReport, ...]

    @property
    def worst(self) -> LayerReport | None:
        """The layer whose quantisation alone hurts the outputs most."""
        return min(self.layers, key=lambda layer: layer.effect.sqnr_db, default=None)

    def text(self) -> str:
        """The report as a table, the worst layer marked."""
        head = ("layer", "op", "SQNR", "max error", "own SQNR", "effect on output")
        rows = [head, *(self._row(layer) for layer in self.layers)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        total = f"{self.model}: output SQNR {_db(self.output.sqnr_db)} over {self.samples} samples"
        return "\n".join([total, *lines]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data; an exact result has the SQNR None."""
        return {
            "model": self.model,
            "samples": self.samples,
            "output": self.output.to_dict(),
            "layers": [
                {
                    "name": layer.name,
                    "op": layer.kind,
                    "accumulated": layer.accumulated.to_dict(),
                    "own": layer.own.to_dict(),
                    "effect": layer.effect.to_dict(),
                }
                for layer in self.layers
            ],
        }

    def _row(self, layer: LayerReport) -> tuple[str, ...]:
        mark = "  <- worst" if layer is self.worst else ""
        return (
            layer.name,
            layer.kind,
            _db(layer.accumulated.sqnr_db),
            f"{layer.accumulated.max_abs:.3g}",
            _db(layer.own.sqnr_db),
            _db(layer.effect.sqnr_db) + mark,
        )


def _db(value: float) -> str:
    return "exact" if value == math.inf else f"{value:.1f} dB"


def attribute(
    graph: Graph,
    quantised: Graph,
    samples: Iterable[Sample],
    layers: Collection[str] | None = None,
) -> QuantizationReport:
    """Compare float `graph` with `quantised`, made of it by `quantize`, over `samples`.

    Runs the rest of the graph once for each layer (of those named in `layers`, where given) and
    sample: some dozens of samples are enough. State runs on from one sample to the next.

    Raises GraphError if the two do not have the same layers, ArrayError as `calibrate` does.
    """
    graph = with_finite_masks(graph)
    pairs = [p for p in _pairs(graph, quantised) if layers is None or p.real.name in layers]
    tallies = {pair.real.name: (Tally(), Tally(), Tally()) for pair in pairs}
    total, count = Tally(), 0
    real, other_real = Reference(graph), Reference(quantised)
    for inputs in each_sample(graph, samples):
        truth = real.trace(inputs)
        coarse = other_real.trace(entering(quantised, inputs))
        for pair in pairs:
            _tally_layer(graph, pair, truth, coarse, tallies[pair.real.name])
        for name, other in zip(graph.outputs, quantised.outputs, strict=True):
            total.add(truth[name], as_real(quantised.tensors[other], coarse[other]))
        count += 1
    reports = (
        LayerReport(pair.real.name, pair.real.op.kind, *(t.error for t in tallies[pair.real.name]))
        for pair in pairs
    )
    return QuantizationReport(graph.name, count, total.error, tuple(reports))


@dataclass(slots=True)
class Tally:
    """Sums of errors over samples."""

    signal: float = 0.0
    noise: float = 0.0
    absolute: float = 0.0
    largest: float = 0.0
    elements: int = 0

    def add(self, truth: Array, given: Array) -> None:
        """Count one more array."""
        difference = np.abs(truth.astype(np.float64) - given)
        self.signal += float((truth.astype(np.float64) ** 2).sum())
        self.noise += float((difference**2).sum())
        self.absolute += float(difference.sum())
        self.largest = max(self.largest, float(difference.max(initial=0.0)))
        self.elements += difference.size

    @property
    def error(self) -> Error:
        """What the sums come to."""
        if self.noise == 0.0:
            return Error(math.inf, 0.0, 0.0)
        sqnr = 10.0 * math.log10(self.signal / self.noise) if self.signal else -math.inf
        return Error(sqnr, self.absolute / self.elements, self.largest)


@dataclass(frozen=True, slots=True)
class _PairedNode:
    """A layer in the float graph and in the quantised one, with its quantised operands."""

    real: Node
    coarse: Node
    graph: Graph = field(repr=False)
    """The quantised graph."""

    def alone(self, truth: Mapping[str, Array]) -> list[Array]:
        """The layer's outputs from the true inputs, as real numbers, when it alone is quantised."""
        signature = self.graph.signature(self.coarse)
        operands = [
            self._operand(name, tensor, truth)
            for name, tensor in zip(self.real_inputs, signature.inputs, strict=True)
        ]
        results = self.coarse.op.evaluate(signature, operands)
        return [as_real(t, r) for t, r in zip(signature.outputs, results, strict=True)]

    @property
    def real_inputs(self) -> Sequence[str]:
        """The float graph's name for each input of the layer, which may have gained a bias."""
        missing = len(self.coarse.inputs) - len(self.real.inputs)
        return (*self.real.inputs, *[ABSENT] * missing)

    @staticmethod
    def _operand(name: str, tensor: Tensor | None, truth: Mapping[str, Array]) -> Array | None:
        if tensor is None or tensor.is_constant:
            return None if tensor is None else tensor.values
        if tensor.quantization is None:
            return truth[name]
        return quantized(truth[name], tensor.quant, tensor.dtype, *tensor.dtype.range)


def _pairs(graph: Graph, quantised: Graph) -> list[_PairedNode]:
    by_name = {node.name: node for node in quantised.nodes}
    missing = [node.name for node in graph.nodes if node.name not in by_name]
    if missing:
        raise GraphError(
            f"model {quantised.name!r}",
            f"has no layer {missing[0]!r}",
            "pass the graph that was quantised, as it was before",
        )
    return [_PairedNode(node, by_name[node.name], quantised) for node in graph.nodes]


def entering(quantised: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Float `inputs` as the quantised graph takes them."""
    tensors = [quantised.tensors[name] for name in quantised.inputs]
    return [
        array
        if tensor.quantization is None
        else quantized(array, tensor.quant, tensor.dtype, *tensor.dtype.range)
        for tensor, array in zip(tensors, inputs, strict=True)
    ]


def as_real(tensor: Tensor, values: Array) -> Array:
    """`values` of `tensor` as real numbers."""
    return values if tensor.quantization is None else dequantized(values, tensor.quant)


def _tally_layer(
    graph: Graph,
    pair: _PairedNode,
    truth: Mapping[str, Array],
    coarse: Mapping[str, Array],
    tallies: tuple[Tally, Tally, Tally],
) -> None:
    accumulated, own, effect = tallies
    alone = dict(zip(pair.real.outputs, pair.alone(truth), strict=True))
    for name, other in zip(pair.real.outputs, pair.coarse.outputs, strict=True):
        accumulated.add(truth[name], as_real(pair.graph.tensors[other], coarse[other]))
        own.add(truth[name], alone[name])
    for name, value in _propagated(graph, truth, alone).items():
        effect.add(truth[name], value)


def _as_type(tensor: Tensor, values: Array) -> Array:
    return values.astype(tensor.dtype.numpy)


def _propagated(
    graph: Graph, truth: Mapping[str, Array], changed: Mapping[str, Array]
) -> dict[str, Array]:
    """The outputs of the float graph when some activations have other values."""
    values = {name: _as_type(graph.tensors[name], array) for name, array in changed.items()}
    for node in graph.nodes:
        if node.outputs[0] in changed or not any(name in values for name in node.inputs):
            continue
        operands = [
            None if name == ABSENT else values.get(name, truth[name]) for name in node.inputs
        ]
        results = node.op.evaluate(graph.signature(node), operands)
        values.update(zip(node.outputs, results, strict=True))
    return {name: values.get(name, truth[name]) for name in graph.outputs}
