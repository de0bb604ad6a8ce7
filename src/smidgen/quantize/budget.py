"""Mixed precision by itself: as much int8 as a stated loss of accuracy allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ArrayError, UnsupportedOp
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph, Node
from smidgen.quantize.calibration import Calibration, Sample, calibrate, each_sample
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.equalization import equalize
from smidgen.quantize.masking import with_finite_masks
from smidgen.quantize.precision import follows, precision_of
from smidgen.quantize.ptq import apply
from smidgen.quantize.report import Error, Tally, as_real, attribute, entering

Outputs = Sequence[Sequence[Array]]
"""For each sample, the graph's outputs as real numbers."""
Metric = Callable[[Outputs], float]
"""A score of outputs; higher is better."""

ATTRIBUTION_SAMPLES = 8
"""Samples that layers are compared on: comparing runs the graph once for each of them."""
_NEXT: Mapping[DType, tuple[str, ...]] = {
    DType.INT8: ("int16", "float"),
    DType.INT16: ("float",),
    DType.FLOAT32: (),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """What quantisation may cost; a limit that is None is none."""

    max_drop: float | None = None
    """How far the score may fall below that of the float graph, e.g. 0.01."""
    min_sqnr_db: float | None = None
    """The least ratio of signal to quantisation noise at the outputs, in decibels."""

    def __post_init__(self) -> None:
        if self.max_drop is None and self.min_sqnr_db is None:
            raise ValueError("a budget needs max_drop or min_sqnr_db")


@dataclass(frozen=True, slots=True)
class Promotion:
    """A layer that needed more than int8, and how it did before."""

    layer: str
    kind: str
    precision: str
    effect: Error
    """At the outputs of the graph, of this layer alone before it was promoted."""
    score: float
    """Of the whole graph before it was promoted."""
    output: Error
    """The same, as an error."""

    @property
    def why(self) -> str:
        """One line for a reader."""
        return (
            f"{self.layer} ({self.kind}) to {self.precision}: alone it left the outputs at "
            f"{self.effect.sqnr_db:.1f} dB, with the graph at {self.output.sqnr_db:.1f} dB "
            f"and a score of {self.score:.4g}"
        )


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """A quantised graph, what was promoted in it and why, and where it stands."""

    graph: Graph
    promotions: tuple[Promotion, ...]
    met: bool
    float_score: float
    score: float
    output: Error
    config: QuantizeConfig
    """What makes the same graph by `quantize`."""

    def text(self) -> str:
        """What was done, one line a promotion."""
        state = "met" if self.met else "missed"
        head = (
            f"budget {state}: score {self.score:.4g} (float {self.float_score:.4g}), "
            f"output SQNR {self.output.sqnr_db:.1f} dB"
        )
        return "\n".join([head, *(promotion.why for promotion in self.promotions)]) + "\n"


def quantize_to_budget(
    graph: Graph,
    samples: Iterable[Sample],
    labels_or_metric: Sequence[int] | Array | Metric | None = None,
    budget: Budget | None = None,
    config: QuantizeConfig | None = None,
) -> BudgetResult:
    """Quantise `graph` to int8, and promote the worst layers until `budget` is met.

    A layer goes to int16 activations where a kernel has them, then to float32. Afterwards each
    promotion that turns out not to be needed is taken back. `budget` is a drop of at most 0.01
    unless given. The score is `labels_or_metric`: a function of the outputs, or, with labels, the
    share of samples whose first output is largest at the label (top-1); with nothing, the share
    where it is largest at the same place as in the float graph.

    The result says whether the budget is met: where float32 layers alone miss it, it is not.

    Raises what `quantize` raises, and ArrayError for labels that do not fit the samples.
    """
    options, limits = config or QuantizeConfig(), budget or Budget(max_drop=0.01)
    graph = with_finite_masks(equalize(graph) if options.equalize else graph)
    kept = list(each_sample(graph, samples))
    given = [tuple(inputs) if len(inputs) > 1 else inputs[0] for inputs in kept]
    calibration = calibrate(graph, given, options.range_method, options.percentile)
    search = _Search(graph, calibration, kept, limits, options)
    search.prepare(labels_or_metric)
    search.promote()
    search.take_back()
    return search.result()


@dataclass(frozen=True, slots=True)
class _Standing:
    """A quantised graph and how it does."""

    graph: Graph
    score: float
    output: Error


@dataclass(slots=True)
class _Search:
    graph: Graph
    calibration: Calibration
    samples: list[list[Array]]
    budget: Budget
    config: QuantizeConfig
    metric: Metric = len
    truths: list[list[Array]] = field(default_factory=list)
    float_score: float = 0.0
    promotions: list[Promotion] = field(default_factory=list)
    effects: dict[str, Error] = field(default_factory=dict)
    standing: _Standing | None = None

    def prepare(self, labels_or_metric: Sequence[int] | Array | Metric | None) -> None:
        """The float graph's outputs and score, and the int8 graph."""
        reference = Reference(self.graph)
        self.truths = [reference.run(inputs) for inputs in self.samples]
        self.metric = _metric(labels_or_metric, self.truths)
        self.float_score = self.metric(self.truths)
        self.standing = self._stand(self.config)

    @property
    def now(self) -> _Standing:
        """The present graph."""
        assert self.standing is not None
        return self.standing

    def promote(self) -> None:
        """The worst layer next, until the budget is met or all is float."""
        while not self._is_met(self.now):
            self._update_effects()
            layer = self._worst()
            if layer is None or not self._promoted(layer):
                return

    def take_back(self) -> None:
        """Without each promotion that the budget does not need, the least harmful first."""
        if not self._is_met(self.now):
            return
        for promotion in sorted(self.promotions, key=lambda p: -p.effect.sqnr_db):
            fewer = [p for p in self.promotions if p is not promotion]
            config = self._with(fewer)
            standing = self._stand(config)
            if self._is_met(standing):
                self.promotions, self.standing = fewer, standing

    def result(self) -> BudgetResult:
        """What was found."""
        now, met = self.now, self._is_met(self.now)
        return BudgetResult(
            now.graph,
            tuple(self.promotions),
            met,
            self.float_score,
            now.score,
            now.output,
            self._with(self.promotions),
        )

    def _with(self, promotions: Iterable[Promotion]) -> QuantizeConfig:
        keep = {**self.config.keep, **{p.layer: p.precision for p in promotions}}
        return replace(self.config, keep=keep)

    def _stand(self, config: QuantizeConfig) -> _Standing:
        quantised = apply(self.graph, self.calibration, config)
        reference, tally, outputs = Reference(quantised), Tally(), []
        for inputs, truth in zip(self.samples, self.truths, strict=True):
            results = reference.run(entering(quantised, inputs))
            names = quantised.outputs
            real = [as_real(quantised.tensors[n], r) for n, r in zip(names, results, strict=True)]
            outputs.append(real)
            for wanted, found in zip(truth, real, strict=True):
                tally.add(wanted, found)
        return _Standing(quantised, self.metric(outputs), tally.error)

    def _is_met(self, standing: _Standing) -> bool:
        drop, least = self.budget.max_drop, self.budget.min_sqnr_db
        kept = drop is None or self.float_score - standing.score <= drop + 1e-12
        return kept and (least is None or standing.output.sqnr_db >= least)

    def _layers(self) -> list[Node]:
        """The layers that can still be promoted."""
        precision = precision_of(self.graph, self._with(self.promotions)).layers
        return [
            node
            for node in self.graph.nodes
            if _NEXT[precision[node.name]] and not follows(node.op)
        ]

    def _update_effects(self) -> None:
        """Compare the layers whose effect is not known."""
        missing = {node.name for node in self._layers()} - self.effects.keys()
        if not missing:
            return
        chosen = self.samples[:: max(1, len(self.samples) // ATTRIBUTION_SAMPLES)]
        given = [tuple(inputs) if len(inputs) > 1 else inputs[0] for inputs in chosen]
        report = attribute(self.graph, self.now.graph, given, missing)
        self.effects.update({layer.name: layer.effect for layer in report.layers})

    def _worst(self) -> Node | None:
        """The layer whose quantisation alone hurts the outputs most."""
        return min(self._layers(), key=lambda node: self.effects[node.name].sqnr_db, default=None)

    def _promoted(self, node: Node) -> bool:
        """Promote `node` as little as possible; whether some kernel could take it."""
        present = precision_of(self.graph, self._with(self.promotions)).layers[node.name]
        others = [p for p in self.promotions if p.layer != node.name]
        for precision in _NEXT[present]:
            step = Promotion(
                node.name,
                node.op.kind,
                precision,
                self.effects[node.name],
                self.now.score,
                self.now.output,
            )
            try:
                self.standing = self._stand(self._with([*others, step]))
            except UnsupportedOp:
                continue
            self.promotions = [*others, step]
            del self.effects[node.name]
            return True
        self.effects[node.name] = Error(math.inf, 0.0, 0.0)
        return any(math.isfinite(self.effects[n.name].sqnr_db) for n in self._layers())


def _metric(given: Any, truths: Outputs) -> Metric:
    if callable(given):
        metric: Metric = given
        return metric
    if given is None:
        wanted = np.array([int(np.argmax(outputs[0])) for outputs in truths])
    else:
        wanted = np.asarray(given).reshape(-1)
    if len(wanted) != len(truths) or wanted.dtype.kind not in "iu":
        raise ArrayError(
            "labels",
            f"{len(wanted)} of {wanted.dtype} for {len(truths)} samples",
            "give one whole number for each sample",
        )

    def top1(outputs: Outputs) -> float:
        found = [int(np.argmax(each[0])) for each in outputs]
        return float(np.mean(np.array(found) == wanted))

    return top1
