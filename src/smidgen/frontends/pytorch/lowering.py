"""Walks an exported program, and has each aten operator lowered by the function in the table."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedOp, UnsupportedType
from smidgen.frontends.layout import Layout, NeedsTransposition
from smidgen.frontends.onnx.scope import Scope as OnnxScope
from smidgen.frontends.onnx.values import Constant
from smidgen.frontends.pytorch.arithmetic import ARITHMETIC
from smidgen.frontends.pytorch.call import Call, Scope, Value, identifier
from smidgen.frontends.pytorch.convolution import CONVOLUTIONS
from smidgen.frontends.pytorch.dense import PRODUCTS
from smidgen.frontends.pytorch.elementwise import ELEMENTWISE
from smidgen.frontends.pytorch.layers import LAYERS
from smidgen.frontends.pytorch.movement import MOVEMENT
from smidgen.frontends.pytorch.pooling import POOLS
from smidgen.frontends.pytorch.quantized import (
    LAYERS_OF_QUANTA,
    QUANTIZATION,
    constant_of,
    is_quantization,
)
from smidgen.frontends.pytorch.shaping import SHAPING
from smidgen.frontends.pytorch.translation import Translation, as_array
from smidgen.frontends.pytorch.windows import WINDOWS
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.quantization.ops import Dequantize, Quantize

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
"""How aten overloads become graph without moving an element in memory."""

TRANSLATIONS: Mapping[str, Translation] = {
    **ARITHMETIC,
    **MOVEMENT,
    **WINDOWS,
    **LAYERS,
    **QUANTIZATION,
}
"""How aten overloads become ONNX operators: all others, and those that cannot do without moves.

A new operator is one function and one entry here.
"""

_INTEGERS = {"int64": DType.INT32, "int32": DType.INT32, "bool": DType.BOOL}
"""Types of inputs beside floats, and what they are on the device."""

LayoutRule = Callable[[tuple[int, ...]], Layout]
"""Says how a graph input of some logical shape lies in memory."""

Environment = dict["torch.fx.Node", Any]
"""What each node of the program stands for: a `Value`, or a torch constant."""


def lower(
    program: ExportedProgram, name: str, input_layout: LayoutRule, may_move: bool = False
) -> Lowered:
    """The unoptimised graph of `program`, with its inputs laid out by `input_layout`.

    Raises NeedsTransposition where elements have to be moved in memory, unless that is allowed.
    """
    scope = Scope(GraphBuilder(name), may_move)
    known: Environment = {}
    _bind_placeholders(program, known, scope, input_layout)
    for node in program.graph.nodes:
        if node.op == "call_function":
            _lower_call(node, known, scope)
    by_name = {node.name: value for node, value in known.items()}
    results = [by_name.get(str(output)) for output in program.graph_signature.user_outputs]
    ends = [_result(scope, value, i, input_layout) for i, value in enumerate(results)]
    return Lowered(scope.builder.finish(ends), scope.onnx)


@dataclass(frozen=True, slots=True)
class Lowered:
    """A graph, and what is known of its constants and of what it moves."""

    graph: Graph
    scope: OnnxScope

    @property
    def has_quanta(self) -> bool:
        """Whether the program was quantised by PyTorch."""
        return any(isinstance(node.op, (Quantize, Dequantize)) for node in self.graph.nodes)


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
    label = str(dtype).removeprefix("torch.")
    element = _INTEGERS.get(label, DType.FLOAT32)
    if dtype is None or not (dtype.is_floating_point or label in _INTEGERS):
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
    return Value(scope.builder.input(name, element, memory_shape(layout)), layout)


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
        known[node] = _evaluate(node, arguments, known)
        return
    known[node] = _lowered(Call(node, arguments, scope))


def is_known(operator: str) -> bool:
    """Whether an operator, by its name with overload, is taken."""
    return operator in LOWERINGS or operator in TRANSLATIONS or not operator.startswith("aten.")


def _lowered(call: Call) -> Any:
    """What a call becomes: without moves where that can be, else by way of ONNX operators."""
    name = call.operator
    plain, other = LOWERINGS.get(name), TRANSLATIONS.get(name)
    if plain is None and other is None:
        call.refuse("smidgen has no such operator", f"use one of: {_alternatives()}")
    if plain is None or (other is not None and not _is_plain(call)):
        assert other is not None
        return other(call)
    try:
        return plain(call)
    except NeedsTransposition:
        if other is None or not call.scope.may_move:
            raise
    except UnsupportedOp:
        if other is None:
            raise
    return other(call)


def _is_plain(call: Call) -> bool:
    """Whether a call is of real numbers only, none of them dequantised weights of a layer."""
    values = [value for value in _flat(list(call.arguments.values())) if isinstance(value, Value)]
    real = all(call.scope.onnx.dtype(value) is DType.FLOAT32 for value in values)
    weighted = call.operator in LAYERS_OF_QUANTA and any(
        isinstance(given, Constant) and given.unit is not None for given in call.arguments.values()
    )
    return real and not weighted


def _flat(given: Any) -> list[Any]:
    if isinstance(given, list):
        return [each for item in given for each in _flat(item)]
    return [given]


def _alternatives() -> str:
    names = {name.split(".")[1].strip("_") for name in (*LOWERINGS, *TRANSLATIONS)}
    return ", ".join(sorted(names))


def _picked(node: torch.fx.Node, known: Environment) -> Any:
    """Element `index` of an operator with several results, some of which may be missing."""
    source, index = node.args
    value = known[source]  # type: ignore[index]
    if not isinstance(value, Value):
        picked = value[index]
        if picked is None and node.users:
            raise UnsupportedOp(f"{source}", f"its result {index} is used", "use the others only")
        return picked
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


def _evaluate(node: torch.fx.Node, arguments: Mapping[str, Any], known: Environment) -> Any:
    """An operator on constants only, computed now."""
    assert callable(node.target)
    name = str(node.target)
    if is_quantization(name) and ".dequantize" in name:
        return constant_of(arguments)
    positional = [_as_torch(_resolve(each, known)) for each in node.args]
    named = {k: _as_torch(_resolve(v, known)) for k, v in node.kwargs.items()}
    return node.target(*positional, **named)


def _as_torch(given: Any) -> Any:
    """Constants as PyTorch computes with them."""
    if isinstance(given, list):
        return [_as_torch(each) for each in given]
    if not isinstance(given, Constant):
        return given
    import torch  # noqa: PLC0415 - PyTorch is an extra

    return torch.from_numpy(as_array(given).copy())


def _result(scope: Scope, value: Any, index: int, input_layout: LayoutRule) -> str:
    """The tensor of output `index`, channels-last, or as PyTorch has it where it lies so."""
    if not isinstance(value, Value):
        raise UnsupportedOp(
            f"output {index}", "it does not depend on the input", "leave it out of the outputs"
        )
    rank = len(value.layout.axes)
    moved = (0, *range(2, rank), 1)
    if not (value.layout.is_prefix(range(rank)) or (rank > 2 and value.layout.is_prefix(moved))):
        if not scope.may_move:
            raise NeedsTransposition(
                f"output {index}",
                "its axes are permuted",
                "return it as the last layer leaves it, and permute outside the model",
            )
        order = input_layout(value.layout.shape).order() or range(rank)
        return scope.onnx.laid(value, order)
    return scope.reshape(value.tensor, memory_shape(value.layout))
