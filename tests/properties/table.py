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
    beyond_micro: bool

    def fits(self, x: Value, beyond_micro: bool = False) -> bool:
        """Whether the layer may follow `x`; ones that Micro lacks only where that is wanted."""
        if self.beyond_micro and not beyond_micro:
            return False
        exact = x.exact or not self.needs_exact
        return exact and x.dtype in self.dtypes and len(x.shape) in self.ranks


LAYERS: list[Layer] = []


def layer(
    *names: str,
    dtypes: Sequence[str],
    ranks: Sequence[int] = (1, 2, 3, 4, 5),
    weight: int = 1,
    needs_exact: bool = False,
    beyond_micro: bool = False,
) -> Callable[[Grow], Grow]:
    """Registers a function for the operators `names`; `weight` makes them more frequent.

    With `needs_exact` a float operand must have the same bits everywhere (steps, poles);
    `beyond_micro` marks what Micro lacks.
    """

    def register(grow: Grow) -> Grow:
        for name in names:
            LAYERS.extend([Layer(name, grow, dtypes, ranks, needs_exact, beyond_micro)] * weight)
        return grow

    return register
