"""The kernels that serve a layer's bands; kept, since many ways to split a network share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smidgen.compiler.bands.extents import Kind, Work
from smidgen.compiler.objective import Objective
from smidgen.graph.graph import Node
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.ops.registry import candidates
from smidgen.targets.catalogue import Core


@dataclass(frozen=True, slots=True, eq=False)
class BandShape:
    """A layer as some of its bands have it, and what each kernel that serves it costs there."""

    op: Op
    signature: Signature
    costs: Mapping[Kernel, Cost]


@dataclass(slots=True)
class BandKernels:
    """Finds kernels for bands on one core, under one objective."""

    core: Core
    objective: Objective
    _shapes: dict[tuple[str, Kind], BandShape] = field(default_factory=dict)
    _whole: dict[str, float] = field(default_factory=dict)
    _calls: dict[tuple[BandShape, Kernel], KernelCall] = field(default_factory=dict)

    def shape(self, node: Node, work: Work, whole: Signature) -> BandShape:
        """The shape of `work`, and its kernels; `whole` are the operands of the node."""
        known = self._shapes.get((node.name, work.kind))
        if known is None:
            known = self._examined(work.op, work.signature(whole))
            self._shapes[node.name, work.kind] = known
        return known

    def call(self, kernel: Kernel, shape: BandShape) -> KernelCall:
        """The call of `kernel` for `shape`."""
        known = self._calls.get((shape, kernel))
        if known is None:
            known = kernel.lower(shape.op, shape.signature, self.core)
            self._calls[shape, kernel] = known
        return known

    def whole_instructions(self, node: Node, whole: Signature) -> float:
        """What the cheapest kernel is expected to take for a node that is not in bands."""
        if node.name not in self._whole:
            costs = self._examined(node.op, whole).costs.values()
            cheapest = min(costs, key=self.objective.price)
            self._whole[node.name] = cheapest.instructions
        return self._whole[node.name]

    def _examined(self, op: Op, signature: Signature) -> BandShape:
        offered = filter(self.objective.offers, candidates(op, signature, self.core))
        costs = {kernel: kernel.cost(op, signature, self.core) for kernel in offered}
        return BandShape(op, signature, costs)
