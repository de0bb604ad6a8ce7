"""Runs ONNX's own test cases for operators through this frontend and our NumPy reference.

They come with the `onnx` package (`smidgen[onnx]`), one node a model, with inputs and the right
outputs. Where a node can only be taken with constant operands (weights, shapes, axes), all inputs
but the first are made constants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from importlib.util import find_spec
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import MissingExtra, SmidgenError
from smidgen.frontends.onnx.convert import Imported, convert
from smidgen.frontends.onnx.lowerings import LOWERINGS, known_operators
from smidgen.frontends.onnx.model import OnnxModel
from smidgen.frontends.onnx.narrow import bits_of
from smidgen.frontends.onnx.reader import read_onnx
from smidgen.frontends.onnx.tensors import BFLOAT16, FLOAT16, read_tensor
from smidgen.frontends.onnx.wire import Budget, Message
from smidgen.graph.evaluate import Reference

TOLERANCE = 1e-4
"""Of float results: absolute, and relative to the expected value."""
COARSE: Mapping[int, float] = {FLOAT16: 2e-3, BFLOAT16: 2e-2}
"""Of results that the file rounds to a shorter type, which we compute in float32."""


class Outcome(Enum):
    """How a case ended."""

    PASSED = "passed"
    REFUSED = "refused"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Result:
    """One case: its name, its operator, how it ended and why."""

    case: str
    operator: str
    outcome: Outcome
    why: str = ""
    reason: str = ""
    """Of a refusal: what is not taken, without the name of the case."""


def results() -> Iterator[Result]:
    """The outcome of every case for an operator that is taken."""
    if find_spec("onnx") is None:
        raise MissingExtra("onnx", "onnx", "running ONNX's test cases")
    from onnx.backend.test.case.node import collect_testcases  # noqa: PLC0415 - an extra

    known = frozenset(known_operators())
    for case in collect_testcases(None):
        nodes = list(case.model.graph.node) if case.model is not None else []
        if len(nodes) == 1:
            (node,) = nodes
            if node.op_type in known and node.domain == "":
                yield _result(case, node.op_type)


def _result(case: Any, operator: str) -> Result:
    name = str(case.name)
    try:
        model = read_onnx(case.model.SerializeToString(), name)
        data = [
            ([_array(x, name) for x in sides[0]], [_array(y, name) for y in sides[1]])
            for sides in case.data_sets
        ]
    except SmidgenError as refused:
        return Result(name, operator, Outcome.REFUSED, str(refused), refused.why)
    for inputs, outputs in data:
        result = _run(Result(name, operator, Outcome.PASSED), model, inputs, outputs)
        if result.outcome is not Outcome.PASSED:
            return result
    return Result(name, operator, Outcome.PASSED)


def _array(given: Any, name: str) -> Array:
    """An array, also where the case holds a TensorProto."""
    if isinstance(given, (np.ndarray, np.generic, list)):
        return np.asarray(given)
    data = memoryview(given.SerializeToString())
    return read_tensor(Message.parse(data, Budget(name, len(data) + 1)), None)


def _run(
    passed: Result, model: OnnxModel, inputs: Sequence[Array], outputs: Sequence[Array]
) -> Result:
    """The best outcome with all inputs open, with all but the first known, and with all known.

    The last is for operators that are taken on constants only.
    """
    empty = next((port for port in model.inputs[:1] if 0 in (port.shape or ())), None)
    if empty is not None:  # an open batch looks the same to `convert`
        why = f"{passed.case}, input {empty.name!r}: has the shape {list(empty.shape or ())}"
        return replace(
            passed, outcome=Outcome.REFUSED, why=f"{why}; leave it out", reason="an empty tensor"
        )
    result = passed
    folded = all(node.op_type not in LOWERINGS for node in model.nodes)
    for fixed in (0, len(inputs) - 1, *([len(inputs)] if folded else [])):
        given = list(inputs[: len(inputs) - fixed])
        try:
            imported = convert(_with_constants(model, inputs, len(given)), "case")
        except SmidgenError as refused:
            result = replace(passed, outcome=Outcome.REFUSED, why=str(refused), reason=refused.why)
            continue
        found = run(imported, given)
        elements = [port.element for port in model.outputs]
        wrong = next(filter(None, map(_difference, found, outputs, elements)), "")
        return replace(passed, outcome=Outcome.WRONG, why=wrong) if wrong else passed
    return result


def _with_constants(model: OnnxModel, inputs: Sequence[Array], kept: int) -> OnnxModel:
    constants: Mapping[str, Array] = {
        port.name: values for port, values in list(zip(model.inputs, inputs, strict=False))[kept:]
    }
    ports = tuple(port for port in model.inputs if port.name not in constants)
    elements = {p.name: p.element for p in model.inputs if bits_of(p.element)}
    every = {**model.constants, **constants}
    return replace(model, constants=every, inputs=ports, elements={**model.elements, **elements})


def run(imported: Imported, inputs: Sequence[Array]) -> list[Array]:
    """The outputs of a graph for `inputs`, both in ONNX's order of axes."""
    graph = imported.graph
    given = []
    for name, layout, values in zip(graph.inputs, imported.inputs, inputs, strict=True):
        tensor = graph.tensors[name]
        # Operands that only lend their type come without numbers.
        whole = values if values.size else np.zeros(layout.shape)
        laid = layout.physical(whole)
        given.append(laid.reshape(tensor.shape).astype(tensor.dtype.numpy))
    found = Reference(graph).run(given)
    return [layout.logical(y) for layout, y in zip(imported.outputs, found, strict=True)]


def _difference(found: Array, wanted: Array, element: int) -> str:
    """What is wrong with a result, or nothing; quanta may be off by one."""
    if found.shape != wanted.shape:
        return f"shape {found.shape} instead of {wanted.shape}"
    if not wanted.size:
        return ""
    off = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    if wanted.dtype.kind in "iu" and wanted.dtype.itemsize == 1:
        return f"off by {off.max()} quanta" if off.max() > 1 else ""
    exact = (found == wanted) | (
        np.isnan(found.astype(np.float64)) & np.isnan(wanted.astype(float))
    )
    allowed = COARSE.get(element, TOLERANCE) * (1 + np.abs(wanted.astype(np.float64)))
    return "" if np.all(exact | (off <= allowed)) else f"off by {np.nanmax(off)}"
