"""Takes the views that kernels offer: parts computed in their whole, states that need no copy.

A concatenation offers that its inputs lie where they belong in its output, a read of a state that
its output is the state itself, an assignment that the value is computed in the state. Taken
together, a sliding window becomes one piece of memory: new values are written at its end, and one
move along closes the run.

Tensors that share bytes have either the same content, or their content follows one another: what a
state holds before its assignment is read for the last time before what comes after it is written.
An offer is taken if that stays so; assignments are put off where that helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from smidgen.compiler.memory.follow import Timeline
from smidgen.compiler.memory.storage import Place, Schedule
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall, View
from smidgen.ops.state.ops import AssignState, ReadState


def take_offers(graph: Graph, schedule: Schedule) -> Schedule:
    """The schedule with every offer that is safe as a view."""
    steps = list(schedule)
    layout = _Layout.of(graph, schedule)
    for node, offer in _in_order_of_worth(schedule):
        merged = layout.with_offer(node, offer, steps)
        if merged is None:
            continue
        ordered = merged.with_late_assignments(steps)
        if merged.is_sound(ordered):
            layout, steps = merged, _taken(ordered, node, offer)
    return [(node, _without_idle_code(call)) for node, call in steps]


def _in_order_of_worth(schedule: Schedule) -> Iterator[tuple[Node, View]]:
    """Offers of assignments first: they save a whole state each."""
    for wanted in (True, False):
        for node, call in schedule:
            if isinstance(node.op, AssignState) is wanted:
                yield from ((node, offer) for offer in call.offers)


def _taken(steps: Schedule, node: Node, offer: View) -> list[tuple[Node, KernelCall]]:
    return [
        (other, replace(call, views=(*call.views, offer)) if other.name == node.name else call)
        for other, call in steps
    ]


def _without_idle_code(call: KernelCall) -> KernelCall:
    if call.offers and call.idle_if_taken and set(call.offers) <= set(call.views):
        return KernelCall(call.kernel, views=call.views)
    return call


def _operand(node: Node, end: tuple[str, int]) -> str:
    side, index = end
    return (node.inputs if side == "input" else node.outputs)[index]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where each tensor lies in the buffers that views make, and which of them agree.

    Tensors of one `content` hold the same at every byte that they share, always.
    """

    graph: Graph
    places: Mapping[str, Place]
    content: Mapping[str, str]

    @staticmethod
    def of(graph: Graph, schedule: Schedule) -> _Layout:
        """The layout of the views that are there already."""
        names = [name for name, tensor in graph.tensors.items() if not tensor.is_constant]
        places = {name: Place(name, 0) for name in names}
        layout = _Layout(graph, places, {name: name for name in names})
        for node, call in schedule:
            for view in call.views:
                layout = layout._joined(node, view)
        return layout

    def with_offer(self, node: Node, offer: View, steps: Schedule) -> _Layout | None:
        """The layout with one offer taken; None where it cannot be.

        What lies inside must be the whole of its buffer, so that it brings nothing that sticks out.
        """
        inner, outer = _operand(node, offer.inner), _operand(node, offer.outer)
        if inner not in self.places or outer not in self.places:
            return None
        here, there = self.places[inner], self.places[outer]
        if here.buffer == there.buffer:
            return None
        if isinstance(node.op, ReadState) and self._is_assigned_before(node, steps):
            return None
        if not self._is_whole(inner) or self._costs_memory(inner, outer):
            return None
        return self._joined(node, offer)

    def _joined(self, node: Node, view: View) -> _Layout:
        inner, outer = _operand(node, view.inner), _operand(node, view.outer)
        here, there = self.places[inner], self.places[outer]
        shift = there.offset + view.offset - here.offset
        places = {
            name: Place(there.buffer, place.offset + shift)
            if place.buffer == here.buffer
            else place
            for name, place in self.places.items()
        }
        if not isinstance(node.op, AssignState):
            return _Layout(self.graph, places, self._same(inner, outer))
        # What is assigned takes the place of the state, and not its content.
        is_value = view.inner[0] == "input"
        content = self._same(inner, node.outputs[0]) if is_value else self.content
        return _Layout(self.graph, places, content)

    def _same(self, a: str, b: str) -> dict[str, str]:
        if a not in self.content or b not in self.content:
            return dict(self.content)
        old, new = self.content[a], self.content[b]
        return {name: new if label == old else label for name, label in self.content.items()}

    def _is_assigned_before(self, read: Node, steps: Schedule) -> bool:
        state = read.inputs[0]
        names = [node.name for node, _ in steps]
        before = steps[: names.index(read.name)]
        return any(isinstance(n.op, AssignState) and n.inputs[0] == state for n, _ in before)

    def _beside(self, name: str) -> Iterator[str]:
        """The tensors in the same buffer, `name` included."""
        buffer = self.places[name].buffer
        return (other for other, place in self.places.items() if place.buffer == buffer)

    def _range(self, name: str) -> tuple[int, int]:
        start = self.places[name].offset
        return start, start + self.graph.tensors[name].nbytes

    def _is_whole(self, name: str) -> bool:
        start, end = self._range(name)
        ranges = (self._range(other) for other in self._beside(name))
        return all(start <= low and high <= end for low, high in ranges)

    def _costs_memory(self, inner: str, outer: str) -> bool:
        """An input lives from the start; what it lies in would too, unless it does anyway."""
        brings_input = any(name in self.graph.inputs for name in self._beside(inner))
        return brings_input and not any(self.graph.tensors[n].is_state for n in self._beside(outer))

    def _overlap(self, a: str, b: str) -> bool:
        (low, high), (start, end) = self._range(a), self._range(b)
        return max(low, start) < min(high, end)

    def _holding_old(self, state: str) -> set[str]:
        """The tensors whose content an assignment of `state` destroys."""
        label = self.content[state]
        return {
            name
            for name in self._beside(state)
            if self.content[name] == label and self._overlap(state, name)
        }

    def with_late_assignments(self, steps: Schedule) -> Schedule:
        """`steps` with each assignment put off until what it overwrites has been read."""
        for state in self.graph.states:
            steps = self._with_late_assignment(steps, state.name)
        return steps

    def _with_late_assignment(self, steps: Schedule, state: str) -> Schedule:
        assigned = [
            index
            for index, (node, _) in enumerate(steps)
            if isinstance(node.op, AssignState) and node.inputs[0] == state
        ]
        if len(assigned) != 1 or self.graph.consumers[steps[assigned[0]][0].outputs[0]]:
            return steps
        timeline = Timeline.of(self.graph, steps)
        last = timeline.last_reader(self._holding_old(state))
        # Who reads the state itself after its assignment wants what was assigned.
        if last <= assigned[0] or timeline.last_reader([state]) > assigned[0]:
            return steps
        ordered = list(steps)
        ordered.insert(last, ordered.pop(assigned[0]))
        return ordered

    def is_sound(self, steps: Schedule) -> bool:
        """Whether contents that share bytes with a state follow one another."""
        timeline = Timeline.of(self.graph, steps)
        for state in self.graph.states:
            names = list(self._beside(state.name))
            for at, a in enumerate(names):
                for b in names[at + 1 :]:
                    differ = self.content[a] != self.content[b] and self._overlap(a, b)
                    if differ and not timeline.follow(a, b, self._distance(a, b)):
                        return False
        return True

    def _distance(self, a: str, b: str) -> int:
        """address(b) - address(a)."""
        return self.places[b].offset - self.places[a].offset
