"""The rules that a subgraph must keep before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.flatbuffer import DAMAGED_HINT
from smidgen.frontends.tflite.model import TfliteOperator, TfliteSubgraph
from smidgen.frontends.tflite.options import CallOnceOptions, CallOptions, IfOptions, WhileOptions

_CALLS = (CallOptions, CallOnceOptions, IfOptions, WhileOptions)


def check_indices(
    file: str, indices: Iterable[int], count: int, what: str, optional: bool = False
) -> None:
    """Every index names one of `count` tensors (or is -1, where `optional`)."""
    least = -1 if optional else 0
    for index in indices:
        if not least <= index < count:
            raise ModelFileError(file, f"{what} names tensor {index} of {count}", DAMAGED_HINT)


def check_subgraph(file: str, subgraph: TfliteSubgraph) -> None:
    """Values are written once, before they are used; raises ModelFileError.

    Args:
        file: What messages call the file.
        subgraph: One whose indices are all in range (`check_indices`).
    """
    given = set(subgraph.inputs)
    if len(given) != len(subgraph.inputs):
        raise ModelFileError(file, f"{subgraph.name} lists an input twice", DAMAGED_HINT)
    constant = {t.index for t in subgraph.tensors if t.data is not None}
    variable = {t.index for t in subgraph.tensors if t.is_variable}
    known = given | constant | variable | {-1}
    for operator in subgraph.operators:
        _check_known(file, operator.inputs, known, f"{operator} reads")
        for index in operator.outputs:
            if index in known and index not in variable:
                raise ModelFileError(
                    file, f"{operator} writes tensor {index}, which has a value", DAMAGED_HINT
                )
            known.add(index)
    _check_known(file, subgraph.outputs, known, f"{subgraph.name} returns")


def _check_known(file: str, indices: Iterable[int], known: set[int], what: str) -> None:
    for index in indices:
        if index not in known:
            raise ModelFileError(
                file, f"{what} tensor {index} before anything wrote it", DAMAGED_HINT
            )


def check_calls(file: str, subgraphs: Sequence[TfliteSubgraph]) -> None:
    """Operators call subgraphs that exist and fit, and none calls itself in the end."""
    calls: list[set[int]] = []
    for subgraph in subgraphs:
        called: set[int] = set()
        for operator in subgraph.operators:
            if isinstance(operator.options, _CALLS):
                targets = astuple(operator.options)
                _check_targets(file, operator, targets, subgraphs)
                called.update(targets)
        calls.append(called)
    _check_acyclic(file, calls)


def _check_targets(
    file: str, operator: TfliteOperator, targets: Sequence[int], subgraphs: Sequence[TfliteSubgraph]
) -> None:
    for target in targets:
        if target >= len(subgraphs):
            raise ModelFileError(
                file, f"{operator} calls subgraph {target} of {len(subgraphs)}", DAMAGED_HINT
            )
    taken, returned = _operands(operator)
    for place, target in enumerate(targets):
        callee = subgraphs[target]
        is_condition = isinstance(operator.options, WhileOptions) and place == 0
        wanted = (taken, 1 if is_condition else returned)
        if (len(callee.inputs), len(callee.outputs)) != wanted:
            raise ModelFileError(
                file,
                f"{operator} needs subgraph {target} to take {wanted[0]} and return {wanted[1]} "
                f"tensors; it takes {len(callee.inputs)} and returns {len(callee.outputs)}",
                DAMAGED_HINT,
            )


def _operands(operator: TfliteOperator) -> tuple[int, int]:
    """How many tensors an operator hands to the subgraphs it calls, and takes back."""
    condition = 1 if isinstance(operator.options, IfOptions) else 0
    return len(operator.inputs) - condition, len(operator.outputs)


def _check_acyclic(file: str, calls: Sequence[set[int]]) -> None:
    callers = [0] * len(calls)
    for called in calls:
        for target in called:
            callers[target] += 1
    free = [index for index, count in enumerate(callers) if count == 0]
    seen = 0
    while free:
        seen += 1
        for target in calls[free.pop()]:
            callers[target] -= 1
            if callers[target] == 0:
                free.append(target)
    if seen < len(calls):
        raise ModelFileError(file, "its subgraphs call each other in a circle", DAMAGED_HINT)
