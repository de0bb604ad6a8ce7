"""What the names of an ONNX graph stand for while it is lowered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout


@dataclass(frozen=True, slots=True)
class Value:
    """An activation: the tensor of our graph that holds it, and how it lies there."""

    tensor: str
    layout: Layout


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """An array known at import, in ONNX's own order of axes.

    Where `unit` is given, the values are dequantised: whole multiples of it. It broadcasts over
    them: one number, or one for each slice of an axis.
    """

    values: Array
    unit: Array | None = None
    element: int = 0
    """The TensorProto.DataType, where NumPy has none for it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(self.values.shape)

    def units_along(self, axis: int) -> Array | None:
        """One unit for each slice of `axis`, or None where there is none, or not one a slice."""
        if self.unit is None or not -self.values.ndim <= axis < self.values.ndim:
            return None
        unit = self.unit.reshape((1,) * (self.values.ndim - self.unit.ndim) + self.unit.shape)
        if unit.size != unit.shape[axis]:
            return None
        return np.broadcast_to(unit.reshape(-1), (self.values.shape[axis],)).astype(np.float64)


Operand = Value | Constant
