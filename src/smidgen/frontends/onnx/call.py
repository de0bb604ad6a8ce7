"""One node of an ONNX graph, as the lowering functions see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.model import OnnxNode
from smidgen.frontends.onnx.scope import Scope, identifier
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.graph.op import Op

Result = Operand | None
"""What an output becomes; None for one that is not made, and that nobody may read."""


@dataclass(frozen=True, slots=True)
class Call:
    """A node and its operands; None stands for an optional input that is not given."""

    node: OnnxNode
    operands: tuple[Operand | None, ...]
    scope: Scope
    opset: int
    """The version of the operator set that the node belongs to."""
    file: str
    read: tuple[bool, ...] = ()
    """For each output, whether anything reads it."""

    @property
    def place(self) -> str:
        """The operator and the node, for messages."""
        return f"{self.file}, {self.node}"

    @property
    def stem(self) -> str:
        """What the graph's nodes for this call are named after."""
        named = self.node.name or next((n for n in self.node.outputs if n), self.node.op_type)
        return identifier(named)

    def refuse(self, why: str, hint: str) -> NoReturn:
        """Raise UnsupportedOp about this node."""
        raise UnsupportedOp(self.place, why, hint)

    def damaged(self, why: str) -> NoReturn:
        """Raise ModelFileError about this node: ONNX itself forbids it."""
        raise ModelFileError(self.place, why, "check the model with onnx.checker")

    def operand(self, index: int) -> Operand:
        """Input `index`, which must be given."""
        found = self.optional(index)
        if found is None:
            self.damaged(f"input {index} is missing")
        return found

    def optional(self, index: int) -> Operand | None:
        """Input `index`, or None where it is not given."""
        return self.operands[index] if index < len(self.operands) else None

    def value(self, index: int) -> Value:
        """Input `index` as an activation; a constant becomes a tensor of the graph."""
        return self.scope.as_value(self.operand(index), self.stem)

    def constant(self, index: int, what: str) -> Array:
        """Input `index`, called `what`, which must be known at import."""
        return self.known(index, what).values

    def known(self, index: int, what: str) -> Constant:
        """Input `index`, called `what`, which must be known at import."""
        found = self.operand(index)
        if isinstance(found, Value):
            self.refuse(
                f"its {what} is computed at run time",
                f"make the {what} a constant; exporters fold it with fixed input shapes",
            )
        return found

    def optional_constant(self, index: int, what: str) -> Array | None:
        """Input `index`, called `what`, or None where it is not given."""
        return None if self.optional(index) is None else self.constant(index, what)

    def integers(self, index: int, what: str) -> tuple[int, ...]:
        """Input `index` as whole numbers known at import."""
        values = self.constant(index, what)
        if values.dtype.kind not in "iu" or values.ndim > 1:
            self.damaged(f"its {what} is no list of integers")
        return tuple(int(number) for number in values.reshape(-1))

    def attribute(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, int):
            self.damaged(f"attribute {name!r} is no integer")
        return found

    def real(self, name: str, default: float) -> float:
        """An attribute that is a number."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, (int, float)):
            self.damaged(f"attribute {name!r} is no number")
        return float(found)

    def text(self, name: str, default: str) -> str:
        """An attribute that is a string."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, str):
            self.damaged(f"attribute {name!r} is no string")
        return found

    def numbers(self, name: str) -> tuple[int, ...] | None:
        """An attribute that is a list of whole numbers, or None where it is not given."""
        found = self.node.attributes.get(name)
        if found is None and name not in self.node.attributes:
            return None
        if not isinstance(found, tuple) or not all(isinstance(n, int) for n in found):
            self.damaged(f"attribute {name!r} is no list of integers")
        return tuple(int(n) for n in found)

    def axes(self, index: int, rank: int) -> tuple[int, ...] | None:
        """Axes from input `index` or, in older operator sets, the attribute; None if not given."""
        given = self.numbers("axes")
        if given is None and self.optional(index) is not None:
            given = self.integers(index, "axes")
        return None if given is None else tuple(self.axis_of(axis, rank) for axis in given)

    def axis(self, default: int, rank: int, name: str = "axis") -> int:
        """An attribute that is an axis of `rank`, counted from the front."""
        return self.axis_of(self.attribute(name, default), rank)

    def axis_of(self, axis: int, rank: int) -> int:
        """`axis` counted from the front."""
        if not -rank <= axis < rank:
            self.damaged(f"there is no axis {axis} among {rank}")
        return axis % rank

    def emit(
        self,
        op: Op,
        inputs: Sequence[str],
        constants: Mapping[str, Array | None] | None = None,
        units: Array | None = None,
    ) -> str:
        """Append `op` on tensors and float32 constants; returns the name of its one output.

        `units` are those of the dequantised "weights", one for each output channel.
        """
        node, operands = self.scope.fresh(self.stem), list(inputs)
        for role, data in (constants or {}).items():
            if data is None:
                continue
            operands.append(self.scope.constant(f"{node}_{role}", data))
            if role == "weights" and units is not None:
                self.scope.units[operands[-1]] = (np.asarray(data, np.float64), units)
        return self.scope.append(op, operands, node)[0]

    def moved(self, op: Op, tensor: str) -> str:
        """Append `op`, which only moves elements, so that quanta stay what they are."""
        return self.pieces(op, tensor)[0]

    def pieces(self, op: Op, tensor: str) -> tuple[str, ...]:
        """As `moved`, for an op of several outputs."""
        quant = self.scope.builder.tensor(tensor).quantization
        return self.scope.add(op, [tensor], self.stem, quant)

    def real_value(self, index: int) -> Value:
        """Input `index`, which must be of real numbers."""
        value = self.value(index)
        if self.scope.dtype(value) is not DType.FLOAT32:
            self.refuse(
                f"its input is {self.scope.dtype(value).label}",
                "compute in float32, or between DequantizeLinear and QuantizeLinear",
            )
        return value

    def image(self, value: Value) -> str:
        """A tensor [N, H, W, C] that holds `value` [N, C, H, W] or [N, C, H]; there W is 1."""
        rank = len(value.layout.axes)
        if rank not in (3, 4):
            self.refuse(f"input of {rank} axes", "use one or two spatial axes: [N, C, (H,) W]")
        tensor = self.scope.laid(value, (0, *range(2, rank), 1))
        return self.four_axes(tensor)

    def four_axes(self, tensor: str) -> str:
        """[N, T, C] seen as [N, T, 1, C]; four axes stay."""
        shape = self.scope.shape(tensor)
        if len(shape) == 3:
            return self.scope.reshape(tensor, (*shape[:2], 1, shape[2]))
        return tensor

    def as_image(self, tensor: str, rank: int) -> Value:
        """The value [N, C, ...] of `rank` axes that an image tensor [N, H, W, C] holds."""
        batch, rows, cols, channels = self.scope.shape(tensor)
        space = (rows, cols) if rank == 4 else (rows * cols,)
        return Value(tensor, Layout.channels_last((batch, channels, *space)))


Lowering = Callable[[Call], Result | tuple[Result, ...]]
"""Turns a node into graph; one result, or one for each output."""
