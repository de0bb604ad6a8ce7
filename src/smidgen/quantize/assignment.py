"""Gives each activation of a float graph its int8 quantisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from smidgen.core.errors import UnsupportedOp
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Quantization
from smidgen.quantize.calibration import Range
from smidgen.quantize.rules import activation_inputs, rule_of
from smidgen.quantize.scales import WEIGHT_MAX, activation_quantization


def assign(graph: Graph, ranges: Mapping[str, Range]) -> dict[str, Quantization]:
    """The quantisation of every activation, and of every constant that is used as one.

    Tensors that must share a quantisation get one that covers all of them.
    """
    groups = _groups(graph)
    spans = {leader: _span(graph, members, ranges) for leader, members in _members(groups).items()}
    fixed = _fixed(graph, groups, spans)
    chosen = {leader: activation_quantization(*span) for leader, span in spans.items()}
    chosen.update(fixed)
    for node in graph.nodes:
        leader = groups[node.outputs[0]]
        if rule_of(node).has_weights and leader not in fixed:
            source = chosen[groups[node.inputs[0]]]
            chosen[leader] = _coarse_enough(graph, node, source, spans[leader], chosen[leader])
    return {name: chosen[leader] for name, leader in groups.items()}


def _groups(graph: Graph) -> dict[str, str]:
    """For each activation, the one that stands for all with which it shares its quantisation."""
    leader: dict[str, str] = {name: name for name in graph.inputs}
    for node in graph.nodes:
        around = (*activation_inputs(node), *node.outputs)
        leader.update({name: name for name in around if name not in leader})
        if rule_of(node).shared:
            _unite(leader, around)
    return leader


def _unite(leader: dict[str, str], names: Iterable[str]) -> None:
    first, *others = (leader[name] for name in names)
    for name, current in leader.items():
        if current in others:
            leader[name] = first


def _members(groups: Mapping[str, str]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for name, leader in groups.items():
        members.setdefault(leader, []).append(name)
    return members


def _span(graph: Graph, names: Iterable[str], ranges: Mapping[str, Range]) -> Range:
    """The smallest range around zero and all tensors called `names`."""
    each = [ranges[name] if name in ranges else _constant_range(graph, name) for name in names]
    return min(0.0, *(low for low, _ in each)), max(0.0, *(high for _, high in each))


def _constant_range(graph: Graph, name: str) -> Range:
    values = graph.tensors[name].values
    return float(values.min(initial=0.0)), float(values.max(initial=0.0))


def _fixed(
    graph: Graph, groups: Mapping[str, str], spans: Mapping[str, Range]
) -> dict[str, Quantization]:
    """The quantisations that the specification fixes; they must cover what shares them."""
    fixed: dict[str, Quantization] = {}
    for node in graph.nodes:
        quant = rule_of(node).fixed
        if quant is None:
            continue
        leader = groups[node.outputs[0]]
        first, last = (quant.scale * (end - quant.zero_point) for end in (-129, 128))
        low, high = spans[leader]
        if fixed.get(leader, quant) != quant or low < first or high > last:
            raise UnsupportedOp(
                f"{node.name} ({node.op.kind})",
                "its output has a fixed scale, and is joined with values beyond its range",
                "return the joined tensors as separate outputs",
            )
        fixed[leader] = quant
    return fixed


def _coarse_enough(
    graph: Graph, node: Node, source: Quantization, span: Range, chosen: Quantization
) -> Quantization:
    """`chosen`, or a coarser quantisation if its step is finer than the layer's own products.

    Then the multiplier of the layer stays at or below 1, and no accumulator is shifted out of its
    32 bits. Steps below that would only hold rounding noise.
    """
    weights = graph.tensors[node.inputs[1]].values
    finest = source.scale * float(np.abs(weights).max(initial=0.0)) / WEIGHT_MAX
    if chosen.scale >= finest:
        return chosen
    low, high = span
    widened = finest * 255 * (1 + 1e-6) / (high - low) if high > low else 0.0
    if widened == 0.0:
        return activation_quantization(-finest * 128, finest * 127)
    return activation_quantization(low * widened, high * widened)
