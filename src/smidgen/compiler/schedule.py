"""The order of nodes: of all orders that compute the same, one whose fullest step needs least.

Orders are built node by node. Two ways to have run the same set of nodes differ only in their
fullest step so far, so the better one is kept (dynamic programming over sets). Where a graph has
more sets of one size than `_WIDTH`, only the best go on: a beam search. A chain has one order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from smidgen.graph.graph import Graph
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.state.ops import AssignState, ReadState

_WIDTH = 96
"""How many sets of nodes of one size are followed."""


def order_for_memory(graph: Graph) -> Graph:
    """`graph` with its nodes in the order found; as it was where that needs no less."""
    work = _Work.of(graph)
    order = _best_order(work)
    if work.peak(order) >= work.peak(range(len(graph.nodes))):
        return graph
    return replace(graph, nodes=tuple(graph.nodes[index] for index in order))


def bytes_alive(graph: Graph) -> list[int]:
    """For each node the bytes of tensors that must be there while it runs, at the least.

    Scratch memory, and what kernels forbid, may add to it.
    """
    work, done = _Work.of(graph), 0
    partial, found = _Partial(0, work.given_bytes), []
    for index in range(len(graph.nodes)):
        partial = work.after(replace(partial, peak_bytes=0), done, index)
        found.append(partial.peak_bytes)
        done |= 1 << index
    return found


@dataclass(frozen=True, slots=True)
class _Partial:
    """A way to run some of the nodes: the fullest step, and bytes alive after it.

    `before` is what it was before its `last` node; None, and -1, where nothing has run.
    """

    peak_bytes: int
    alive_bytes: int
    before: _Partial | None = None
    last: int = -1

    @property
    def order(self) -> tuple[int, ...]:
        """The nodes, the first one first."""
        nodes: list[int] = []
        partial: _Partial | None = self
        while partial is not None and partial.last >= 0:
            nodes.append(partial.last)
            partial = partial.before
        return tuple(reversed(nodes))


@dataclass(frozen=True, slots=True)
class _Work:
    """What the search asks of a graph; sets of nodes are bit masks."""

    needs: tuple[int, ...]
    """For each node those that must run before it."""
    followers: tuple[tuple[int, ...], ...]
    """For each node those that need it."""
    reads: tuple[tuple[int, ...], ...]
    """For each node the storages that it reads."""
    writes: tuple[tuple[int, ...], ...]
    """For each node the storages that begin with it."""
    readers: tuple[int, ...]
    """For each storage the nodes that read it."""
    sizes: tuple[int, ...]
    lasting: frozenset[int]
    """The storages that the caller reads in the end."""
    given_bytes: int

    @staticmethod
    def of(graph: Graph) -> _Work:
        """The dependencies and storages of `graph`; a view shares the storage of its source."""
        roots = _roots(graph)
        names = sorted(set(roots.values()))
        number = {name: index for index, name in enumerate(names)}
        reads = [_storages(node.inputs, roots, number) for node in graph.nodes]
        writes = [
            tuple(s for s in _storages(node.outputs, roots, number) if s not in read)
            for node, read in zip(graph.nodes, reads, strict=True)
        ]
        given = {number[roots[name]] for name in graph.inputs if name in roots}
        sizes = tuple(graph.tensors[name].nbytes for name in names)
        needs = _dependencies(graph)
        return _Work(
            needs=needs,
            followers=_followers(needs),
            reads=tuple(reads),
            writes=tuple(writes),
            readers=_readers(reads, len(names)),
            sizes=sizes,
            lasting=frozenset(number[roots[n]] for n in graph.outputs if n in roots),
            given_bytes=sum(sizes[index] for index in given),
        )

    def after(self, partial: _Partial, done: int, index: int) -> _Partial:
        """`partial` with node `index` run after the nodes `done`.

        A node may write over the largest input that it is the last to read: most kernels can.
        """
        now = done | 1 << index
        dying = [
            self.sizes[storage]
            for storage in self.reads[index]
            if not self.readers[storage] & ~now and storage not in self.lasting
        ]
        made = sum(self.sizes[storage] for storage in self.writes[index])
        full = partial.alive_bytes + made - min(made, max(dying, default=0))
        alive = partial.alive_bytes + made - sum(dying)
        return _Partial(max(partial.peak_bytes, full), alive, partial, index)

    def ready_at_first(self) -> tuple[int, ...]:
        """The nodes that may run before any other, in their present order."""
        return tuple(index for index, needs in enumerate(self.needs) if not needs)

    def ready_after(self, ready: Sequence[int], done: int, index: int) -> tuple[int, ...]:
        """The nodes that may run once node `index`, one of `ready`, has run too: `done` has it."""
        freed = [node for node in self.followers[index] if not self.needs[node] & ~done]
        return tuple(sorted([*(node for node in ready if node != index), *freed]))

    def peak(self, order: Sequence[int]) -> int:
        """The bytes alive at the fullest step of an order."""
        partial, done = _Partial(self.given_bytes, self.given_bytes), 0
        for index in order:
            partial = self.after(partial, done, index)
            done |= 1 << index
        return partial.peak_bytes


_Front = dict[int, tuple[_Partial, tuple[int, ...]]]
"""By the set of nodes that have run: the best way to have run them, and what may run next."""


def _best_order(work: _Work) -> tuple[int, ...]:
    start = _Partial(work.given_bytes, work.given_bytes)
    front: _Front = {0: (start, work.ready_at_first())}
    for _ in work.needs:
        following: _Front = {}
        for done, (partial, ready) in front.items():
            for index in ready:
                grown, now = work.after(partial, done, index), done | 1 << index
                known = following.get(now)
                if known is None:
                    following[now] = grown, work.ready_after(ready, now, index)
                elif grown.peak_bytes < known[0].peak_bytes:
                    following[now] = grown, known[1]
        front = _narrowed(following)
    return next(iter(front.values()))[0].order


def _narrowed(front: _Front) -> _Front:
    if len(front) <= _WIDTH:
        return front
    ranked = sorted(front.items(), key=lambda item: _rank(item[1][0]))
    return dict(ranked[:_WIDTH])


def _rank(partial: _Partial) -> tuple[int, int]:
    return partial.peak_bytes, partial.alive_bytes


def _roots(graph: Graph) -> dict[str, str]:
    """For each activation, the tensor whose bytes it shares; what lies in a state has none."""
    kept = _in_states(graph)
    roots = {
        name: name
        for name, tensor in graph.tensors.items()
        if not tensor.is_constant and name not in kept
    }
    for node in graph.nodes:
        if isinstance(node.op, Reshape) and node.inputs[0] in roots:
            roots[node.outputs[0]] = roots[node.inputs[0]]
    return roots


def _in_states(graph: Graph) -> set[str]:
    """States, and tensors that may be views of them; they are there all the time anyway."""
    found = {tensor.name for tensor in graph.states}
    for node in graph.nodes:
        views = isinstance(node.op, (AssignState, ReadState, Reshape))
        if views and node.inputs[0] in found:
            found.add(node.outputs[0])
    return found


def _storages(
    names: Sequence[str], roots: Mapping[str, str], number: Mapping[str, int]
) -> tuple[int, ...]:
    found = dict.fromkeys(number[roots[name]] for name in names if name in roots)
    return tuple(found)


def _followers(needs: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    found: list[list[int]] = [[] for _ in needs]
    for index, mask in enumerate(needs):
        for node in _members(mask):
            found[node].append(index)
    return tuple(map(tuple, found))


def _members(mask: int) -> Iterator[int]:
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def _readers(reads: Sequence[Sequence[int]], count: int) -> tuple[int, ...]:
    masks = [0] * count
    for index, read in enumerate(reads):
        for storage in read:
            masks[storage] |= 1 << index
    return tuple(masks)


def _dependencies(graph: Graph) -> tuple[int, ...]:
    """Producers first; and all that touches state stays in its present order."""
    maker = {name: i for i, node in enumerate(graph.nodes) for name in node.outputs}
    kept, touched, needs = _in_states(graph), 0, []
    for index, node in enumerate(graph.nodes):
        mask = sum({1 << maker[name] for name in node.inputs if name in maker})
        if node.op.has_effect or not kept.isdisjoint(node.inputs):
            mask |= touched
            touched |= 1 << index
        needs.append(mask)
    return tuple(needs)
