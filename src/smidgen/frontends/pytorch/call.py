"""One call of an aten operator, as the lowering functions see it."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.layout import NeedsTransposition
from smidgen.frontends.onnx.scope import Scope as OnnxScope
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.op import Op
from smidgen.ops.shape.ops import Reshape

__all__ = ["Call", "Scope", "Value", "four_axes", "identifier", "module_of"]

if TYPE_CHECKING:
    import torch.fx


@dataclass(slots=True)
class Scope:
    """What all calls of one lowering share: the builder, and the names that are taken."""

    builder: GraphBuilder
    may_move: bool = False
    """Whether elements may be moved to another order in memory where a layer needs it."""
    taken: dict[str, int] = field(default_factory=dict)
    views: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    onnx: OnnxScope = field(init=False)
    """The same builder, names and views for what is lowered by way of ONNX operators."""

    def __post_init__(self) -> None:
        self.onnx = OnnxScope(self.builder, False, self.taken, self.views)

    def fresh(self, stem: str) -> str:
        """`stem`, or `stem` with the first number that makes it new."""
        count = self.taken.get(stem, 0)
        self.taken[stem] = count + 1
        return stem if count == 0 else self.fresh(f"{stem}_{count}")

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """`tensor` under another physical shape: itself, a view made before, or a new Reshape."""
        wanted = tuple(shape)
        if self.builder.tensor(tensor).shape == wanted:
            return tensor
        key = (tensor, wanted)
        if key not in self.views:
            node = self.fresh(f"{tensor.removesuffix('_out')}_view")
            (self.views[key],) = self.builder.add(Reshape(wanted), [tensor], node=node)
        return self.views[key]


@dataclass(frozen=True, slots=True)
class Call:
    """An aten node with its arguments by schema name: `Value`, torch tensor, number, list, None."""

    node: torch.fx.Node
    arguments: Mapping[str, Any]
    scope: Scope

    @property
    def operator(self) -> str:
        """The overload's name, e.g. ``aten.conv2d.default``."""
        return str(self.node.target)

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape of the first output."""
        meta = self.node.meta["val"]
        first = meta[0] if isinstance(meta, (tuple, list)) else meta
        return tuple(int(extent) for extent in first.shape)

    @property
    def place(self) -> str:
        """The operator and the module that calls it, for messages."""
        path, kind = module_of(self.node)
        return f"{self.operator} in module {path or '(top)'!r} ({kind})"

    def refuse(self, why: str, hint: str) -> NoReturn:
        """Raise UnsupportedOp about this call."""
        raise UnsupportedOp(self.place, why, hint)

    def needs_transposition(self, why: str) -> NoReturn:
        """Raise NeedsTransposition about this call."""
        raise NeedsTransposition(
            self.place,
            why,
            "keep the channels in axis 1 from the input on, and permute only before flattening",
        )

    def value(self, name: str) -> Value:
        """Argument `name`, which must be an activation."""
        given = self.arguments[name]
        if not isinstance(given, Value):
            self.refuse(f"{name!r} is a constant", "let it be computed from the model's input")
        return given

    def constant(self, name: str) -> Array:
        """Argument `name` as a float64 array; it must be a parameter, buffer or number."""
        array = self.optional_constant(name)
        assert array is not None, f"{self.place}: {name} is absent"
        return array

    def optional_constant(self, name: str) -> Array | None:
        """Argument `name` as a float64 array, or None where it is absent."""
        given = self.arguments.get(name)
        if isinstance(given, Value):
            self.refuse(f"{name!r} is computed at run time", "make it a parameter or a buffer")
        if given is None or isinstance(given, (bool, int, float)):
            return None if given is None else np.asarray(given, np.float64)
        if isinstance(given, Constant):
            return given.values.astype(np.float64)
        return np.asarray(given.detach().cpu().double().numpy())

    def is_value(self, name: str) -> bool:
        """Whether argument `name` is an activation."""
        return isinstance(self.arguments.get(name), Value)

    def pair(self, name: str, spatial: int, default: int) -> tuple[int, int]:
        """An argument over `spatial` axes as (rows, columns); a missing column is `default`."""
        given = self.arguments.get(name)
        listed = [given] if isinstance(given, int) else list(given or [])
        if len(listed) == 1:
            listed = listed * spatial
        full = [int(number) for number in listed] or [default] * spatial
        return full[0], full[1] if spatial == 2 else default

    def reads(self, index: int) -> bool:
        """Whether result `index` of several is read."""
        picked = [user for user in self.node.users if user.target is operator.getitem]
        if len(picked) < len(self.node.users):
            return True
        return any(user.args[1] == index and user.users for user in picked)

    def stem(self) -> str:
        """The name for the node that this call becomes: the module's path where it is a layer."""
        return self.scope.fresh(self.base_stem())

    def base_stem(self) -> str:
        """`stem`, which others may have."""
        path, kind = module_of(self.node)
        if path and kind.startswith("torch.nn."):
            return identifier(path)
        return identifier(f"{path}_{self.node.name}" if path else self.node.name)

    def emit(self, op: Op, tensor: str, constants: Mapping[str, Array | None] | None = None) -> str:
        """Append `op` on `tensor` and float32 `constants`; returns the name of its output."""
        node = self.stem()
        inputs = [tensor]
        for suffix, data in (constants or {}).items():
            if data is not None:
                name = f"{node}_{suffix}"
                contiguous = np.ascontiguousarray(data, np.float32)
                inputs.append(self.scope.builder.constant(name, DType.FLOAT32, contiguous))
        return self.scope.builder.add(op, inputs, node=node)[0]

    def physical_shape(self, value: Value) -> tuple[int, ...]:
        """The shape of the tensor that holds `value`."""
        return self.scope.builder.tensor(value.tensor).shape

    def image(self, value: Value, spatial: int) -> str:
        """A tensor [N, H, W, C] that holds `value` [N, C, *space]; one spatial axis becomes H.

        Channels may lie in another order than PyTorch counts them: see `Layout.slots`.
        """
        layout, rank = value.layout, len(value.layout.axes)
        if rank != spatial + 2:
            self.refuse(f"input of {rank} axes", "give it [N, C, ...] with a batch axis of 1")
        if not (layout.is_prefix((0, *range(2, rank))) and layout.is_suffix(1)):
            self.needs_transposition("its channels do not lie innermost in memory")
        batch, channels, *space = layout.shape
        return self.scope.reshape(value.tensor, (batch, *space, *[1] * (2 - spatial), channels))


def module_of(node: torch.fx.Node) -> tuple[str, str]:
    """(path, type name) of the innermost module that `node` belongs to; ("", type) at the top."""
    stack = node.meta.get("nn_module_stack") or {}
    for path, kind in reversed(list(stack.values())):
        name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
        return str(path), name
    return "", "no module"


def identifier(text: str) -> str:
    """`text` as a name: underscores for what is no letter or digit, and no digit in front."""
    name = "".join(letter if letter.isalnum() else "_" for letter in text).strip("_")
    return name if name and not name[0].isdigit() else f"layer_{name}".rstrip("_")


def four_axes(shape: Sequence[int]) -> tuple[int, int, int, int]:
    """A physical shape as [N, H, W, C] with the same last axis."""
    match tuple(shape):
        case (batch, rows, columns, channels):
            return batch, rows, columns, channels
        case (batch, rows, channels):
            return batch, rows, 1, channels
        case (batch, channels):
            return batch, 1, 1, channels
        case other:
            last = other[-1] if other else 1
            return 1, math.prod(other) // max(last, 1), 1, last
