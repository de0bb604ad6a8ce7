"""What an op is: its meaning lives in its own class, and everything else asks it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from smidgen.core.dtypes import Array
from smidgen.graph.tensor import Tensor, TensorType

OP_TYPES: dict[str, type[Op]] = {}
"""Every op class by its `kind`, for the text form; filled as the families are imported."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The typed operands of one node; an optional input that is absent is None."""

    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    def input(self, index: int) -> Tensor:
        """Input `index`, which must be present."""
        tensor = self.inputs[index]
        assert tensor is not None, f"input {index} is absent"
        return tensor

    def optional(self, index: int) -> Tensor | None:
        """Input `index`, or None where it is absent or not given at all."""
        return self.inputs[index] if index < len(self.inputs) else None

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.outputs[0]


class Op(ABC):
    """An operator: subclasses are frozen, slotted dataclasses whose fields are its attributes."""

    __slots__ = ()

    kind: ClassVar[str]
    """The name in printed graphs, reports and generated C, e.g. ``conv2d``."""
    has_effect: ClassVar[bool] = False
    """Whether it writes state, so that it may be neither removed nor moved across other effects."""

    overwrites: ClassVar[tuple[int, ...]] = ()
    """The inputs that C overwrites with what they become for the next run: recurrent states."""

    def __init_subclass__(cls) -> None:
        # slots=True makes a dataclass twice; both times under one name, so the later one stands.
        if "kind" not in cls.__dict__:
            cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()
        OP_TYPES[cls.kind] = cls

    @abstractmethod
    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The types of the outputs; raises GraphError where the inputs do not fit together."""

    @abstractmethod
    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The meaning of the op in NumPy: the outputs, in the dtypes and shapes of `signature`."""

    def macs(self, signature: Signature) -> int:
        """Multiply-accumulates of one run, as the literature counts them (padding included)."""
        del signature
        return 0
