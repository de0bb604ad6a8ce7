"""From layers in bands to a loop of calls: kernels for the shapes of each band, and row buffers.

A row buffer holds the rows of one tensor that a band needs: first those that were kept, then those
that are new. What carries rows from band to band lives as long as the loop; everything else may
share bytes as tensors do. The arena's planner places them all, in the scratch memory of the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from smidgen.compiler.bands.call import BandedCall, BandLoop, BandStep, Case, Keep, Pointer, Turns
from smidgen.compiler.bands.extents import BandPlan, Work
from smidgen.compiler.bands.kernels import BandKernels, BandShape
from smidgen.compiler.bands.op import RowBands
from smidgen.compiler.memory.buffers import Allowance, Buffer
from smidgen.compiler.memory.planner import plan_memory
from smidgen.compiler.memory.storage import moved, scratch_name, strictest
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import Kernel, KernelCall, Overlap
from smidgen.ops.registry import no_kernel

_CALL_INSTRUCTIONS = 40.0
"""What calling one layer for one band costs beside its kernel."""
_MOVED_BYTE_INSTRUCTIONS = 0.5


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer and its call in each band; None where a band has nothing for it to do."""

    node: Node
    works: tuple[Work | None, ...]
    calls: tuple[KernelCall | None, ...]
    instructions: float

    def busy(self) -> Iterator[tuple[int, Work, KernelCall]]:
        """The bands that have something to do."""
        for band, (work, call) in enumerate(zip(self.works, self.calls, strict=True)):
            if work is not None and call is not None:
                yield band, work, call


def lower_bands(op: RowBands, kernels: BandKernels) -> BandedCall:
    """The loop for `op`; raises UnsupportedOp where no kernel serves a layer's bands."""
    plan = op.plan
    layers = [_layer(plan, node, kernels) for node in op.body.nodes]
    alignment = kernels.core.arena_alignment_bytes
    quick = _call(op, plan, layers, alignment)
    if not any(call.frugal for layer in layers for _, _, call in layer.busy()):
        return quick
    saving = _call(op, plan, [_frugal(layer) for layer in layers], alignment)
    return replace(quick, frugal=saving) if saving.scratch_bytes < quick.scratch_bytes else quick


def least_scratch_bytes(plan: BandPlan) -> int:
    """What row buffers need whatever the kernels: those of the fullest layer, one over another."""
    rows = _Buffers.of(plan).rows()
    fullest = 0
    for step in range(len(plan.body.nodes)):
        alive = [each for each in rows if each.first <= step <= each.last]
        begins = [each.nbytes for each in alive if each.first == step != each.last]
        ends = [each.nbytes for each in alive if each.last == step != each.first]
        shared = min(max(begins, default=0), max(ends, default=0))
        fullest = max(fullest, sum(each.nbytes for each in alive) - shared)
    return fullest


def _layer(plan: BandPlan, node: Node, kernels: BandKernels) -> _Layer:
    """One kernel for all bands of a node: the cheapest of those that serve each of them."""
    works = tuple(plan.work(node, band) for band in range(plan.bands))
    counts = Counter(work.kind for work in works if work is not None)
    whole = plan.body.signature(node)
    shapes = {work.kind: kernels.shape(node, work, whole) for work in works if work is not None}
    kernel = _cheapest(node, [(shapes[kind], count) for kind, count in counts.items()], kernels)
    calls = {kind: kernels.call(kernel, shape) for kind, shape in shapes.items()}
    instructions = sum(
        count * (shapes[kind].costs[kernel].instructions + _CALL_INSTRUCTIONS)
        for kind, count in counts.items()
    )
    chosen = tuple(None if work is None else calls[work.kind] for work in works)
    return _Layer(node, works, chosen, instructions)


def _cheapest(node: Node, shapes: Sequence[tuple[BandShape, int]], kernels: BandKernels) -> Kernel:
    first, _ = shapes[0]
    able = [kernel for kernel in first.costs if all(kernel in shape.costs for shape, _ in shapes)]
    if not able:
        raise no_kernel(node.name, first.op, first.signature)
    price = kernels.objective.price
    return min(able, key=lambda k: sum(count * price(shape.costs[k]) for shape, count in shapes))


