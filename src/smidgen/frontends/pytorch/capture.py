"""From PyTorch to a graph: the two entrances of this frontend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from smidgen.core.errors import MissingExtra, UnsupportedOp
from smidgen.frontends.layout import Layout, NeedsTransposition
from smidgen.frontends.onnx.integers import tidy_quantized
from smidgen.frontends.pytorch.lowering import LayoutRule, Lowered, is_known, lower
from smidgen.frontends.pytorch.naming import named_after_producers
from smidgen.frontends.rewrites import REWRITES, rewritten, without_dead
from smidgen.graph.check import check
from smidgen.graph.graph import Graph

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.export import ExportedProgram

_MOST_DECOMPOSITIONS = 4
"""Operators are written out in others, and those in others, so many times at most."""


def from_module(
    module: nn.Module, example_inputs: Sequence[torch.Tensor], name: str = "model"
) -> Graph:
    """The float32 graph of `module` at inference; see `from_exported` for layouts and errors.

    `example_inputs` fix the shapes; of a batch only the first example is kept, so that the graph
    has a batch of 1: of all inputs whose first axis is as long as that of the first. A module that
    has its batch elsewhere is exported by `torch.export.export` for `from_exported`. The module's
    training flags are left as they were.
    """
    if find_spec("torch") is None:
        raise MissingExtra("torch", "train", "reading PyTorch modules")
    from torch.export import export  # noqa: PLC0415 - PyTorch is an extra

    batch = example_inputs[0].shape[:1] if example_inputs else None
    single = tuple(x[:1] if x.shape[:1] == batch else x for x in example_inputs)
    with _evaluating(module), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, about its own internals
        program = export(module, single)
    return from_exported(program, name)


def from_exported(program: ExportedProgram, name: str = "model") -> Graph:
    """The graph, in NHWC, of what `torch.export.export` made.

    Layout rule: an input [N, C, ...] of three axes or more becomes [N, ..., C]: images [N, C, H, W]
    become [N, H, W, C], series [N, C, T] become [N, T, C]; inputs of one or two axes stay. Only a
    model that needs its input the other way round (it transposes [N, T, C] itself, or multiplies
    its last axis) keeps it as it is. Outputs are laid out by the same rule, or as PyTorch has them
    where they lie so in memory (the channels were reduced, or moved last). Inside, 1-D layers run
    over [N, T, 1, C]. Permutations go into the order of the weights; elements are moved in memory
    only where a model cannot do without, and then with the layout of inputs that moves fewer.
    Inputs that are whole numbers become int32.

    Batch normalisation and constant factors are folded into the layers around them, and relu,
    relu6 and hardtanh are fused into the layer before. A program that was quantised by PyTorch
    (pt2e: quantize and dequantize around operators) becomes ops on int8 quanta.

    Raises UnsupportedOp, naming the aten operator and the module, for what cannot be expressed,
    and UnsupportedType for inputs that are not floats or have dynamic shapes.
    """
    functional = _expressible(_functional(program))
    best = _lowered(functional, name, Layout.channels_last)
    if best.scope.moved_elements:
        with suppress(UnsupportedOp):
            other = _lowered(functional, name, Layout.of)
            best = min(best, other, key=lambda lowered: lowered.scope.moved_elements)
    return _tidied(best)


def _lowered(program: ExportedProgram, name: str, rule: LayoutRule) -> Lowered:
    """The graph with inputs laid out by `rule`; elements are moved only where they must be."""
    try:
        return lower(program, name, rule)
    except NeedsTransposition:
        return lower(program, name, rule, may_move=True)


def _tidied(lowered: Lowered) -> Graph:
    graph = without_dead(lowered.graph)
    if lowered.has_quanta:
        return tidy_quantized(graph, lowered.scope.units)
    tidied = rewritten(graph, REWRITES, "pytorch")
    return check(named_after_producers(tidied), after="pytorch names")


def _functional(program: ExportedProgram) -> ExportedProgram:
    """`program` without operators that write into their arguments."""
    targets = (getattr(node.target, "_schema", None) for node in program.graph.nodes)
    if not any(schema is not None and schema.is_mutable for schema in targets):
        return program
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, about its own internals
        functional: ExportedProgram = program.run_decompositions({})
        return functional


def _expressible(program: ExportedProgram) -> ExportedProgram:
    """`program` with operators that this frontend does not know written out in others."""
    from torch.export import default_decompositions  # noqa: PLC0415 - PyTorch is an extra

    for _ in range(_MOST_DECOMPOSITIONS):
        unknown = {
            node.target
            for node in program.graph.nodes
            if node.op == "call_function" and not is_known(str(node.target))
        }
        table = default_decompositions() if unknown else {}
        chosen = {target: table[target] for target in unknown if target in table}
        if not chosen:
            break
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's own, about its own internals
            program = program.run_decompositions(chosen)
    return program


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """`module` and all its parts in eval mode, and back."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True
