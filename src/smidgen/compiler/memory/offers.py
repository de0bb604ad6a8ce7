"""Takes the views that kernels offer: parts that lie in their whole, states that need no copy.

A concatenation offers that its inputs are computed where they belong in its output; a read of a
state offers that its output is the state itself. Taken together, a sliding window is one piece of
memory: new values are written at its end, and the assignment that closes the run moves it along.

An offer is taken if what shares bytes then always has the same content, and if a state is not
assigned before the last reader of its old content. Assignments are put off where that helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from smidgen.compiler.memory.storage import Place, Schedule
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall, View
from smidgen.ops.state.ops import AssignState, ReadState

Steps = list[tuple[Node, KernelCall]]


def take_offers(graph: Graph, schedule: Schedule) -> Schedule:
    """The schedule with every offer that is safe as a view; the same one where none is."""
    layout = _Layout.of(graph, schedule)
    steps: Steps = list(schedule)
    for node, call in schedule:
        taken: list[View] = []
        for offer in call.offers:
            inner, outer = operand(node, offer.inner), operand(node, offer.outer)
            merged = layout.merged(inner, outer, offer.offset)
            ordered = merged.with_late_assignments(steps) if merged else None
            if merged is not None and ordered is not None:
                layout, steps = merged, ordered
                taken.append(offer)
        _put(steps, node, _with_views(call, taken))
    return steps


def operand(node: Node, end: tuple[str, int]) -> str:
    """The tensor that an end of a view names."""
    side, index = end
    return (node.inputs if side == "input" else node.outputs)[index]


def _put(steps: Steps, node: Node, call: KernelCall) -> None:
    steps[next(i for i, (other, _) in enumerate(steps) if other.name == node.name)] = (node, call)


def _with_views(call: KernelCall, taken: Sequence[View]) -> KernelCall:
    """`call` with more views, and without code where nothing is left to do."""
    if not taken:
        return call
    views = (*call.views, *taken)
    if call.idle_if_taken and len(taken) == len(call.offers):
        return KernelCall(call.kernel, views=views)
    return replace(call, views=views)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where each tensor lies in the buffers that views make."""

    graph: Graph
    places: Mapping[str, Place]

    @staticmethod
    def of(graph: Graph, schedule: Schedule) -> _Layout:
        """The layout of the views that are there already."""
        given = {name: Place(name, 0) for name, t in graph.tensors.items() if not t.is_constant}
        layout = _Layout(graph, given)
        for node, call in schedule:
            for view in call.views:
                inner, outer = operand(node, view.inner), operand(node, view.outer)
                layout = layout._joined(inner, outer, view.offset)
        return layout

    def merged(self, inner: str, outer: str, offset: int) -> _Layout | None:
        """The layout with `inner` inside `outer`; None where other contents would clash.

        `inner` must be the whole of its buffer, so that it brings nothing that sticks out.
        """
        if inner not in self.places or outer not in self.places:
            return None
        here, there = self.places[inner], self.places[outer]
        if here.buffer == there.buffer:
            return self if here.offset == there.offset + offset else None
        if not self._is_whole(inner) or self._costs_memory(inner, outer):
            return None
        return self._joined(inner, outer, offset)

    def _joined(self, inner: str, outer: str, offset: int) -> _Layout:
        here, there = self.places[inner], self.places[outer]
        shift = there.offset + offset - here.offset
        moved = {name: Place(there.buffer, self.places[name].offset + shift)
                 for name in self._beside(inner)}  # fmt: skip
        return _Layout(self.graph, {**self.places, **moved})

    def _beside(self, name: str) -> Iterator[str]:
        """The tensors in the same buffer, `name` included."""
        buffer = self.places[name].buffer
        return (other for other, place in self.places.items() if place.buffer == buffer)

    def _range(self, name: str) -> tuple[int, int]:
        start = self.places[name].offset
        return start, start + self.graph.tensors[name].nbytes

    def _is_whole(self, name: str) -> bool:
        start, end = self._range(name)
        ranges = [self._range(other) for other in self._beside(name)]
        return all(start <= low and high <= end for low, high in ranges)

    def _costs_memory(self, inner: str, outer: str) -> bool:
        """An input lives from the start; what it lies in would too, unless it does anyway."""
        brings_input = any(name in self.graph.inputs for name in self._beside(inner))
        return brings_input and not any(self._states_in(self.places[outer].buffer))

    def _states_in(self, buffer: str) -> Iterator[str]:
        return (t.name for t in self.graph.states if self.places[t.name].buffer == buffer)

    def with_late_assignments(self, steps: Steps) -> Steps | None:
        """`steps` with each assignment after the last reader of what it overwrites.

        None where that cannot be: a state that is read again, or an output that would be lost.
        """
        shared = [state for state in self.graph.states if self._old_content(state.name)]
        for state in shared:
            ordered = self._with_late_assignment(steps, state.name)
            if ordered is None:
                return None
            steps = ordered
        sound = all(self._is_safe(steps, state.name) for state in shared)
        return steps if sound else None

    def _old_content(self, state: str) -> set[str]:
        """The tensors that share bytes with a state and hold what it held before the run."""
        start, end = self._range(state)
        return {
            name
            for name in self._beside(state)
            if name != state
            and not _is_assigned(self.graph, name)
            and max(start, self._range(name)[0]) < min(end, self._range(name)[1])
        }

    def _with_late_assignment(self, steps: Steps, state: str) -> Steps | None:
        at = _assignments(steps, state)
        if not at:
            return steps
        old = self._old_content(state)
        result = steps[at[0]][0].outputs[0]
        reads_on = self.graph.consumers[result] or result in self.graph.outputs
        if len(at) > 1 or reads_on or old & set(self.graph.outputs):
            return None
        last = _last_reader(steps, old, at[0])
        if last < at[0]:
            return steps
        ordered = list(steps)
        ordered.insert(last, ordered.pop(at[0]))
        return ordered

    def _is_safe(self, steps: Steps, state: str) -> bool:
        """Whether nobody reads old content, or the state itself, after its assignment."""
        at = _assignments(steps, state)
        if not at:
            return True
        late = steps[at[0] + 1 :]
        old = self._old_content(state)
        return not any(
            old.intersection(node.inputs) or (state in node.inputs and _reads(node))
            for node, _ in late
        )


def _assignments(steps: Steps, state: str) -> list[int]:
    return [
        index
        for index, (node, _) in enumerate(steps)
        if isinstance(node.op, AssignState) and node.inputs[0] == state
    ]


def _last_reader(steps: Steps, names: set[str], but: int) -> int:
    readers = [
        index
        for index, (node, _) in enumerate(steps)
        if index != but and names.intersection(node.inputs)
    ]
    return max(readers, default=-1)


def _reads(node: Node) -> bool:
    return isinstance(node.op, ReadState) or not isinstance(node.op, AssignState)


def _is_assigned(graph: Graph, name: str) -> bool:
    maker = graph.producers.get(name)
    return maker is not None and isinstance(maker.op, AssignState)
