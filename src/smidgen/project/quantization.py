"""What quantisation does to a model, for `smidgen quantize`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.graph.graph import Graph
from smidgen.project.calibration import SampleFiles, read_samples, samples_of
from smidgen.quantize import (
    Budget,
    BudgetResult,
    QuantizationReport,
    attribute,
    quantize,
    quantize_to_budget,
)

REPORT_SAMPLES = 16
"""Samples that layers are compared on."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """A quantised graph, its report, and, where a budget was given, what that took."""

    graph: Graph
    before: Graph
    report: QuantizationReport
    outcome: BudgetResult | None

    def text(self, by_layer: bool) -> str:
        """A few lines, or with `by_layer` a table."""
        error = self.report.text()
        head, _, table = error.partition("\n")
        lines = [head, self._summary()]
        if self.outcome is not None:
            lines += [self.outcome.text().rstrip(), *self._hint()]
        return "\n".join([*lines, table.rstrip()] if by_layer else lines) + "\n"

    def to_dict(self, by_layer: bool) -> dict[str, Any]:
        """As plain data."""
        report = self.report.to_dict()
        layers = report.pop("layers")
        found: dict[str, Any] = {**report, "constant_bytes": constant_bytes(self.graph)}
        found["float_constant_bytes"] = constant_bytes(self.before)
        if by_layer:
            found["layers"] = layers
        if self.outcome is not None:
            found["budget"] = _budget_dict(self.outcome)
        return found

    def _summary(self) -> str:
        tensors = (self.graph.tensors[node.outputs[0]] for node in self.graph.nodes)
        types = Counter(tensor.dtype.label for tensor in tensors)
        counted = ", ".join(f"{count} {label}" for label, count in sorted(types.items()))
        before, after = constant_bytes(self.before), constant_bytes(self.graph)
        return f"layers: {counted}; constants {before:,} B -> {after:,} B"

    def _hint(self) -> list[str]:
        assert self.outcome is not None
        kept = " ".join(f"--keep {p.layer}={p.precision}" for p in self.outcome.promotions)
        return [f"the same for other commands: {kept}"] if kept else []


def quantization_of(
    graph: Graph,
    files: SampleFiles,
    min_sqnr_db: float | None = None,
    max_drop: float | None = None,
    labels: Path | None = None,
) -> Quantized:
    """Quantise `graph` by the samples in `files`, within a budget where there is one.

    Raises ArrayError for files that do not fit, UnsupportedError for what cannot be quantised.
    """
    samples = samples_of(graph, files.paths)
    outcome = None
    if min_sqnr_db is None and max_drop is None:
        made = quantize(graph, samples, files.config)
    else:
        wanted = None if labels is None else read_samples(labels)
        limits = Budget(max_drop, min_sqnr_db)
        outcome = quantize_to_budget(graph, samples, wanted, limits, files.config)
        made = outcome.graph
    chosen = samples[:: max(1, len(samples) // REPORT_SAMPLES)][:REPORT_SAMPLES]
    return Quantized(made, graph, attribute(graph, made, chosen), outcome)


def constant_bytes(graph: Graph) -> int:
    """Bytes of all weights and tables of a graph."""
    return sum(tensor.nbytes for tensor in graph.tensors.values() if tensor.is_constant)


def _budget_dict(outcome: BudgetResult) -> dict[str, Any]:
    return {
        "met": outcome.met,
        "score": outcome.score,
        "float_score": outcome.float_score,
        "promotions": [
            {"layer": p.layer, "op": p.kind, "precision": p.precision, "why": p.why}
            for p in outcome.promotions
        ],
    }
