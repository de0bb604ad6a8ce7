"""From an optimised graph to a program: a kernel for each node, and a place for each tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smidgen.compiler.memory.buffers import Buffer
from smidgen.compiler.memory.offers import take_offers
from smidgen.compiler.memory.planner import MemoryPlan, plan_memory
from smidgen.compiler.memory.storage import Schedule, Storage, assign_storage, scratch_name
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall
from smidgen.ops.registry import candidates, no_kernel
from smidgen.targets.catalogue import Core


@dataclass(frozen=True, slots=True)
class Step:
    """One node, the call that runs it, and where its scratch memory lies (None without any)."""

    node: Node
    call: KernelCall
    scratch_offset: int | None


@dataclass(frozen=True, slots=True)
class Program:
    """What the C writer needs: steps in order, and the arena offset of every tensor.

    `buffers` are what the arena holds, views merged, each with its offset; they live from step to
    step, where -1 is before the run and the number of steps is after it.
    """

    graph: Graph
    steps: tuple[Step, ...]
    offsets: Mapping[str, int]
    buffers: tuple[tuple[Buffer, int], ...]
    arena_bytes: int
    lower_bound_bytes: int


def build_program(graph: Graph, core: Core) -> Program:
    """Choose kernels, merge views, plan the arena; raises UnsupportedOp where no kernel serves."""
    given = [(node, choose_kernel(graph, node, core)) for node in graph.nodes]
    schedule, storage, plan = _laid_out(graph, given, core)
    steps = tuple(Step(node, call, plan.offsets.get(scratch_name(node))) for node, call in schedule)
    return Program(
        graph,
        steps,
        _tensor_offsets(storage, plan),
        tuple((buffer, plan.offsets[buffer.name]) for buffer in storage.buffers),
        plan.arena_bytes,
        plan.lower_bound_bytes,
    )


def _laid_out(graph: Graph, given: Schedule, core: Core) -> tuple[Schedule, Storage, MemoryPlan]:
    """The schedule with the offers of its kernels taken, unless it needs less memory without."""
    plain = _planned(graph, given, core)
    if not any(call.offers for _, call in given):
        return plain
    joined = _planned(graph, take_offers(graph, given), core)
    return min(joined, plain, key=lambda result: result[2].arena_bytes)


def _planned(graph: Graph, schedule: Schedule, core: Core) -> tuple[Schedule, Storage, MemoryPlan]:
    storage = assign_storage(graph, schedule)
    plan = plan_memory(storage.buffers, storage.allowances, core.arena_alignment_bytes)
    return schedule, storage, plan


def choose_kernel(graph: Graph, node: Node, core: Core) -> KernelCall:
    """The call of the kernel with the least expected instructions for `node` on `core`."""
    signature = graph.signature(node)
    able = candidates(node.op, signature, core)
    if not able:
        raise no_kernel(node.name, node.op, signature)
    best = min(able, key=lambda kernel: kernel.cost(node.op, signature, core).instructions)
    return best.lower(node.op, signature, core)


def _tensor_offsets(storage: Storage, plan: MemoryPlan) -> dict[str, int]:
    return {
        name: plan.offsets[place.buffer] + place.offset
        for name, place in storage.places.items()
        if place.buffer in plan.offsets
    }
