"""Operators that only rename axes, which costs nothing here, and those that do nothing at all."""

from __future__ import annotations

from smidgen.frontends.layout import Layout, NeedsTransposition
from smidgen.frontends.pytorch.call import Call, Value
from smidgen.ops.shape.join import Concat


def view(call: Call) -> Value:
    """Any reshape: the output's logical shape says it all."""
    x = call.value("self")
    try:
        return Value(x.tensor, x.layout.reshaped(call.shape))
    except NeedsTransposition as error:
        return call.needs_transposition(error.why)


def permute(call: Call) -> Value:
    """Logical axes in another order."""
    x = call.value("self")
    rank = len(x.layout.axes)
    return Value(x.tensor, x.layout.permuted([int(axis) % rank for axis in call.arguments["dims"]]))


def transpose(call: Call) -> Value:
    """Two logical axes exchanged."""
    x = call.value("self")
    rank = len(x.layout.axes)
    order = list(range(rank))
    one, other = (int(call.arguments.get(f"dim{i}", i)) % rank for i in range(2))
    order[one], order[other] = order[other], order[one]
    return Value(x.tensor, x.layout.permuted(order))


def matrix_transpose(call: Call) -> Value:
    """All logical axes reversed (t of at most two axes)."""
    x = call.value("self")
    return Value(x.tensor, x.layout.permuted(range(len(x.layout.axes))[::-1]))


def nothing(call: Call) -> Value:
    """The first argument itself."""
    return call.value(next(iter(call.arguments)))


def dropout(call: Call) -> Value:
    """Nothing, at inference."""
    if call.arguments.get("train"):
        call.refuse("dropout in training mode", "call eval() before exporting")
    return nothing(call)


def same_shape(call: Call) -> Value:
    """An expansion that expands nothing."""
    x = call.value("self")
    if x.layout.shape != call.shape:
        call.refuse("an activation is repeated", "leave the broadcast to the sum that needs it")
    return x


def concatenate(call: Call) -> Value:
    """Concat of activations that all lie channels-last, or all as PyTorch has them."""
    given = call.arguments["tensors"]
    parts = [part for part in given if isinstance(part, Value)]
    if len(parts) < len(given):
        call.refuse("an activation is joined with a constant", "join activations only")
    rank = len(call.shape)
    order = _common_order(call, parts, rank)
    tensors = [
        call.scope.reshape(part.tensor, [part.layout.shape[axis] for axis in order])
        for part in parts
    ]
    op = Concat(order.index(int(call.arguments["dim"]) % rank))
    (joined,) = call.scope.builder.add(op, tensors, node=call.stem())
    return Value(joined, Layout.of(call.shape, order))


def _common_order(call: Call, parts: list[Value], rank: int) -> tuple[int, ...]:
    """The order of logical axes in which memory holds every one of `parts`."""
    channels_last = (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))
    for order in (channels_last, tuple(range(rank))):
        if all(part.layout.is_prefix(order) for part in parts):
            return order
    return call.needs_transposition("its operands lie in different orders in memory")


VIEWS = dict.fromkeys(
    (
        "aten.view.default",
        "aten._unsafe_view.default",
        "aten.reshape.default",
        "aten.flatten.using_ints",
        "aten.unflatten.int",
        "aten.squeeze.default",
        "aten.squeeze.dim",
        "aten.squeeze.dims",
        "aten.unsqueeze.default",
    ),
    view,
)

NOTHINGS = dict.fromkeys(
    (
        "aten.alias.default",
        "aten.clone.default",
        "aten.contiguous.default",
        "aten.detach.default",
        "aten.lift_fresh_copy.default",
        "aten._to_copy.default",
        "aten.to.dtype",
        "aten.to.dtype_layout",
        "aten.to.device",
    ),
    nothing,
)

SHAPING = {
    **VIEWS,
    **NOTHINGS,
    "aten.permute.default": permute,
    "aten.transpose.int": transpose,
    "aten.t.default": matrix_transpose,
    "aten.dropout.default": dropout,
    "aten.feature_dropout.default": dropout,
    "aten.expand.default": same_shape,
    "aten.cat.default": concatenate,
}
