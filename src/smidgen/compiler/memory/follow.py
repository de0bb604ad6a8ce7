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

    schedule: Schedule
    written: Mapping[str, int]
    read: Mapping[str, int]
    kept: frozenset[str]
    """The tensors that are read after the run: by the caller, or as a state in the next one."""

    @staticmethod
    def of(graph: Graph, schedule: Schedule) -> Timeline:
        """The timeline of `graph` run in the order of `schedule`."""
        written = dict.fromkeys(graph.tensors, -1)
        read: dict[str, int] = {}
        kept = set(graph.outputs)
        for index, (node, _) in enumerate(schedule):
            assigns = isinstance(node.op, AssignState)
            # An assignment does not read its state.
            read.update(dict.fromkeys(node.inputs[1:] if assigns else node.inputs, index))
            written.update(dict.fromkeys(node.outputs, index))
            kept.update(node.outputs if assigns else ())
        return Timeline(schedule, written, read, frozenset(kept))

    def follow(self, a: str, b: str, distance: int) -> bool:
        """Whether one of two tensors is done with when the other one is written.

        `distance` is address(b) - address(a). In the step that does both, the kernel must allow it.
        """
        if self.written[b] < self.written[a]:
            a, b, distance = b, a, -distance
        done = len(self.schedule) if a in self.kept else self.last_reader([a])
        begins = self.written[b]
        return done < begins or (
            done == begins >= 0 and _allows(*self.schedule[begins], a, b, distance)
        )

    def last_reader(self, names: Iterable[str]) -> int:
        """The last step that reads one of `names`; -1 where none does."""
        return max((self.read.get(name, -1) for name in names), default=-1)


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
