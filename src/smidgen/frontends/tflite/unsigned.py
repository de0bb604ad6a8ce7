"""Models of uint8 quanta become models of int8 quanta: 128 less, and so are the zero points.

Real values stay what they are, so that every layer computes the same; weights keep a zero point.
The caller still sees uint8: exact QUANTIZE operators stand at the inputs and outputs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.frontends.tflite.model import (
    TfliteModel,
    TfliteOperator,
    TfliteQuantization,
    TfliteSubgraph,
    TfliteTensor,
)
from smidgen.frontends.tflite.recast import Recast
from smidgen.frontends.tflite.schema import TensorType

_OFFSET = 128
# They take uint8 as it is: inputs that only they read stay, and so does what they put out.
_CONVERTERS = frozenset({"QUANTIZE", "DEQUANTIZE", "CAST"})


def with_signed_quanta(model: TfliteModel) -> TfliteModel:
    """`model` with every quantised uint8 tensor as int8, but for what the caller sees."""
    main, *rest = model.subgraphs
    shift = Recast(lambda quanta: (quanta.astype(np.int16) - _OFFSET).astype(np.int8))
    signed = [_shifted(subgraph, frozenset(), shift) for subgraph in rest]
    return replace(model, subgraphs=(_main(main, shift), *signed))


def _main(subgraph: TfliteSubgraph, shift: Recast) -> TfliteSubgraph:
    kept = _kept(subgraph)
    shifted = _shifted(subgraph, kept, shift)
    tensors = list(shifted.tensors)
    before = [_port(subgraph, tensors, index, kept) for index in subgraph.inputs]
    after = [_port(subgraph, tensors, index, kept) for index in subgraph.outputs]
    entries = zip(before, subgraph.inputs, strict=True)
    exits = zip(subgraph.outputs, after, strict=True)
    operators = (
        *(_quantize(port, inner) for port, inner in entries if port != inner),
        *shifted.operators,
        *(_quantize(inner, port) for inner, port in exits if port != inner),
    )
    return replace(
        shifted,
        tensors=tuple(tensors),
        operators=operators,
        inputs=tuple(before),
        outputs=tuple(after),
    )


def _is_unsigned(tensor: TfliteTensor) -> bool:
    return tensor.dtype is TensorType.UINT8 and tensor.quantization is not None


def _kept(subgraph: TfliteSubgraph) -> frozenset[int]:
    """The inputs and outputs that only operators for conversion touch: they need no change."""
    touched = {
        index
        for operator in subgraph.operators
        if operator.name not in _CONVERTERS
        for index in (*operator.inputs, *operator.outputs)
    }
    ports = set(subgraph.inputs) ^ set(subgraph.outputs)
    return frozenset(ports - touched)


def _shifted(subgraph: TfliteSubgraph, kept: frozenset[int], shift: Recast) -> TfliteSubgraph:
    tensors = (
        _signed(tensor, shift) if _is_unsigned(tensor) and tensor.index not in kept else tensor
        for tensor in subgraph.tensors
    )
    return replace(subgraph, tensors=tuple(tensors))


def _signed(tensor: TfliteTensor, shift: Recast) -> TfliteTensor:
    quant = tensor.quantization
    assert quant is not None
    moved = TfliteQuantization(quant.scales, quant.zero_points - _OFFSET, quant.axis)
    data = tensor.data
    if data is not None and not tensor.is_sparse:
        data = shift(data)
    return replace(tensor, dtype=TensorType.INT8, quantization=moved, data=data)


def _port(
    subgraph: TfliteSubgraph, tensors: list[TfliteTensor], index: int, kept: frozenset[int]
) -> int:
    """The tensor that the caller sees for tensor `index`: a new uint8 one if that became int8."""
    tensor = subgraph.tensors[index]
    if not _is_unsigned(tensor) or index in kept:
        return index
    tensors.append(replace(tensor, index=len(tensors), data=None))
    inner = f"{tensor.name or f'tensor_{index}'}/int8"
    tensors[index] = replace(tensors[index], name=inner)
    return len(tensors) - 1


def _quantize(source: int, target: int) -> TfliteOperator:
    return TfliteOperator(
        index=-1,
        name="QUANTIZE",
        is_custom=False,
        version=1,
        inputs=(source,),
        outputs=(target,),
        intermediates=(),
        mutating_variable_inputs=(),
        options=None,
        custom_options=b"",
    )
