"""Which function lowers which operator; a new operator is one function and one entry."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.frontends.onnx.activations import ACTIVATIONS
from smidgen.frontends.onnx.attention import attention
from smidgen.frontends.onnx.call import Lowering
from smidgen.frontends.onnx.casting import CASTS
from smidgen.frontends.onnx.convolution import CONVOLUTIONS
from smidgen.frontends.onnx.einsum import einsum
from smidgen.frontends.onnx.elementwise import ELEMENTWISE
from smidgen.frontends.onnx.folding import FOLDS, constant_node, shape_node, size_node
from smidgen.frontends.onnx.normalization import NORMALIZATIONS
from smidgen.frontends.onnx.one_hot import ONE_HOT
from smidgen.frontends.onnx.placing import PLACING
from smidgen.frontends.onnx.pooling import POOLS
from smidgen.frontends.onnx.powers import power
from smidgen.frontends.onnx.products import PRODUCTS
from smidgen.frontends.onnx.quantized import QUANTIZED
from smidgen.frontends.onnx.recurrent import RECURRENT
from smidgen.frontends.onnx.reduction import REDUCTIONS
from smidgen.frontends.onnx.resizing import RESIZING
from smidgen.frontends.onnx.rotary import rotary_embedding
from smidgen.frontends.onnx.shaping import SHAPING

LOWERINGS: Mapping[str, Lowering] = {
    **ACTIVATIONS,
    **CASTS,
    **CONVOLUTIONS,
    **ELEMENTWISE,
    **NORMALIZATIONS,
    **ONE_HOT,
    **PLACING,
    **POOLS,
    **PRODUCTS,
    **QUANTIZED,
    **RECURRENT,
    **REDUCTIONS,
    **RESIZING,
    **SHAPING,
    "Attention": attention,
    "Einsum": einsum,
    "Pow": power,
    "RotaryEmbedding": rotary_embedding,
    "Constant": constant_node,
    "Shape": shape_node,
    "Size": size_node,
}
"""How each operator becomes graph."""

_INSTEAD: Mapping[str, str] = {
    "If": "export with fixed shapes, so that its condition is known",
    "Loop": "export with fixed shapes, so that loops are unrolled",
    "Scan": "export with fixed shapes, so that loops are unrolled",
    "NonMaxSuppression": "leave the boxes to the program that calls the model",
    "TopK": "return all scores, and let the caller sort them, or use ArgMax",
    "RandomNormal": "leave random numbers to the program that calls the model",
}


def alternatives(op_type: str) -> str:
    """What to use instead of an operator that is not taken."""
    return _INSTEAD.get(op_type, f"use others, such as: {', '.join(sorted(LOWERINGS))}")


def known_operators() -> tuple[str, ...]:
    """All operators that are taken, those on constants only among them."""
    return tuple(sorted({*LOWERINGS, *FOLDS}))
