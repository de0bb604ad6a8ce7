"""ReadState, AssignState and Copy, and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.operands import only, required


@dataclass(frozen=True, slots=True)
class ReadState(Op):
    """The value that a state has at this point of the run (READ_VARIABLE)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The state's type."""
        state = only(inputs)
        _check_state(state)
        return (state.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """A copy."""
        del signature
        assert inputs[0] is not None
        return (inputs[0].copy(),)


@dataclass(frozen=True, slots=True)
class AssignState(Op):
    """A state takes a value, for what reads it later in this run and in the next (ASSIGN_VARIABLE).

    Inputs: the state, the value. The output is the state from here on: the same bytes, which a
    graph may use instead of reading the state again. Who runs the graph stores the value.
    """

    has_effect: ClassVar[bool] = True

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The state's type, which must be that of the value."""
        state, value = required(inputs, 2)
        _check_state(state)
        if state.type != value.type:
            raise GraphError(f"state {state.name!r}", f"cannot hold {value.name!r}: {value.type}")
        return (state.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The value."""
        del signature
        assert inputs[1] is not None
        return (inputs[1].copy(),)


@dataclass(frozen=True, slots=True)
class Copy(Op):
    """The same values in bytes of their own, for an op that overwrites what it reads."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type."""
        return (only(inputs).type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """A copy."""
        del signature
        assert inputs[0] is not None
        return (inputs[0].copy(),)


def _check_state(state: Tensor) -> None:
    if not state.is_state:
        raise GraphError(f"input {state.name!r}", "is no state")
