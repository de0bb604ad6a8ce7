"""What all nodes of one import share: the graph as it grows, names, and moves within memory."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import UnsupportedType
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.values import Operand, Value
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.shape.arrange import Transpose
from smidgen.ops.shape.ops import Reshape

MAX_ACTIVATION_ELEMENTS = 1 << 22
"""Elements of one activation: 4 million are more than any microcontroller holds."""
_NAME_LENGTH = 48
_EXACT: Mapping[str, DType] = {dtype.numpy.name: dtype for dtype in DType if dtype.label != "int4"}


@dataclass(slots=True)
class Scope:
    """The builder, the names that are taken, and views and transposes that were made before."""

    builder: GraphBuilder
    channels_last: bool
    taken: dict[str, int] = field(default_factory=dict)
    views: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    turned: dict[tuple[str, tuple[int, ...], tuple[int, ...]], str] = field(default_factory=dict)
    reals: dict[str, str] = field(default_factory=dict)
    """Quanta that were dequantised before, by name, and the real numbers they became."""
    units: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    """Dequantised weights by the name of their constant: as they were, and a unit each output."""
    elements: dict[str, int] = field(default_factory=dict)
    """The ONNX types of inputs, and of results of casts, where ours is another."""
    moved_elements: int = 0
    """Elements that transposes move: what the layout of the inputs is judged by."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The graph inputs that were declared so far."""
        return tuple(self.builder._inputs)

    def fresh(self, stem: str) -> str:
        """`stem`, or `stem` with the first number that makes it new."""
        count = self.taken.get(stem, 0)
        self.taken[stem] = count + 1
        return stem if count == 0 else self.fresh(f"{stem}_{count}")

    def dtype(self, value: Value) -> DType:
        """The element type of a value."""
        return self.builder.tensor(value.tensor).dtype

    def dtype_of(self, tensor: str) -> DType:
        """The element type of a tensor."""
        return self.builder.tensor(tensor).dtype

    def shape(self, tensor: str) -> tuple[int, ...]:
        """The physical shape of a tensor."""
        return self.builder.tensor(tensor).shape

    def add(
        self,
        op: Op,
        inputs: Sequence[str],
        node: str,
        quantization: Quantization | None = None,
    ) -> tuple[str, ...]:
        """Append a node called `node`, or nearly so; see `append`."""
        return self.append(op, inputs, self.fresh(node), quantization)

    def append(
        self,
        op: Op,
        inputs: Sequence[str],
        node: str,
        quantization: Quantization | None = None,
    ) -> tuple[str, ...]:
        """Append a node; raises UnsupportedType for outputs beyond any microcontroller."""
        names = self.builder.add(op, inputs, quantization, node=node)
        for name in names:
            if self.builder.tensor(name).elements > MAX_ACTIVATION_ELEMENTS:
                raise UnsupportedType(
                    f"{self.builder.name}: output of {node!r}",
                    f"has the shape {list(self.shape(name))}, beyond any microcontroller",
                    "use a smaller model",
                )
        return names

    def constant(self, stem: str, values: Array, dtype: DType = DType.FLOAT32) -> str:
        """Add a constant tensor; returns its name."""
        with np.errstate(over="ignore"):
            stored = np.ascontiguousarray(values.astype(dtype.numpy)).reshape(values.shape)
        return self.builder.constant(self.fresh(stem), dtype, stored)

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """`tensor` under another physical shape: itself, a view made before, or a new Reshape."""
        wanted, given = tuple(shape), self.builder.tensor(tensor)
        if given.shape == wanted:
            return tensor
        key = (tensor, wanted)
        if key not in self.views:
            stem = f"{tensor.removesuffix('_out')}_view"
            (self.views[key],) = self.add(Reshape(wanted), [tensor], stem, given.quantization)
        return self.views[key]

    def transposed(self, tensor: str, extents: Sequence[int], permutation: Sequence[int]) -> str:
        """`tensor`, seen as an array of `extents`, with its axes in another order in memory."""
        key = (tensor, tuple(extents), tuple(permutation))
        if key not in self.turned:
            view = self.reshape(tensor, extents)
            stem, quant = f"{tensor.removesuffix('_out')}_turned", self.builder.tensor(tensor)
            op = Transpose(tuple(permutation))
            (self.turned[key],) = self.add(op, [view], stem, quant.quantization)
            self.moved_elements += math.prod(extents)
        return self.turned[key]

    def laid(self, value: Value, order: Sequence[int]) -> str:
        """A tensor that holds the logical axes of `value` in `order`: its shape is in that order.

        A view where memory has that order already; else a Transpose.
        """
        layout = value.layout
        shape = [layout.shape[axis] for axis in order]
        if layout.is_prefix(order):
            return self.reshape(value.tensor, shape)
        sequence = [factor for axis in order for factor in layout.axes[axis]]
        return self.reshape(self.transposed(value.tensor, layout.extents, sequence), shape)

    def plain(self, value: Value) -> Value:
        """`value` with its elements in ONNX's own order."""
        order = range(len(value.layout.axes))
        if value.layout.is_prefix(order):
            return value
        return Value(self.laid(value, order), Layout.of(value.layout.shape))

    def orderly(self, value: Value) -> tuple[Value, tuple[int, ...]]:
        """`value` and the order in which memory has its axes; rearranged if it cuts through one."""
        order = value.layout.order()
        if order is not None:
            return value, order
        return self.plain(value), tuple(range(len(value.layout.axes)))

    def as_value(self, operand: Operand, stem: str) -> Value:
        """`operand` as a tensor of the graph, in ONNX's order of axes if it is a constant."""
        if isinstance(operand, Value):
            return operand
        dtype = _EXACT.get(operand.values.dtype.name, DType.FLOAT32)
        name = self.constant(f"{stem}_constant", operand.values, dtype)
        return Value(name, Layout.of(operand.shape))


def spread_constant(layout: Layout, values: Array) -> Array:
    """A constant that broadcasts over `layout`, in memory order: one axis for each factor."""
    rank = len(layout.axes)
    padded = values.reshape((1,) * (rank - values.ndim) + values.shape)
    split: list[int] = []
    for axis, factors in enumerate(layout.axes):
        whole = padded.shape[axis] != 1
        split.extend(layout.extents[factor] if whole else 1 for factor in factors)
    return padded.reshape(split).transpose(np.argsort(np.array(layout.sequence, np.int64)))


def identifier(text: str) -> str:
    """`text` as a name: underscores for what is no letter or digit, and no digit in front."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text.split(";", maxsplit=1)[0]).strip("_")
    if len(name) > _NAME_LENGTH:
        name = name[-_NAME_LENGTH:].partition("_")[2].strip("_") or name[-_NAME_LENGTH:]
    return name if name and not name[0].isdigit() else f"node_{name}".rstrip("_")
