"""Which channels can go: those that no node needs, together with all that must go with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from smidgen.compiler.passes.channels.rule import Kept, Ranges
from smidgen.compiler.passes.channels.site import Site, channels_of
from smidgen.compiler.passes.channels.table import rule_for
from smidgen.core.dtypes import Array
from smidgen.graph.graph import Graph


def removable(graph: Graph, ranges: Ranges) -> Kept:
    """For each activation that can lose channels, those that it keeps."""
    channels = _Channels(graph)
    for node in graph.nodes:
        site = Site(graph, node)
        for tie in rule_for(site).ties(site):
            channels.tie(tie.left_name, tie.left, tie.right_name, tie.right)
    needed = channels.none()
    for name, mask in _all_needed(graph, ranges):
        needed[channels.places(name)] |= mask
    groups = channels.groups()
    stays = _spread(groups, needed)
    for name in channels.names:
        least = _least(graph, name)
        where = channels.places(name)
        missing = max(0, least - int(stays[where].sum()))
        stays[where[np.flatnonzero(~stays[where])[:missing]]] = True
        stays = _spread(groups, stays) if missing else stays
    kept = {name: np.flatnonzero(stays[channels.places(name)]) for name in channels.names}
    return {n: chosen for n, chosen in kept.items() if len(chosen) < len(channels.places(n))}


def _all_needed(graph: Graph, ranges: Ranges) -> Iterator[tuple[str, Array]]:
    """What the caller, the state and the nodes cannot do without."""
    for name in (*graph.inputs, *graph.outputs, *(state.name for state in graph.states)):
        if not graph.tensors[name].is_constant:
            yield name, np.ones(channels_of(graph.tensors[name]), bool)
    for node in graph.nodes:
        site = Site(graph, node)
        yield from rule_for(site).needed(site, ranges)


def _least(graph: Graph, name: str) -> int:
    """The fewest channels that a tensor may keep."""
    producer = graph.producers.get(name)
    least = 1
    if producer is not None:
        least = rule_for(Site(graph, producer)).least_outputs()
    return min(least, channels_of(graph.tensors[name]))


def _spread(groups: Array, marked: Array) -> Array:
    """`marked`, and all that is in a group with something marked."""
    of_group = np.zeros(len(groups), bool)
    np.logical_or.at(of_group, groups, marked)
    return of_group[groups]


class _Channels:
    """All channels of all activations under running numbers, in groups that go or stay together."""

    def __init__(self, graph: Graph) -> None:
        self.names = [name for name, tensor in graph.tensors.items() if not tensor.is_constant]
        self._starts: dict[str, int] = {}
        self._counts = {name: channels_of(graph.tensors[name]) for name in self.names}
        total = 0
        for name in self.names:
            self._starts[name] = total
            total += self._counts[name]
        self._parents = list(range(total))

    def none(self) -> Array:
        """Nothing marked."""
        return np.zeros(len(self._parents), bool)

    def places(self, name: str) -> Array:
        """The running numbers of a tensor's channels."""
        return np.arange(self._starts[name], self._starts[name] + self._counts[name])

    def tie(self, left_name: str, left: Array, right_name: str, right: Array) -> None:
        """Put pairs of channels into one group."""
        start, other = self._starts[left_name], self._starts[right_name]
        for a, b in zip((left + start).tolist(), (right + other).tolist(), strict=True):
            self._parents[self._root(a)] = self._root(b)

    def groups(self) -> Array:
        """The group of each channel."""
        return np.array([self._root(index) for index in range(len(self._parents))], np.int64)

    def _root(self, index: int) -> int:
        while self._parents[index] != index:
            self._parents[index] = self._parents[self._parents[index]]
            index = self._parents[index]
        return index
