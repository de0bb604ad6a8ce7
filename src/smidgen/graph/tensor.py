"""Typed tensors: element type, shape, quantisation and, for constants and state, the values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError


@dataclass(frozen=True, slots=True)
class Quantization:
    """real = scale * (quantum - zero_point), as the TensorFlow Lite specification defines it.

    One scale and zero point for the whole tensor (`axis` None), or one per slice along `axis`.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    @property
    def scale(self) -> float:
        """The single scale of a per-tensor quantisation."""
        if self.axis is not None and len(self.scales) != 1:
            raise GraphError("a quantisation per channel", "has no single scale")
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point; per-channel weights share one by specification."""
        return self.zero_points[0]

    def spread(self, values: tuple[float, ...] | tuple[int, ...], rank: int) -> Array:
        """`values` (scales or zero points) shaped to broadcast against a tensor of `rank` axes."""
        flat = np.asarray(values)
        if self.axis is None:
            return flat.reshape(())
        shape = [1] * rank
        shape[self.axis] = len(flat)
        return flat.reshape(shape)


@dataclass(frozen=True, slots=True)
class TensorType:
    """What an op's shape rule says of an output: element type and shape."""

    dtype: DType
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value in the graph.

    `data` holds the values of a constant, or the initial values of a state (`is_state`), in the
    NumPy dtype of `dtype`; an activation has none. State outlives one run of the graph.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    quantization: Quantization | None = None
    data: Array | None = field(default=None, repr=False)
    is_state: bool = False

    def __post_init__(self) -> None:
        if self.data is not None and self.data.flags.writeable:
            frozen = self.data.view()
            frozen.flags.writeable = False
            object.__setattr__(self, "data", frozen)

    @property
    def type(self) -> TensorType:
        """Element type and shape."""
        return TensorType(self.dtype, self.shape)

    @property
    def is_constant(self) -> bool:
        """Whether the value is known at compile time."""
        return self.data is not None and not self.is_state

    @property
    def elements(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return self.dtype.nbytes(self.elements)

    @property
    def values(self) -> Array:
        """The values of a constant; asking an activation for them is our bug."""
        assert self.data is not None, f"{self.name} is no constant"
        return self.data

    @property
    def quant(self) -> Quantization:
        """The quantisation; raises GraphError where the tensor has none."""
        if self.quantization is None:
            raise GraphError(
                f"tensor {self.name!r}",
                f"{self.dtype.label} without a scale",
                "export the model with quantisation parameters, or in float32",
            )
        return self.quantization
