"""The nodes that a model's outputs need, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.frontends.onnx.model import OnnxModel, OnnxNode

MAX_NODES = 2048
"""Nodes of one model; those for microcontrollers have some hundreds at most."""

Readers = dict[str, int]
"""How many nodes and outputs of the model read each name."""


def checked_order(model: OnnxModel) -> list[OnnxNode]:
    """The needed nodes, each after those that it reads; raises ModelFileError for cycles."""
    if len(model.nodes) > MAX_NODES:
        raise UnsupportedOp(
            model.file,
            f"has {len(model.nodes)} nodes",
            f"models of up to {MAX_NODES} nodes are taken",
        )
    producers = _producers(model)
    ready = {"", *model.constants, *(port.name for port in model.inputs)}
    ordered: list[OnnxNode] = []
    state: dict[int, bool] = {}
    for port in model.outputs:
        _visit(model, port.name, producers, ready, state, ordered)
    return ordered


def _producers(model: OnnxModel) -> dict[str, OnnxNode]:
    producers: dict[str, OnnxNode] = {}
    for node in model.nodes:
        for name in filter(None, node.outputs):
            if name in producers:
                raise ModelFileError(model.file, f"two nodes compute {name!r}", "export it again")
            producers[name] = node
    return producers


def _visit(
    model: OnnxModel,
    wanted: str,
    producers: dict[str, OnnxNode],
    ready: set[str],
    state: dict[int, bool],
    ordered: list[OnnxNode],
) -> None:
    """Append what computes `wanted`, depth first; `state` says which nodes are begun and done."""
    pending: list[tuple[str, bool]] = [(wanted, False)]
    while pending:
        name, finished = pending.pop()
        node = producers.get(name)
        if name in ready:
            continue
        if node is None:
            raise ModelFileError(model.file, f"nothing computes {name!r}", "export it again")
        if finished:
            ordered.append(node)
            ready.update(node.outputs)
            continue
        if id(node) in state:
            raise ModelFileError(model.file, f"{node} depends on itself", "export it again")
        state[id(node)] = True
        pending.append((name, True))
        pending.extend((source, False) for source in _needs(node) if source not in ready)


def _needs(node: OnnxNode) -> list[str]:
    """What must be there before `node` runs, last input first."""
    own = set(node.makes)
    return [*reversed(node.inputs)] if not own else [n for n in node.reads if n not in own]


def readers_of(nodes: Sequence[OnnxNode], model: OnnxModel) -> Readers:
    """How often each name is read."""
    readers: Readers = {}
    for node in nodes:
        for name in filter(None, node.reads):
            readers[name] = readers.get(name, 0) + 1
    for port in model.outputs:
        readers[port.name] = readers.get(port.name, 0) + 1
    return readers
