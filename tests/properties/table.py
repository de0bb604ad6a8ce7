"""The table of layers that the modules of this folder fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from properties.net import Net, Value

Grow = Callable[[Net, Value, str], "list[Value] | None"]
"""Appends an operator that reads the value; None where it does not fit."""


@dataclass(frozen=True)
class Layer:
    """One operator, and the values it may follow."""

    name: str
    grow: Grow
    dtypes: Sequence[str]
    ranks: Sequence[int]
    needs_exact: bool

    def fits(self, x: Value) -> bool:
        """Whether the layer may follow `x`."""
        exact = x.exact or not self.needs_exact
        return exact and x.dtype in self.dtypes and len(x.shape) in self.ranks


LAYERS: list[Layer] = []


def layer(
    *names: str,
    dtypes: Sequence[str],
    ranks: Sequence[int] = (1, 2, 3, 4, 5),
    weight: int = 1,
    needs_exact: bool = False,
) -> Callable[[Grow], Grow]:
    """Registers a function for the operators `names`; `weight` makes them more frequent.

    With `needs_exact` a float operand must have the same bits everywhere (steps, poles).
    """

    def register(grow: Grow) -> Grow:
        for name in names:
            LAYERS.extend([Layer(name, grow, dtypes, ranks, needs_exact)] * weight)
        return grow

    return register
