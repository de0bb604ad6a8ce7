"""Gives each activation of a float graph its quantisation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Quantization
from smidgen.quantize.calibration import Range
from smidgen.quantize.precision import Precision
from smidgen.quantize.rules import Form, Port, activation_ports, rule_of
from smidgen.quantize.scales import (
    WEIGHT_MAX,
    activation_quantization,
    power_of_two_quantization,
    symmetric_quantization,
)


@dataclass(frozen=True, slots=True)
class Place:
    """An activation in one type. It may stand there twice, with two scales: `joined` is the one
    that ops read which have one scale for all their operands.
    """

    tensor: str
    dtype: DType
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """The quantisation of every place, and where each operand of each layer is read or written."""

    precision: Precision
    quantizations: Mapping[Place, Quantization]

    def home(self, name: str) -> Place:
        """Where activation `name` is made."""
        return Place(name, self.precision.homes[name])

    def at(self, node: Node, port: Port, name: str) -> Place:
        """Where `node` finds or leaves the activation `name`."""
        place = Place(name, self.precision.port(node, port))
        joined = replace(place, joined=True)
        if joined in self.quantizations and port[0] == "in" and _is_tied(node, port):
            return joined
        return place


def assign(graph: Graph, ranges: Mapping[str, Range], precision: Precision) -> Assignment:
    """The quantisation of every activation, and of every constant that is used as one.

    Operands that must share a quantisation get one that covers all of them. Where the
    specification fixes the scale of one of them, and that does not cover the others, it is read
    there with a scale of its own, which takes a requantisation.
    """
    work = _Work(graph, ranges, precision, *_demands(graph, precision))
    groups = work.groups(frozenset())
    apart = frozenset(work.misfits(groups))
    if apart:
        groups = work.groups(apart)
    return Assignment(precision, work.quantizations(groups))


def _is_tied(node: Node, port: Port) -> bool:
    rule = rule_of(node)
    return rule.shared or rule.form(port) is not None or any(port in tie for tie in rule.ties)


def _demands(
    graph: Graph, precision: Precision
) -> tuple[dict[Place, Quantization], dict[Place, Form]]:
    """The outputs whose quantisation the specification fixes, and what operands ask for."""
    fixed: dict[Place, Quantization] = {}
    forms: dict[Place, Form] = {}
    for node in integer_nodes(graph, precision):
        rule, dtype = rule_of(node), precision.layers[node.name]
        quant = rule.fixed_for(dtype)
        if quant is not None:
            fixed[Place(node.outputs[0], dtype)] = quant
        for port, name in activation_ports(node) if rule.forms else ():
            form = rule.form(port)
            if form is not None:
                forms[Place(name, precision.port(node, port))] = form
    return fixed, forms


def integer_nodes(graph: Graph, precision: Precision) -> Iterator[Node]:
    """The nodes that compute on quanta."""
    return (node for node in graph.nodes if precision.layers[node.name] is not DType.FLOAT32)


_Groups = dict[Place, Place]
"""For each place, the one that stands for all with which it shares its quantisation."""


@dataclass(frozen=True, slots=True)
class _Work:
    graph: Graph
    ranges: Mapping[str, Range]
    precision: Precision
    fixed: Mapping[Place, Quantization]
    forms: Mapping[Place, Form]

    def groups(self, apart: frozenset[Place]) -> _Groups:
        """The places that share a quantisation; those `apart` are not joined with anything."""
        leader: _Groups = {}
        for name, dtype in self.precision.homes.items():
            if dtype is not DType.FLOAT32:
                leader[Place(name, dtype)] = Place(name, dtype)
        for node in integer_nodes(self.graph, self.precision):
            for tie in self._ties(node, apart):
                leader.update({place: place for place in tie if place not in leader})
                _unite(leader, tie)
        return {place: _leader(leader, place) for place in leader}

    def _ties(self, node: Node, apart: frozenset[Place]) -> Iterator[list[Place]]:
        """The groups of places around `node`; each place alone where nothing ties it."""
        rule = rule_of(node)
        tied: dict[int, list[Place]] = {}
        for port, name in activation_ports(node):
            if self.graph.tensors[name].dtype is not DType.FLOAT32:
                continue
            place = Place(name, self.precision.port(node, port))
            number = next((i for i, tie in enumerate(rule.ties) if port in tie), None)
            number = -1 if rule.shared else number
            far = place in apart and port[0] == "in" and _is_tied(node, port)
            if number is None:
                yield [replace(place, joined=far)]
            else:
                tied.setdefault(number, []).append(replace(place, joined=far))
        yield from tied.values()

    def misfits(self, groups: _Groups) -> Iterator[Place]:
        """Outputs of a fixed quantisation that share it with what it does not cover."""
        fixed = self.fixed
        for leader, places in _members(groups).items():
            here = [place for place in places if place in fixed]
            if not here:
                continue
            low, high = self._span(places)
            quant = fixed[here[0]]
            first, last = leader.dtype.range
            ends = [quant.scale * (end - quant.zero_point) for end in (first - 1, last + 1)]
            alike = all(fixed[place] == quant for place in here)
            if not alike or low < ends[0] or high > ends[1] or self._forms(places):
                yield from here

    def _forms(self, places: Iterable[Place]) -> set[Form]:
        """What operands ask of the places."""
        plain = (replace(place, joined=False) for place in places)
        return {self.forms[place] for place in plain if place in self.forms}

    def quantizations(self, groups: _Groups) -> dict[Place, Quantization]:
        """The quantisation of every place."""
        fixed, members = self.fixed, _members(groups)
        chosen: dict[Place, Quantization] = {}
        for leader, places in members.items():
            given = [fixed[place] for place in places if place in fixed]
            chosen[leader] = given[0] if given else self._chosen(leader.dtype, places)
        fixed_leaders = {groups[place] for place in fixed}
        for node in integer_nodes(self.graph, self.precision):
            if rule_of(node).has_weights and groups[self._output(node)] not in fixed_leaders:
                self._coarsen(node, groups, chosen, members)
        return {place: chosen[leader] for place, leader in groups.items()}

    def _output(self, node: Node) -> Place:
        return Place(node.outputs[0], self.precision.layers[node.name])

    def _chosen(self, dtype: DType, places: Iterable[Place]) -> Quantization:
        low, high = self._span(places)
        forms = self._forms(places)
        if Form.POWER_OF_TWO in forms:
            return power_of_two_quantization(low, high)
        if forms or dtype is DType.INT16:
            return symmetric_quantization(low, high, dtype)
        return activation_quantization(low, high)

    def _span(self, places: Iterable[Place]) -> Range:
        """The smallest range around zero and all of the tensors."""
        each = [self._range(place.tensor) for place in places]
        return min(0.0, *(low for low, _ in each)), max(0.0, *(high for _, high in each))

    def _range(self, name: str) -> Range:
        tensor = self.graph.tensors[name]
        low, high = self.ranges.get(name, (0.0, 0.0))
        if tensor.data is None or (tensor.is_constant and name in self.ranges):
            return low, high
        return (
            min(low, float(tensor.values.min(initial=0.0))),
            max(high, float(tensor.values.max(initial=0.0))),
        )

    def _coarsen(
        self,
        node: Node,
        groups: _Groups,
        chosen: dict[Place, Quantization],
        members: Mapping[Place, list[Place]],
    ) -> None:
        """Give the output of a layer a coarser step if its own is finer than that of its products.

        Then the multiplier of the layer stays at or below 1, and no accumulator is shifted out of
        its bits. Steps below that would only hold rounding noise.
        """
        leader = groups[self._output(node)]
        source = chosen[groups[Place(node.inputs[0], self.precision.port(node, ("in", 0)))]]
        weights = self.graph.tensors[node.inputs[1]].values
        finest = source.scale * float(np.abs(weights).max(initial=0.0)) / WEIGHT_MAX
        if chosen[leader].scale >= finest:
            return
        low, high = self._span(members[leader])
        if leader.dtype is DType.INT16 or self._forms(members[leader]):
            reach = finest * leader.dtype.range[1] * (1 + 1e-6)
            chosen[leader] = symmetric_quantization(-reach, reach, leader.dtype)
            return
        widened = finest * 255 * (1 + 1e-6) / (high - low) if high > low else 0.0
        if widened == 0.0 or not math.isfinite(widened):
            low, high, widened = -finest * 128, finest * 127, 1.0
        chosen[leader] = activation_quantization(low * widened, high * widened)


def _leader(leader: _Groups, place: Place) -> Place:
    """Who stands for `place` in the end; the way there is shortened."""
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place


def _unite(leader: _Groups, places: Iterable[Place]) -> None:
    first, *others = (_leader(leader, place) for place in places)
    for other in others:
        leader[other] = first


def _members(groups: _Groups) -> dict[Place, list[Place]]:
    members: dict[Place, list[Place]] = {}
    for place, leader in groups.items():
        members.setdefault(leader, []).append(place)
    return members
