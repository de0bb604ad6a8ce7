"""Writes .tflite files for tests, through the schema classes of the `tflite_micro` package.

The classes are generated from TensorFlow's own schema, so what a test writes here is independent
of how smidgen reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_PACKED_BITS = {"int4": 4, "uint4": 4, "int2": 2}
_POOL, _REDUCE, _RANDOM = "Pool2DOptions", "ReducerOptions", "RandomOptions"

# Options tables whose name does not follow from the operator's.
_TABLES = {
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "L2_POOL_2D": _POOL,
    "MEAN": _REDUCE,
    "SUM": _REDUCE,
    "REDUCE_PROD": _REDUCE,
    "REDUCE_MAX": _REDUCE,
    "REDUCE_MIN": _REDUCE,
    "REDUCE_ANY": _REDUCE,
    "REDUCE_ALL": _REDUCE,
    "L2_NORMALIZATION": "L2NormOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
    "RANDOM_UNIFORM": _RANDOM,
    "RANDOM_STANDARD_NORMAL": _RANDOM,
    "MULTINOMIAL": _RANDOM,
}


@dataclass(frozen=True)
class TensorSpec:
    """A tensor; `scale` and `zero_point` may be sequences (one a channel along `axis`).

    `dtype` is the schema's name in lower case. `data` holds a constant in `shape`; packed types are
    given one element to an int8. `raw` puts bytes into the buffer as they are.
    """

    shape: Sequence[int]
    dtype: str = "int8"
    scale: float | Sequence[float] | None = None
    zero_point: int | Sequence[int] = 0
    axis: int = 0
    data: np.ndarray | None = None
    raw: bytes | None = None
    name: str = ""
    is_variable: bool = False
    shape_signature: Sequence[int] | None = None
    is_sparse: bool = False


@dataclass(frozen=True)
class OperatorSpec:
    """An operator; a name that the schema does not know makes it a custom one.

    `options` are fields of its table by their schema names, e.g. ``{"stride_w": 1}``; `table` names
    another table than the operator's own.
    """

    name: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: Mapping[str, Any] | None = None
    table: str | None = None
    custom_options: bytes = b""
    intermediates: Sequence[int] = ()
    mutating_variable_inputs: Sequence[bool] = ()
    version: int = 1


@dataclass(frozen=True)
class SubgraphSpec:
    """One subgraph."""

    tensors: Sequence[TensorSpec]
    operators: Sequence[OperatorSpec]
    inputs: Sequence[int]
    outputs: Sequence[int]
    name: str = "main"


@dataclass
class _Draft:
    """The parts of a model that its subgraphs share."""

    codes: list[tuple[str, int]] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])


def write_model(
    tensors: Sequence[TensorSpec],
    operators: Sequence[OperatorSpec],
    inputs: Sequence[int],
    outputs: Sequence[int],
    *,
    more: Sequence[SubgraphSpec] = (),
    description: str = "written by a test",
    version: int = 3,
) -> bytes:
    """A .tflite file with one subgraph, and those in `more` after it."""
    main = SubgraphSpec(tensors, operators, inputs, outputs)
    draft = _Draft()
    model = schema.ModelT()
    model.version = version
    model.description = description
    model.subgraphs = [_subgraph(spec, draft) for spec in (main, *more)]
    model.operatorCodes = [_code(name, revision) for name, revision in draft.codes]
    model.buffers = draft.buffers
    return pack(model)


def pack(model: Any) -> bytes:
    """The file of a `ModelT`."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def unpack(data: bytes) -> Any:
    """The `ModelT` of a file, to be changed and packed again."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def _subgraph(spec: SubgraphSpec, draft: _Draft) -> Any:
    graph = schema.SubGraphT()
    graph.name = spec.name
    graph.tensors = [_tensor(tensor, draft) for tensor in spec.tensors]
    graph.operators = [_operator(operator, draft) for operator in spec.operators]
    graph.inputs, graph.outputs = _ints(spec.inputs), _ints(spec.outputs)
    return graph


def _ints(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int32)


def _tensor(spec: TensorSpec, draft: _Draft) -> Any:
    tensor = schema.TensorT()
    tensor.name = spec.name or None
    tensor.shape = _ints(spec.shape)
    tensor.type = getattr(schema.TensorType, spec.dtype.upper())
    tensor.isVariable = spec.is_variable
    tensor.hasRank = True
    tensor.shapeSignature = None if spec.shape_signature is None else _ints(spec.shape_signature)
    tensor.sparsity = schema.SparsityParametersT() if spec.is_sparse else None
    tensor.quantization = _quantization(spec)
    tensor.buffer = _buffer(spec, draft)
    return tensor


def _quantization(spec: TensorSpec) -> Any:
    if spec.scale is None:
        return None
    params = schema.QuantizationParametersT()
    params.scale = np.atleast_1d(np.array(spec.scale, np.float32))
    zero_points = np.atleast_1d(np.array(spec.zero_point, np.int64))
    params.zeroPoint = np.resize(zero_points, len(params.scale)).astype(np.int64)
    params.quantizedDimension = spec.axis
    return params


def _buffer(spec: TensorSpec, draft: _Draft) -> int:
    raw = spec.raw if spec.data is None else encode(spec.data, spec.dtype)
    if raw is None:
        return 0
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(raw, np.uint8)
    draft.buffers.append(buffer)
    return len(draft.buffers) - 1


def encode(values: np.ndarray, dtype: str) -> bytes:
    """The bytes of `values` in a file; packed types fill each byte from its lowest bits."""
    if dtype not in _PACKED_BITS:
        return np.asarray(values, dtype).tobytes()
    bits = _PACKED_BITS[dtype]
    flat = np.asarray(values).reshape(-1).astype(np.int64) & ((1 << bits) - 1)
    flat = np.concatenate([flat, np.zeros(-len(flat) % (8 // bits), np.int64)])
    shifts = np.arange(0, 8, bits)
    return (flat.reshape(-1, 8 // bits) << shifts).sum(axis=1).astype(np.uint8).tobytes()


def _operator(spec: OperatorSpec, draft: _Draft) -> Any:
    code = (spec.name, spec.version)
    if code not in draft.codes:
        draft.codes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = draft.codes.index(code)
    operator.inputs, operator.outputs = _ints(spec.inputs), _ints(spec.outputs)
    operator.intermediates = _ints(spec.intermediates) if len(spec.intermediates) else None
    if spec.mutating_variable_inputs:
        operator.mutatingVariableInputs = list(spec.mutating_variable_inputs)
    if spec.custom_options:
        operator.customOptions = np.frombuffer(spec.custom_options, np.uint8)
    if spec.options is not None:
        _set_options(operator, spec.table or options_table(spec.name), spec.options)
    return operator


def options_table(operator: str) -> str:
    """The name of an operator's options table."""
    if operator in _TABLES:
        return _TABLES[operator]
    wanted = operator.replace("_", "").lower() + "options"
    known = {name.lower(): name for name in vars(schema.BuiltinOptions) if name[0] != "_"}
    return known[wanted]


def _set_options(operator: Any, table: str, values: Mapping[str, Any]) -> None:
    options = getattr(schema, table + "T")()
    for name, value in values.items():
        head, *rest = name.split("_")
        attribute = head + "".join(part.capitalize() for part in rest)
        if not hasattr(options, attribute):
            raise AttributeError(f"{table} has no field {name}")
        raw = isinstance(value, bytes)
        setattr(options, attribute, np.frombuffer(value, np.uint8) if raw else value)
    operator.builtinOptions = options
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)


def _code(name: str, version: int) -> Any:
    code = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
    code.builtinCode = number
    code.deprecatedBuiltinCode = min(number, 127)
    code.version = version
    if number == schema.BuiltinOperator.CUSTOM:
        code.customCode = name
    return code
