"""Chooses for each layer its kernel, and whether it shares the kernel's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from smidgen.compiler.bands.kernels import BandKernels
from smidgen.compiler.bands.lowering import lower_bands
from smidgen.compiler.bands.op import RowBands
from smidgen.compiler.costs import CostTable, Measured, layer_key, shipped
from smidgen.compiler.objective import BALANCED, Objective
from smidgen.compiler.selection import Offer, pick, pick_within
from smidgen.compiler.sharing import COLD, Style
from smidgen.graph.graph import Graph, Node
from smidgen.graph.op import Signature
from smidgen.ops.kernel import CArray, CStruct, CValue, InputArg, Kernel, KernelCall
from smidgen.ops.registry import candidates, no_kernel
from smidgen.targets.catalogue import Core

_RIVAL = 2.0
"""Kernels that declare more than so many times the instructions of the cheapest do not compete."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a build wants: an objective, or for `flash_bytes` the most speed in so much flash.

    `flash_bytes` are for all layers together. `costs` are what is known from measuring.
    """

    objective: Objective = BALANCED
    costs: CostTable = field(default_factory=shipped)
    flash_bytes: float | None = None

    @property
    def kernels(self) -> Objective:
        """The objective that says which kernels compete: for a budget, all of them."""
        return (
            self.objective if self.flash_bytes is None else replace(self.objective, buys_speed=True)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """How a layer runs: the call, its style (None: by the rules of `sharing`), and its time."""

    call: KernelCall
    time: float
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A kernel that competes for a layer, the call that it would make, and where it is filed."""

    kernel: Kernel
    call: KernelCall
    key: str


_Menu = list[tuple[Choice, Offer]]


def choose(graph: Graph, kernels: BandKernels, wanted: Wanted) -> list[Choice]:
    """A choice for each node of `graph`, in order; raises UnsupportedOp where no kernel serves.

    `kernels` serve the layers that run in bands, and name the core. Raises DoesNotFit where the
    layers cannot be made to fit in `wanted.flash_bytes`.
    """
    menus = [_menu(graph, node, kernels, wanted) for node in graph.nodes]
    offers = [[offer for _, offer in menu] for menu in menus]
    if wanted.flash_bytes is None:
        least = sum(min(offer.time for offer in menu) for menu in offers)
        picks = pick(offers, wanted.objective.flash_share_per_kb * least / 1024)
    else:
        picks = pick_within(offers, wanted.flash_bytes)
    choices = [menu[at][0] for menu, at in zip(menus, picks, strict=True)]
    if wanted.flash_bytes is not None or not wanted.objective.shares_code:
        return choices
    return _with_code_at_hand(graph, kernels.core, wanted.objective, choices)


def _with_code_at_hand(
    graph: Graph, core: Core, objective: Objective, choices: list[Choice]
) -> list[Choice]:
    """Layers that take little time run kernels that others run anyway, where one can serve them."""
    limit = COLD * sum(each.time for each in choices)
    users = Counter(each.call.function for each in choices)
    result = []
    for node, choice in zip(graph.nodes, choices, strict=True):
        alone = users[choice.call.function] == 1 and not choice.call.is_free
        if not alone or choice.style is not None or choice.time >= limit or _in_bands(node):
            result.append(choice)
            continue
        others = rivals(graph, node, core, objective)[1:]
        able = (_declared(graph, node, core, each) for each in others)
        result.append(next((each for each in able if users[each.call.function]), choice))
    return result


def _in_bands(node: Node) -> bool:
    return isinstance(node.op, RowBands)


def _declared(graph: Graph, node: Node, core: Core, kernel: Kernel) -> Choice:
    signature = graph.signature(node)
    time = kernel.cost(node.op, signature, core).instructions
    return Choice(kernel.lower(node.op, signature, core), time)


def choose_kernel(
    graph: Graph, node: Node, core: Core, objective: Objective = BALANCED
) -> KernelCall:
    """The call of the kernel that declares the lowest price for `node` on `core`."""
    kernel = rivals(graph, node, core, objective)[0]
    return kernel.lower(node.op, graph.signature(node), core)


def rivals(graph: Graph, node: Node, core: Core, objective: Objective) -> list[Kernel]:
    """The kernels that compete for `node`, the one that declares the lowest price first.

    Raises UnsupportedOp where none serves.
    """
    signature = graph.signature(node)
    able = [each for each in candidates(node.op, signature, core) if objective.offers(each)]
    if not able:
        raise no_kernel(node.name, node.op, signature)
    costs = {each.name: each.cost(node.op, signature, core) for each in able}
    able.sort(key=lambda each: objective.price(costs[each.name]))
    limit = _RIVAL * costs[able[0].name].instructions
    return [able[0], *(each for each in able[1:] if costs[each.name].instructions <= limit)]


def ways(graph: Graph, node: Node, core: Core, objective: Objective) -> list[Way]:
    """How `node` might run, the way that its kernel says is the cheapest first."""
    return [
        _way(graph, node, core, kernel, objective)
        for kernel in rivals(graph, node, core, objective)
    ]


def _way(graph: Graph, node: Node, core: Core, kernel: Kernel, objective: Objective) -> Way:
    signature = graph.signature(node)
    call = kernel.lower(node.op, signature, core)
    key = layer_key(core, objective.compiler_flag, node.op, signature, kernel, call)
    return Way(kernel, call, key)


def _menu(graph: Graph, node: Node, kernels: BandKernels, wanted: Wanted) -> _Menu:
    """What was measured of all that compete, or else what the cheapest declares.

    Layers in bands become a loop of calls, any other node one call.
    """
    if isinstance(node.op, RowBands):
        banded = lower_bands(node.op, kernels)
        time = banded.loop.expected_instructions
        return [(Choice(banded, time), Offer(time))]
    core = kernels.core
    able = rivals(graph, node, core, wanted.kernels)
    first = able[0].lower(node.op, graph.signature(node), core)
    if not first.is_free and wanted.costs:
        found = (_way(graph, node, core, kernel, wanted.objective) for kernel in able)
        menu = _measured(found, wanted.costs, graph.signature(node))
        if menu:
            return menu
    cost = able[0].cost(node.op, graph.signature(node), core)
    return [(Choice(first, cost.instructions), Offer(cost.instructions, cost.flash_bytes))]


def _measured(found: Iterable[Way], costs: CostTable, signature: Signature) -> _Menu:
    """Every style of every way; nothing where some way was not measured."""
    menu: _Menu = []
    for way in found:
        if way.key not in costs:
            return []
        tables = table_bytes(way.call, signature)
        menu += [_entry(way, costs[way.key], style, tables) for style in Style]
    return menu


def _entry(way: Way, measured: Measured, style: Style, tables: int) -> tuple[Choice, Offer]:
    run = measured.runs[style]
    functions = dict(measured.support)
    if style is not Style.OWN:
        functions[f"{style.value} {way.call.function}"] = run.shared_bytes
    return Choice(way.call, run.time, style), Offer(run.time, run.layer_bytes + tables, functions)


def table_bytes(call: KernelCall, signature: Signature) -> int:
    """Flash that constant tables of a call take: those of its parameters, and its inputs."""
    read = [signature.input(each.index) for each in call.arguments if isinstance(each, InputArg)]
    return _tables(call.params) + sum(tensor.nbytes for tensor in read if tensor.is_constant)


def _tables(value: CValue) -> int:
    if isinstance(value, CStruct):
        return sum(_tables(each) for _, each in value.fields)
    return value.dtype.nbytes(value.data.size) if isinstance(value, CArray) else 0
