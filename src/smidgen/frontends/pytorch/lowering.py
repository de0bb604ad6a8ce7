"""Walks an exported program, and has each aten operator lowered by the function in the table."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedOp, UnsupportedType
from smidgen.frontends.layout import Layout
from smidgen.frontends.pytorch.call import Call, Scope, Value, identifier
from smidgen.frontends.pytorch.convolution import CONVOLUTIONS
from smidgen.frontends.pytorch.dense import PRODUCTS
from smidgen.frontends.pytorch.elementwise import ELEMENTWISE
from smidgen.frontends.pytorch.pooling import POOLS
from smidgen.frontends.pytorch.shaping import SHAPING
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph

if TYPE_CHECKING:
    import torch
    import torch.fx
    from torch.export import ExportedProgram

LOWERINGS: Mapping[str, Callable[[Call], Value]] = {
    **CONVOLUTIONS,
    **PRODUCTS,
    **POOLS,
    **ELEMENTWISE,
    **SHAPING,
}
"""How each aten overload becomes graph; a new operator is one function and one entry."""

LayoutRule = Callable[[tuple[int, ...]], Layout]
"""Says how a graph input of some logical shape lies in memory."""

Environment = dict["torch.fx.Node", Any]
"""What each node of the program stands for: a `Value`, or a torch constant."""


def lower(program: ExportedProgram, name: str, input_layout: LayoutRule) -> Graph:
    """The unoptimised graph of `program`, with its inputs laid out by `input_layout`."""
    scope = Scope(GraphBuilder(name))
    known: Environment = {}
    _bind_placeholders(program, known, scope, input_layout)
    for node in program.graph.nodes:
        if node.op == "call_function":
            _lower_call(node, known, scope)
    by_name = {node.name: value for node, value in known.items()}
    results = [by_name.get(str(output)) for output in program.graph_signature.user_outputs]
    return scope.builder.finish([_result(scope, value, i) for i, value in enumerate(results)])


def _bind_placeholders(
    program: ExportedProgram, known: Environment, scope: Scope, input_layout: LayoutRule
) -> None:
    constants = _constants(program)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in constants:
            known[node] = constants[node.name]
        elif node.op == "placeholder":
            known[node] = _bind_input(node, scope, input_layout)


def _constants(program: ExportedProgram) -> dict[str, torch.Tensor]:
    signature = program.graph_signature
    sources = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    pool = {**program.constants, **program.state_dict}
    return {placeholder: pool[target] for placeholder, target in sources.items()}


def _bind_input(node: torch.fx.Node, scope: Scope, input_layout: LayoutRule) -> Value:
    meta: Any = node.meta.get("val")
    dtype = getattr(meta, "dtype", None)
    if dtype is None or not dtype.is_floating_point:
        raise UnsupportedType(
            f"input {node.name!r}", f"{dtype or type(meta).__name__}", "pass a tensor of floats"
        )
    if any(not isinstance(extent, int) for extent in meta.shape):
        raise UnsupportedType(
            f"input {node.name!r}", f"dynamic shape {tuple(meta.shape)}", "export with fixed shapes"
        )
    shape = tuple(int(extent) for extent in meta.shape)
    layout = input_layout(shape)
    name = scope.fresh(identifier(node.name))
    return Value(scope.builder.input(name, DType.FLOAT32, memory_shape(layout)), layout)


def memory_shape(layout: Layout) -> tuple[int, ...]:
    """The physical shape of a graph input or output: its axes, of extent 1 too, in memory order.

    Axes of extent 1 come where PyTorch has them, except that axis 1 goes with the channels.
    """
    shape, rank = layout.shape, len(layout.axes)
    moved = (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))
    order = moved if layout.is_prefix(moved) else tuple(range(rank))
    return tuple(shape[axis] for axis in order)


def _lower_call(node: torch.fx.Node, known: Environment, scope: Scope) -> None:
    if node.target is operator.getitem:
        known[node] = _picked(node, known)
        return
    arguments = {key: _resolve(given, known) for key, given in _bound(node).items()}
    if not _mentions_value(list(arguments.values())):
        known[node] = _evaluate(node, known)
        return
    call = Call(node, arguments, scope)
    lowering = LOWERINGS.get(call.operator)
    if lowering is None:
        call.refuse("smidgen has no such operator", f"use one of: {_alternatives()}")
    known[node] = lowering(call)


def _alternatives() -> str:
    names = {name.split(".")[1].strip("_") for name in LOWERINGS}
    return ", ".join(sorted(names))


def _picked(node: torch.fx.Node, known: Environment) -> Any:
    """Element `index` of an operator with several results, of which we lower the first only."""
    source, index = node.args
    value = known[source]  # type: ignore[index]
    if not isinstance(value, Value):
        return value[index]
    if index != 0 and node.users:
        raise UnsupportedOp(f"{source}", f"its result {index} is used", "use its first result only")
    return value


def _bound(node: torch.fx.Node) -> dict[str, Any]:
    """The arguments of an aten call by the names in its schema, defaults filled in."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        raise UnsupportedOp(f"{node.target}", "not an aten operator", "use torch.nn layers")
    arguments = {a.name: a.default_value for a in schema.arguments}
    positional = [a.name for a in schema.arguments if not a.kwarg_only]
    arguments.update(zip(islice(positional, len(node.args)), node.args, strict=True))
    return {**arguments, **node.kwargs}


def _resolve(given: Any, known: Environment) -> Any:
    """`given` with nodes replaced by what they stand for."""
    if isinstance(given, (list, tuple)):
        return [_resolve(each, known) for each in given]
    return known[given] if hasattr(given, "op") and hasattr(given, "graph") else given


def _mentions_value(given: Any) -> bool:
    if isinstance(given, list):
        return any(_mentions_value(each) for each in given)
    return isinstance(given, Value)


def _evaluate(node: torch.fx.Node, known: Environment) -> Any:
    """An operator on constants only, computed now."""
    assert callable(node.target)
    positional = [_resolve(each, known) for each in node.args]
    return node.target(*positional, **{k: _resolve(v, known) for k, v in node.kwargs.items()})


def _result(scope: Scope, value: Any, index: int) -> str:
    """The tensor of output `index`, channels-last, or as PyTorch has it where it lies so."""
    if not isinstance(value, Value):
        raise UnsupportedOp(
            f"output {index}", "it does not depend on the input", "leave it out of the outputs"
        )
    rank = len(value.layout.axes)
    moved = (0, *range(2, rank), 1)
    if not (value.layout.is_prefix(range(rank)) or (rank > 2 and value.layout.is_prefix(moved))):
        raise UnsupportedOp(
            f"output {index}",
            "its axes are permuted",
            "return it as the last layer leaves it, and permute outside the model",
        )
    return scope.reshape(value.tensor, memory_shape(value.layout))
