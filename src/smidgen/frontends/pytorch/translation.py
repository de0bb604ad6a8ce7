"""aten operators by way of ONNX ones: what both mean alike is lowered in one place.

Where an aten operator is an ONNX operator, or a few of them, the ONNX frontend's lowering does the
work on the same builder. Unlike the lowerings of this package, those move elements in memory where
they must.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError, UnsupportedOp
from smidgen.frontends.onnx.call import Call as OnnxCall
from smidgen.frontends.onnx.call import Result
from smidgen.frontends.onnx.lowerings import LOWERINGS
from smidgen.frontends.onnx.model import OnnxNode
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.frontends.pytorch.call import Call
from smidgen.graph.op import Op

OPSET = 21
"""The version of ONNX's operators that is spoken here."""


@dataclass(frozen=True, slots=True)
class AtenCall(OnnxCall):
    """A call of an ONNX lowering that speaks of the aten operator it is made for."""

    aten_place: str = ""
    aten_stem: str = ""

    @property
    def place(self) -> str:
        """The aten operator and its module, for messages."""
        return self.aten_place

    @property
    def stem(self) -> str:
        """What the graph's nodes for this call are named after."""
        return self.aten_stem


def onnx_call(
    call: Call,
    kind: str,
    operands: Sequence[Any],
    attributes: Mapping[str, Any] | None = None,
    read: tuple[bool, ...] = (True,),
) -> AtenCall:
    """`kind` of `operands` as the ONNX frontend sees it; `read` has one flag for each output."""
    given = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in (attributes or {}).items()
    }
    names = tuple("x" if operand is not None else "" for operand in operands)
    outputs = tuple("y" if flag else "" for flag in read)
    node = OnnxNode("", kind, "", names, outputs, given)
    converted = tuple(as_operand(operand) for operand in operands)
    scope = call.scope.onnx
    return AtenCall(node, converted, scope, OPSET, "", read, call.place, call.base_stem())


def apply(call: Call, kind: str, *operands: Any, **attributes: Any) -> Value:
    """The first result of ONNX operator `kind`; numbers, lists and torch tensors are constants."""
    result = results_of(onnx_call(call, kind, operands, attributes))[0]
    assert isinstance(result, Value)
    return result


def results_of(made: AtenCall) -> tuple[Result, ...]:
    """The results of an ONNX call; raises UnsupportedOp where its shapes do not fit."""
    try:
        results = LOWERINGS[made.node.op_type](made)
    except GraphError as error:
        raise UnsupportedOp(made.place, f"{error.thing}: {error.why}", "check shapes") from error
    return results if isinstance(results, tuple) else (results,)


def emit(call: Call, op: Op, x: Value) -> Value:
    """`op` of each element of `x`."""
    return Value(onnx_call(call, "Identity", [x]).emit(op, [x.tensor]), x.layout)


def as_operand(given: Any) -> Operand | None:
    """What an argument of an aten call is to the ONNX frontend."""
    if given is None or isinstance(given, (Value, Constant)):
        return given
    return Constant(as_array(given))


def as_array(given: Any) -> Array:
    """A torch tensor, number or list as an array: whole numbers as int64, others as float32."""
    if isinstance(given, Constant):
        return given.values
    array = np.asarray(given.detach().cpu().numpy() if hasattr(given, "detach") else given)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


Translation = Callable[[Call], Any]
"""Lowers an aten call: to a `Value`, or to a list of them for several results."""
