"""The inputs and outputs of a model: their shapes, and their quantisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import UnsupportedType
from smidgen.frontends.onnx.model import OnnxModel, OnnxNode, OnnxPort
from smidgen.frontends.onnx.scope import MAX_ACTIVATION_ELEMENTS
from smidgen.frontends.onnx.tensors import UNSIGNED_OFFSET
from smidgen.graph.tensor import Quantization

_PASSING = frozenset(
    (
        *("Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Slice", "Split"),
        *("MaxPool", "GlobalMaxPool", "Gather", "Pad", "Concat", "Expand", "Tile", "Dropout"),
    )
)
"""Operators that leave quanta what they are."""
_PAIRED = frozenset(("QLinearAdd", "QLinearMul", "QLinearMatMul"))


def fixed_shape(port: OnnxPort, what: str) -> tuple[int, ...]:
    """The shape of an input; an open first extent is the batch, and becomes 1."""
    if port.shape is None:
        raise UnsupportedType(what, "has no shape", "export it with fixed input shapes")
    first_open = port.shape[:1] and (isinstance(port.shape[0], str) or port.shape[0] < 1)
    shape = (1, *port.shape[1:]) if first_open else port.shape
    open_axes = [str(extent) for extent in shape if isinstance(extent, str)]
    if open_axes:
        raise UnsupportedType(
            what,
            f"has the open extents {', '.join(open_axes)} in {list(port.shape)}",
            "export with fixed shapes (dynamic_axes for the batch only), or fix them by "
            "onnx.tools.update_model_dims",
        )
    fixed = tuple(int(extent) for extent in shape)
    if min(fixed, default=1) < 1 or math.prod(fixed) > MAX_ACTIVATION_ELEMENTS or len(fixed) > 8:
        raise UnsupportedType(
            what, f"has the shape {list(fixed)}", "fix its extents to what the device will see"
        )
    return fixed


def input_quantization(
    name: str, nodes: Sequence[OnnxNode], constants: Mapping[str, Array], unsigned: bool
) -> Quantization | None:
    """What the first reader that dequantises input `name` says of it, in terms of int8."""
    same = {name}
    for node in nodes:
        if node.op_type in _PASSING and node.inputs and node.inputs[0] in same:
            same.update(node.outputs)
        for place in _places(node, same):
            found = _at(node, place, constants, unsigned)
            if found is not None:
                return found
    return None


def _places(node: OnnxNode, names: set[str]) -> list[int]:
    """Where `node` reads quanta called one of `names` whose scale it says beside them."""
    if node.op_type == "QLinearConcat":
        candidates = list(range(2, len(node.inputs), 3))
    else:
        candidates = [0, 3] if node.op_type in _PAIRED else [0]
    says = node.op_type == "DequantizeLinear" or node.op_type.startswith(("QLinear", "QGemm"))
    says = says or node.op_type.endswith("Integer")
    return [p for p in candidates if says and p < len(node.inputs) and node.inputs[p] in names]


def _at(
    node: OnnxNode, place: int, constants: Mapping[str, Array], unsigned: bool
) -> Quantization | None:
    whole = node.op_type.endswith("Integer")
    scale_name, zero_name = (
        node.inputs[index] if index < len(node.inputs) else ""
        for index in ((-1, 2) if whole else (place + 1, place + 2))
    )
    scale = np.ones(()) if whole else constants.get(scale_name)
    zero = constants.get(zero_name)
    if scale is None or scale.size != 1 or (zero is not None and zero.size != 1):
        return None
    factor = float(scale.reshape(-1)[0])
    if not (math.isfinite(factor) and factor > 0):
        return None
    start = 0 if zero is None else int(zero.reshape(-1)[0])
    return Quantization((factor,), (start - (UNSIGNED_OFFSET if unsigned else 0),))


def as_unsigned(quant: Quantization) -> Quantization:
    """The quantisation of the same numbers as uint8."""
    return Quantization(quant.scales, (quant.zero_point + UNSIGNED_OFFSET,))


def constants_of(model: OnnxModel, nodes: Sequence[OnnxNode]) -> dict[str, Array]:
    """Initialisers and the values of Constant nodes, by name."""
    found = dict(model.constants)
    for node in nodes:
        value = node.attributes.get("value")
        if node.op_type == "Constant" and isinstance(value, np.ndarray) and node.outputs:
            found[node.outputs[0]] = value
    return found