def _frugal(layer: _Layer) -> _Layer:
    return replace(layer, calls=tuple(call and (call.frugal or call) for call in layer.calls))


def _call(op: RowBands, plan: BandPlan, layers: Sequence[_Layer], alignment: int) -> BandedCall:
    buffers = _Buffers.of(plan)
    wanted = [*buffers.rows(), *_scratches(layers)]
    placed = plan_memory(wanted, _allowances(buffers, layers), alignment)
    keeps = tuple(keep for name in buffers.spans for keep in _keeps(buffers, name))
    loop = BandLoop(
        op.body,
        plan.bands,
        op.pace,
        tuple(
            BandStep(each.node, _cases(buffers, each), placed.offsets.get(scratch_name(each.node)))
            for each in layers
        ),
        keeps,
        {name: placed.offsets[name] for name in buffers.spans},
        {buffer.name: buffer.nbytes for buffer in buffers.rows()},
        sum(layer.instructions for layer in layers),
    )
    loop = replace(
        loop,
        expected_instructions=loop.expected_instructions
        + _MOVED_BYTE_INSTRUCTIONS * loop.moved_bytes,
    )
    return BandedCall(
        kernel="row_bands",
        function="bands",
        scratch_bytes=placed.arena_bytes,
        overlaps=tuple(_overlap(plan, index) for index in range(len(op.body.inputs))),
        loop=loop,
    )


@dataclass(frozen=True, slots=True)
class _Buffers:
    """The row buffers: tensors that are made and read inside; and from which layer to which."""

    plan: BandPlan
    spans: Mapping[str, tuple[int, int]]

    @staticmethod
    def of(plan: BandPlan) -> _Buffers:
        """From its maker to its last reader; all the time where rows are carried."""
        body, spans = plan.body, {}
        number = {node.name: index for index, node in enumerate(body.nodes)}
        for index, node in enumerate(body.nodes):
            (name,) = node.outputs
            if name in body.outputs:
                continue
            carried = any(plan.carried_rows(name, band) for band in range(plan.bands))
            last = max(number[reader.name] for reader in body.consumers[name])
            spans[name] = (0, len(body.nodes)) if carried else (index, last)
        return _Buffers(plan, spans)

    def rows(self) -> list[Buffer]:
        """Each as large as the most rows that it holds at a time."""
        return [
            Buffer(name, self.plan.held_rows(name) * row_bytes(self.plan.body, name), *span)
            for name, span in self.spans.items()
        ]

    def start(self, name: str, row: int, band: int) -> int:
        """The bytes from the start of a tensor or its buffer to `row`, in `band`."""
        held_from = self.plan.kept[name][band] if name in self.spans else 0
        return (row - held_from) * row_bytes(self.plan.body, name)


def row_bytes(graph: Graph, name: str) -> int:
    """The bytes of one row of a tensor."""
    tensor = graph.tensors[name]
    return tensor.nbytes // tensor.shape[1]


def _scratches(layers: Sequence[_Layer]) -> Iterator[Buffer]:
    for step, layer in enumerate(layers):
        most = max(call.scratch_bytes for _, _, call in layer.busy())
        if most:
            yield Buffer(scratch_name(layer.node), most, step, step)


def _allowances(buffers: _Buffers, layers: Sequence[_Layer]) -> list[Allowance]:
    """How row buffers may overlap: as the calls of every band allow it."""
    found = []
    for step, layer in enumerate(layers):
        (target,) = layer.node.outputs
        for source in dict.fromkeys(layer.node.inputs):
            ends_here = source in buffers.spans and buffers.spans[source][1] == step
            if ends_here and target in buffers.spans and buffers.spans[target][0] == step:
                found += _allowance(buffers, layer, target, source)
    return found


