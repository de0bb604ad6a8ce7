"""Which tensors share bytes because one is a view of another, and from when to when they live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smidgen.compiler.memory.buffers import Allowance, Buffer
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall, Overlap


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor's bytes: `offset` from the start of buffer `buffer`."""

    buffer: str
    offset: int


@dataclass(frozen=True, slots=True)
class Storage:
    """The buffers that a schedule needs, and the place of each tensor in them."""

    buffers: tuple[Buffer, ...]
    allowances: tuple[Allowance, ...]
    places: Mapping[str, Place]


Schedule = Sequence[tuple[Node, KernelCall]]


def scratch_name(node: Node) -> str:
    """The name of the buffer that holds a node's scratch memory."""
    return f"{node.name}/scratch"


def assign_storage(graph: Graph, schedule: Schedule) -> Storage:
    """Merge views into buffers, and find each buffer's lifetime and its allowed overlaps."""
    places = _resolve_views(graph, schedule)
    spans = _lifetimes(graph, schedule, places)
    sizes = _sizes(graph, places)
    buffers = [Buffer(name, sizes[name], *spans[name]) for name in spans]
    for step, (node, call) in enumerate(schedule):
        if call.scratch_bytes:
            buffers.append(Buffer(scratch_name(node), call.scratch_bytes, step, step))
    return Storage(tuple(buffers), _allowances(schedule, places, spans), places)


def _resolve_views(graph: Graph, schedule: Schedule) -> dict[str, Place]:
    places = {name: Place(name, 0) for name, t in graph.tensors.items() if not t.is_constant}
    for node, call in schedule:
        for view in call.views:
            inner, outer = (_operand(node, end) for end in (view.inner, view.outer))
            target, moved = places[outer], places[inner]
            shift = target.offset + view.offset - moved.offset
            for name, place in places.items():
                if place.buffer == moved.buffer:
                    places[name] = Place(target.buffer, place.offset + shift)
    return places


def _operand(node: Node, end: tuple[str, int]) -> str:
    side, index = end
    return (node.inputs if side == "input" else node.outputs)[index]


def _lifetimes(
    graph: Graph, schedule: Schedule, places: Mapping[str, Place]
) -> dict[str, tuple[int, int]]:
    """First and last step at which each buffer holds a value; -1 is before, len after the run."""
    spans: dict[str, tuple[int, int]] = {}

    def touch(name: str, step: int) -> None:
        if name in places:
            first, last = spans.get(places[name].buffer, (step, step))
            spans[places[name].buffer] = (min(first, step), max(last, step))

    for name in graph.inputs:
        touch(name, -1)
    for tensor in graph.states:
        touch(tensor.name, -1)
        touch(tensor.name, len(schedule))
    for step, (node, _) in enumerate(schedule):
        for name in (*node.inputs, *node.outputs):
            touch(name, step)
    for name in graph.outputs:
        touch(name, len(schedule))
    return spans


def _sizes(graph: Graph, places: Mapping[str, Place]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, place in places.items():
        end = place.offset + graph.tensors[name].nbytes
        sizes[place.buffer] = max(sizes.get(place.buffer, 0), end)
    return sizes


def _allowances(
    schedule: Schedule, places: Mapping[str, Place], spans: Mapping[str, tuple[int, int]]
) -> tuple[Allowance, ...]:
    found: list[Allowance] = []
    for step, (node, call) in enumerate(schedule):
        for target in dict.fromkeys(places[name].buffer for name in node.outputs):
            if spans[target][0] != step:
                continue
            for source in dict.fromkeys(places[n].buffer for n in node.inputs if n in places):
                if source != target and spans[source][1] == step:
                    found.extend(_allowance(node, call, target, source, places))
    return tuple(found)


def _allowance(
    node: Node, call: KernelCall, target: str, source: str, places: Mapping[str, Place]
) -> list[Allowance]:
    """The overlap of two buffers in one step, if the kernel allows it for all their operands."""
    rules: list[Allowance] = []
    for index, name in enumerate(node.inputs):
        if name not in places or places[name].buffer != source:
            continue
        for output, result in enumerate(node.outputs):
            if places[result].buffer != target:
                continue
            legal = next((o for o in call.overlaps if (o.output, o.input) == (output, index)), None)
            if legal is None:
                return []
            shift = places[name].offset - places[result].offset
            rules.append(moved(legal, target, source, shift))
    return [strictest(rules)]


def moved(legal: Overlap, target: str, source: str, shift: int) -> Allowance:
    """What an overlap of tensors means for their buffers; `shift` is the source's lead in them."""
    return Allowance(
        target,
        source,
        None if legal.ahead is None else legal.ahead + shift,
        None if legal.behind is None else legal.behind + shift,
        legal.in_place and shift == 0,
    )


def strictest(rules: Sequence[Allowance]) -> Allowance:
    """A rule under which every one of `rules`, of one pair of buffers, holds."""
    aheads = [rule.ahead for rule in rules]
    behinds = [rule.behind for rule in rules]
    return Allowance(
        rules[0].target,
        rules[0].source,
        None if None in aheads else min(ahead for ahead in aheads if ahead is not None),
        None if None in behinds else max(behind for behind in behinds if behind is not None),
        all(
            rule.in_place
            or (rule.ahead is not None and rule.ahead >= 0)
            or (rule.behind is not None and rule.behind <= 0)
            for rule in rules
        ),
    )
