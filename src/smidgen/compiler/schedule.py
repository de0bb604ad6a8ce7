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
    partial, found = _Partial(0, (), work.given_bytes), []
    for index in range(len(graph.nodes)):
        partial = work.after(replace(partial, peak_bytes=0), done, index)
        found.append(partial.peak_bytes)
        done |= 1 << index
    return found


@dataclass(frozen=True, slots=True)
class _Partial:
    """A way to run some of the nodes: the fullest step, the order so far, bytes alive after it."""

    peak_bytes: int
    order: tuple[int, ...]
    alive_bytes: int


@dataclass(frozen=True, slots=True)
class _Work:
    """What the search asks of a graph; sets of nodes are bit masks."""

    needs: tuple[int, ...]
    """For each node those that must run before it."""
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
        return _Work(
            needs=_dependencies(graph),
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
        return _Partial(
            max(partial.peak_bytes, full),
            (*partial.order, index),
            partial.alive_bytes + made - sum(dying),
        )

    def ready(self, done: int) -> Iterator[int]:
        """The nodes that may run next, in their present order."""
        for index, needs in enumerate(self.needs):
            if not done >> index & 1 and not needs & ~done:
                yield index

    def peak(self, order: Sequence[int]) -> int:
        """The bytes alive at the fullest step of an order."""
        partial, done = _Partial(self.given_bytes, (), self.given_bytes), 0
        for index in order:
            partial = self.after(partial, done, index)
            done |= 1 << index
        return partial.peak_bytes


def _best_order(work: _Work) -> tuple[int, ...]:
    front = {0: _Partial(work.given_bytes, (), work.given_bytes)}
    for _ in work.needs:
        following: dict[int, _Partial] = {}
        for done, partial in front.items():
            for index in work.ready(done):
                grown, now = work.after(partial, done, index), done | 1 << index
                known = following.get(now)
                if known is None or grown.peak_bytes < known.peak_bytes:
                    following[now] = grown
        front = _narrowed(following)
    return next(iter(front.values())).order


def _narrowed(front: dict[int, _Partial]) -> dict[int, _Partial]:
    if len(front) <= _WIDTH:
        return front
    ranked = sorted(front.items(), key=lambda item: (item[1].peak_bytes, item[1].alive_bytes))
    return dict(ranked[:_WIDTH])


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
