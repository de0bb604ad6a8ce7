"""The arena planner, against an independent check of its plans and against all plans there are."""

from __future__ import annotations

from itertools import combinations, product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.compiler.memory.planner import Allowance, Buffer, plan_memory


def may_share(a: Buffer, at: int, b: Buffer, there: int, rules: list[Allowance]) -> bool:
    """Whether a rule lets buffers that meet share bytes at these offsets."""
    for rule in rules:
        if (rule.target, rule.source) == (a.name, b.name):
            distance = at - there
        elif (rule.target, rule.source) == (b.name, a.name):
            distance = there - at
        else:
            continue
        if rule.ahead is not None and distance <= rule.ahead:
            return True
        if rule.behind is not None and distance >= rule.behind:
            return True
        if rule.in_place and distance == 0:
            return True
    return False


def is_legal(buffers, rules, offsets) -> bool:
    for a, b in combinations(buffers, 2):
        in_time = not (a.last < b.first or b.last < a.first)
        at, there = offsets[a.name], offsets[b.name]
        shared = set(range(at, at + a.nbytes)) & set(range(there, there + b.nbytes))
        if in_time and shared and not may_share(a, at, b, there, rules):
            return False
    return True


def verify(buffers, rules, plan, alignment) -> None:
    assert all(plan.offsets[b.name] % alignment == 0 <= plan.offsets[b.name] for b in buffers)
    ends = [plan.offsets[b.name] + b.nbytes for b in buffers]
    assert max(ends, default=0) <= plan.arena_bytes
    assert plan.arena_bytes % alignment == 0
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert is_legal(buffers, rules, plan.offsets)


def least_arena(buffers, rules, alignment) -> int:
    """The smallest arena, by trying every offset of every buffer."""
    total = sum(-(-b.nbytes // alignment) * alignment for b in buffers)
    for arena in range(0, total + 1, alignment):
        if fits(list(buffers), rules, alignment, arena, {}, []):
            return arena
    raise AssertionError("stacking everything is a plan")


def fits(left, rules, alignment, arena, offsets, placed) -> bool:
    if not left:
        return True
    buffer = left[0]
    for at in range(0, arena - buffer.nbytes + 1, alignment):
        trial = {**offsets, buffer.name: at}
        pairs = [[buffer, other] for other in placed]
        if all(is_legal(pair, rules, trial) for pair in pairs) and fits(
            left[1:], rules, alignment, arena, trial, [*placed, buffer]
        ):
            return True
    return False


@st.composite
def problems(
    draw,
    most: int,
    largest: int,
    lowest_ahead: int = -4,
    highest_ahead: int = 2,
    in_place: bool = True,
):
    steps = draw(st.integers(1, 5))
    buffers = []
    for index in range(draw(st.integers(1, most))):
        first = draw(st.integers(0, steps))
        last = draw(st.integers(first, steps))
        buffers.append(Buffer(f"b{index}", draw(st.integers(0, largest)), first, last))
    # A buffer of one step is an input or an output of that step's node, and not both.
    outputs = {b.name for b in buffers if b.first < b.last or draw(st.booleans())}
    inputs = {b.name for b in buffers if b.first < b.last or b.name not in outputs}
    rules = []
    joined: set[str] = set()
    for target, source in product(buffers, buffers):
        fits = target.name in outputs and source.name in inputs and target.first == source.last
        if target is not source and fits and draw(st.booleans()):
            ahead = draw(st.none() | st.integers(lowest_ahead, highest_ahead))
            behind = draw(st.none() | st.integers(-highest_ahead, -lowest_ahead))
            # Two outputs that both lie where one input does would destroy each other, so no kernel
            # has more than one in place of an input.
            same = in_place and source.name not in joined and draw(st.booleans())
            joined.update({source.name} if same else ())
            rules.append(Allowance(target.name, source.name, ahead, behind, same))
    return buffers, rules


@settings(max_examples=150, deadline=None)
@given(problems(most=5, largest=4), st.sampled_from([1, 2]))
def test_bound_is_never_above_the_least_arena(problem, alignment):
    buffers, rules = problem
    plan = plan_memory(buffers, rules, alignment)
    verify(buffers, rules, plan, alignment)
    assert plan.lower_bound_bytes <= least_arena(buffers, rules, alignment) <= plan.arena_bytes


@settings(max_examples=150, deadline=None)
@given(problems(most=5, largest=4, in_place=False), st.sampled_from([1, 2]))
def test_small_problems_are_solved_exactly_and_proven(problem, alignment):
    buffers, rules = problem
    plan = plan_memory(buffers, rules, alignment)
    least = least_arena(buffers, rules, alignment)
    assert plan.arena_bytes == plan.lower_bound_bytes == least
    assert plan.gap_bytes == 0


@settings(max_examples=40, deadline=None)
@given(problems(most=24, largest=60, lowest_ahead=-20, highest_ahead=6), st.sampled_from([1, 8]))
def test_plans_of_larger_problems_are_legal(problem, alignment):
    buffers, rules = problem
    verify(buffers, rules, plan_memory(buffers, rules, alignment), alignment)


@settings(max_examples=150, deadline=None)
@given(problems(most=5, largest=4, highest_ahead=0), st.sampled_from([1, 2]))
def test_small_problems_with_joins_are_solved_exactly(problem, alignment):
    buffers, rules = problem
    plan = plan_memory(buffers, rules, alignment)
    assert plan.arena_bytes == least_arena(buffers, rules, alignment)


def network(nodes: int, seed: int) -> tuple[list[Buffer], list[Allowance]]:
    """A network with skips: node i makes buffer i, read by node i + 1 and some by a later one."""
    random = Random(seed)
    buffers, rules = [], []
    for index in range(nodes):
        last = index + (1 if random.random() < 0.7 else random.randrange(2, 6))
        buffers.append(Buffer(f"b{index}", random.randrange(8, 4000), index, last))
        for other in buffers[:-1]:
            if other.last == index and random.random() < 0.7:
                ahead = None if random.random() < 0.3 else -random.randrange(0, 300)
                rules.append(Allowance(f"b{index}", other.name, ahead, None, ahead is None))
    return buffers, rules


def test_a_large_network_gets_a_near_best_plan():
    for seed in range(3):
        buffers, rules = network(100, seed)
        plan = plan_memory(buffers, rules, 8)
        verify(buffers, rules, plan, 8)
        assert plan.arena_bytes <= 1.1 * plan.lower_bound_bytes


def test_the_same_buffers_get_the_same_plan():
    buffers, rules = network(60, 7)
    first = plan_memory(buffers, rules, 8)
    assert all(plan_memory(buffers, rules, 8) == first for _ in range(2))


def test_a_chain_that_runs_in_place_needs_its_largest_layer_only():
    sizes = [64, 512, 512, 2048, 1024, 16]
    buffers = [Buffer(f"b{i}", size, i, i + 1) for i, size in enumerate(sizes)]
    rules = [
        Allowance(f"b{i + 1}", f"b{i}", min(0, sizes[i] - sizes[i + 1]), None)
        for i in range(len(sizes) - 1)
    ]
    plan = plan_memory(buffers, rules, 8)
    assert plan.arena_bytes == plan.lower_bound_bytes == 2048


def test_nothing_needs_nothing():
    plan = plan_memory([], [], 8)
    assert (plan.arena_bytes, plan.lower_bound_bytes, dict(plan.offsets)) == (0, 0, {})
