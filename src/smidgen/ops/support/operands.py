"""The operands that a shape rule needs."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.core.errors import GraphError
from smidgen.graph.tensor import Tensor


def required(inputs: Sequence[Tensor | None], count: int) -> tuple[Tensor, ...]:
    """Exactly `count` operands, all of them given; raises GraphError otherwise."""
    found = tuple(tensor for tensor in inputs if tensor is not None)
    if len(found) != len(inputs) or len(found) != count:
        raise GraphError("the operator", f"has {len(found)} of {count} inputs")
    return found


def only(inputs: Sequence[Tensor | None]) -> Tensor:
    """The single operand of an op that has one."""
    return required(inputs, 1)[0]
