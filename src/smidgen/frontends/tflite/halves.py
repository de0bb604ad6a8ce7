"""Constants in float16 become float32, which holds each of them exactly.

Post-training float16 quantisation keeps weights as halves and puts a DEQUANTIZE behind each. Micro
takes no such file; but the floats that its layers compute with are known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.frontends.tflite.model import TfliteModel, TfliteOperator, TfliteSubgraph, TfliteTensor
from smidgen.frontends.tflite.recast import Recast
from smidgen.frontends.tflite.schema import TensorType


def with_full_floats(model: TfliteModel) -> TfliteModel:
    """`model` with every float16 constant as float32, and without the DEQUANTIZE behind it."""
    widen = Recast(lambda halves: halves.astype(np.float32))
    return replace(model, subgraphs=tuple(_widened(part, widen) for part in model.subgraphs))


def _widened(subgraph: TfliteSubgraph, widen: Recast) -> TfliteSubgraph:
    tensors = [_full(tensor, widen) for tensor in subgraph.tensors]
    kept = []
    for operator in subgraph.operators:
        if _only_widens(subgraph, operator):
            (source,), (target,) = operator.inputs, operator.outputs
            tensors[target] = replace(tensors[target], data=tensors[source].data)
        else:
            kept.append(operator)
    return replace(subgraph, tensors=tuple(tensors), operators=tuple(kept))


def _only_widens(subgraph: TfliteSubgraph, operator: TfliteOperator) -> bool:
    if operator.name != "DEQUANTIZE" or len(operator.inputs) != 1 or len(operator.outputs) != 1:
        return False
    source, target = (subgraph.tensors[i] for i in (*operator.inputs, *operator.outputs))
    is_plain = target.dtype is TensorType.FLOAT32 and target.shape == source.shape
    return operator.inputs[0] >= 0 and _is_half(source) and is_plain


def _is_half(tensor: TfliteTensor) -> bool:
    is_dense = tensor.data is not None and not tensor.is_sparse
    return is_dense and tensor.dtype is TensorType.FLOAT16


def _full(tensor: TfliteTensor, widen: Recast) -> TfliteTensor:
    if not _is_half(tensor) or tensor.data is None:
        return tensor
    return replace(tensor, dtype=TensorType.FLOAT32, data=widen(tensor.data))