def _allowance(buffers: _Buffers, layer: _Layer, target: str, source: str) -> list[Allowance]:
    rules = []
    for band, work, call in layer.busy():
        shift = buffers.start(source, work.read[0], band) - buffers.start(
            target, work.made[0], band
        )
        for index, name in enumerate(layer.node.inputs):
            if name == source:
                legal = [o for o in call.overlaps if (o.output, o.input) == (0, index)]
                if not legal:
                    return []
                rules.append(moved(legal[0], target, source, shift))
    return [strictest(rules)]


def _overlap(plan: BandPlan, index: int) -> Overlap:
    """How far the output may reach into input `index`: to rows that no later band reads."""
    body = plan.body
    name, (output,) = body.inputs[index], body.outputs
    row, made_row, size = (
        row_bytes(body, name), row_bytes(body, output), body.tensors[name].shape[1],
    )  # fmt: skip
    last_reads = name in body.nodes[-1].inputs
    ahead = 2 * (body.tensors[name].nbytes + body.tensors[output].nbytes)
    for band in range(plan.bands):
        unread = plan.kept[name][band if last_reads else band + 1]
        if unread < size and plan.made[output][band]:
            ahead = min(ahead, unread * row - plan.made[output][band] * made_row)
    return Overlap(0, index, ahead=ahead)


def _cases(buffers: _Buffers, layer: _Layer) -> tuple[Case, ...]:
    cases: list[Case] = []
    for band, work, call in layer.busy():
        inputs = tuple(_pointer(buffers, name, work, band) for name in layer.node.inputs)
        (name,) = layer.node.outputs
        output = Pointer(name, buffers.start(name, work.made[0], band))
        longer = _extended(cases[-1], band, call, inputs, output) if cases else None
        if longer is None:
            cases.append(Case(Turns(band, band), call, inputs, output))
        else:
            cases[-1] = longer
    return tuple(cases)


def _pointer(buffers: _Buffers, name: str, work: Work, band: int) -> Pointer | None:
    """Where an input starts; None for a constant, or one that is left out."""
    if not name or buffers.plan.body.tensors[name].is_constant:
        return None
    return Pointer(name, buffers.start(name, work.read[0], band))


def _extended(
    case: Case,
    band: int,
    call: KernelCall,
    inputs: tuple[Pointer | None, ...],
    output: Pointer,
) -> Case | None:
    """`case` with one more band; None where that is not called like the bands of the case."""
    turns = case.turns.followed_by(band)
    if turns is None or case.call is not call:
        return None
    between = turns.count - 1
    *moved_inputs, moved_output = (
        _stepping(before, now, between)
        for before, now in [*zip(case.inputs, inputs, strict=True), (case.output, output)]
    )
    uneven = any(a is not None and b is None for a, b in zip(inputs, moved_inputs, strict=True))
    if uneven or moved_output is None:
        return None
    return Case(turns, call, tuple(moved_inputs), moved_output)


def _stepping(before: Pointer | None, now: Pointer | None, between: int) -> Pointer | None:
    """`before` with the step that leads to `now`, `between` turns later; None where none does."""
    if before is None or now is None:
        return None
    step = now.offset - before.offset if between == 1 else before.step
    return replace(before, step=step) if now.offset == before.offset + between * step else None


def _keeps(buffers: _Buffers, name: str) -> Iterator[Keep]:
    """The moves that bring kept rows to the start of their buffer, those alike as one."""
    plan, row = buffers.plan, row_bytes(buffers.plan.body, name)
    keeps: list[Keep] = []
    for band in range(plan.bands - 1):
        dropped = plan.kept[name][band + 1] - plan.kept[name][band]
        carried = plan.carried_rows(name, band)
        if dropped and carried:
            keep = Keep(Turns(band, band), name, dropped * row, carried * row)
            turns = keeps[-1].turns.followed_by(band) if keeps else None
            if turns is not None and replace(keep, turns=keeps[-1].turns) == keeps[-1]:
                keep = replace(keep, turns=turns)
                keeps.pop()
            keeps.append(keep)
    yield from keeps
