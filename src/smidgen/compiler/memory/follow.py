"""When tensors are written and read for the last time, in a schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from smidgen.compiler.memory.storage import Schedule
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall, Overlap
from smidgen.ops.state.ops import AssignState


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps at which each tensor is written first and read last; -1 is before the run."""

    graph: Graph
    schedule: Schedule

    def follow(self, a: str, b: str, distance: int) -> bool:
        """Whether one of two tensors is done with when the other one is written.

        `distance` is address(b) - address(a). In the step that does both, the kernel must allow it.
        """
        if self._written()[b] < self._written()[a]:
            a, b, distance = b, a, -distance
        done, begins = self._read_last(a), self._written()[b]
        return done < begins or (
            done == begins >= 0 and _allows(*self.schedule[begins], a, b, distance)
        )

    def last_reader(self, names: Iterable[str]) -> int:
        """The last step that reads one of `names`; -1 where none does."""
        return max((self._readers().get(name, -1) for name in names), default=-1)

    def _written(self) -> Mapping[str, int]:
        steps = dict.fromkeys(self.graph.tensors, -1)
        for index, (node, _) in enumerate(self.schedule):
            steps.update(dict.fromkeys(node.outputs, index))
        return steps

    def _read_last(self, name: str) -> int:
        maker = self.graph.producers.get(name)
        stays = maker is not None and isinstance(maker.op, AssignState)
        if stays or name in self.graph.outputs:
            return len(self.schedule)
        return self._readers().get(name, -1)

    def _readers(self) -> Mapping[str, int]:
        steps: dict[str, int] = {}
        for index, (node, _) in enumerate(self.schedule):
            # An assignment does not read its state.
            read = node.inputs[1:] if isinstance(node.op, AssignState) else node.inputs
            steps.update(dict.fromkeys(read, index))
        return steps


def _allows(node: Node, call: KernelCall, before: str, after: str, distance: int) -> bool:
    """Whether the kernel may write `after` so near to every operand `before` that it reads."""
    pairs = [
        (output, index)
        for output, written in enumerate(node.outputs)
        for index, read in enumerate(node.inputs)
        if (written, read) == (after, before)
    ]
    rules = {(rule.output, rule.input): rule for rule in call.overlaps}
    return bool(pairs) and all(pair in rules and _is_legal(rules[pair], distance) for pair in pairs)


def _is_legal(rule: Overlap, distance: int) -> bool:
    return (
        (rule.ahead is not None and distance <= rule.ahead)
        or (rule.behind is not None and distance >= rule.behind)
        or (rule.in_place and distance == 0)
    )
