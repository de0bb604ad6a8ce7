"""Reads TensorFlow Lite files (schema version 3) that may come from strangers.

Whatever the bytes are, the outcome is a validated `TfliteModel`, a `ModelFileError` or an
`UnsupportedError`, in time and memory proportional to the file's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smidgen.core.errors import ModelFileError, UnsupportedError, UnsupportedOp
from smidgen.frontends.tflite.check import check_calls, check_indices, check_subgraph
from smidgen.frontends.tflite.flatbuffer import FlatBuffer, Table
from smidgen.frontends.tflite.model import (
    TfliteModel,
    TfliteOperator,
    TfliteSignature,
    TfliteSubgraph,
)
from smidgen.frontends.tflite.option_tables import read_options
from smidgen.frontends.tflite.schema import (
    CUSTOM,
    FILE_IDENTIFIER,
    OPERATOR_NAMES,
    PLACEHOLDER_CODE,
    SCHEMA_VERSION,
    MetadataSlot,
    ModelSlot,
    OperatorCodeSlot,
    OperatorSlot,
    SignatureSlot,
    SubgraphSlot,
    TensorMapSlot,
)
from smidgen.frontends.tflite.sniff import describe_content
from smidgen.frontends.tflite.tensors import Buffers, Roles, outside_bytes, read_tensor

MAX_FILE_BYTES = 256 * 1024 * 1024
# TensorFlow Lite Micro's own compression of constants; needs its tables to make sense of them.
_COMPRESSION_METADATA = "COMPRESSION_METADATA"


def read_model(path: Path | str) -> TfliteModel:
    """The model in the file at `path`, named after the file.

    Raises:
        ModelFileError: the file is missing, is no TensorFlow Lite model, or is damaged.
        UnsupportedError: it uses a part of the format that this reader does not know.
    """
    path = Path(path)
    return parse_model(_load(path), path.name)


def _load(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelFileError(str(path), "is a folder", "name the .tflite file inside it")
        if not path.exists():
            raise ModelFileError(str(path), "there is no such file", "check the path")
        if not path.is_file():
            raise ModelFileError(str(path), "is no regular file", "name a .tflite file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelFileError(
                str(path),
                f"has {path.stat().st_size} bytes, far beyond any microcontroller",
                f"models of up to {MAX_FILE_BYTES} bytes are read",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ModelFileError(str(path), f"cannot be read: {why}", "check the path") from error


def parse_model(data: bytes, name: str) -> TfliteModel:
    """The model in `data`; `name` is what messages and the model are called.

    Constants are read-only views of `data`; only sub-byte and boolean ones are copied.

    Raises:
        ModelFileError: `data` is no TensorFlow Lite model, or is damaged.
        UnsupportedError: it uses a part of the format that this reader does not know.
    """
    data = bytes(data)
    _check_identity(data, name)
    buffer = FlatBuffer(data, name)
    model = buffer.root("Model")
    version = model.uint32(ModelSlot.VERSION)
    if version != SCHEMA_VERSION:
        raise UnsupportedError(name, f"is of schema version {version}, not {SCHEMA_VERSION}")
    metadata = tuple(
        t.text(MetadataSlot.NAME) for t in model.tables(ModelSlot.METADATA, "Metadata")
    )
    if _COMPRESSION_METADATA in metadata:
        raise UnsupportedError(name, "has compressed constants", "use the uncompressed model")
    subgraphs = _read_subgraphs(model)
    return TfliteModel(
        name=name,
        description=model.text(ModelSlot.DESCRIPTION),
        subgraphs=subgraphs,
        metadata=metadata,
        signatures=_read_signatures(model, subgraphs),
    )


def _check_identity(data: bytes, name: str) -> None:
    if not data:
        raise ModelFileError(name, "is empty", "export or fetch it again")
    if data[4:8] != FILE_IDENTIFIER:
        raise ModelFileError(
            name,
            f"is no TensorFlow Lite model: it seems to be {describe_content(data)}",
            "give a .tflite file (TensorFlow Lite schema version 3)",
        )


@dataclass(frozen=True, slots=True)
class _Code:
    name: str
    is_custom: bool
    version: int


@dataclass(frozen=True, slots=True)
class _Context:
    """What the parts of one file share."""

    buffer: FlatBuffer
    codes: tuple[_Code, ...]
    buffers: Buffers


def _read_subgraphs(model: Table) -> tuple[TfliteSubgraph, ...]:
    codes = tuple(_read_code(t) for t in model.tables(ModelSlot.OPERATOR_CODES, "OperatorCode"))
    buffers = Buffers(model.buffer, model.tables(ModelSlot.BUFFERS, "Buffer"))
    context = _Context(model.buffer, codes, buffers)
    tables = model.tables(ModelSlot.SUBGRAPHS, "SubGraph")
    if not len(tables):
        raise model.buffer.damaged("has no subgraph")
    subgraphs = tuple(_read_subgraph(t, i, context) for i, t in enumerate(tables))
    check_calls(model.buffer.name, subgraphs)
    return subgraphs


def _read_code(table: Table) -> _Code:
    # Numbers beyond a byte came later, in a field of their own; the larger one counts.
    number = max(
        table.int8(OperatorCodeSlot.DEPRECATED_BUILTIN_CODE),
        table.int32(OperatorCodeSlot.BUILTIN_CODE),
    )
    version = table.int32(OperatorCodeSlot.VERSION, 1)
    if not 0 <= number < len(OPERATOR_NAMES) or number == PLACEHOLDER_CODE:
        raise UnsupportedOp(
            table.buffer.name,
            f"uses operator number {number}, which the schema does not know",
            "export it with an older converter, or check that the file is undamaged",
        )
    name = OPERATOR_NAMES[number]
    if name != CUSTOM:
        return _Code(name, False, version)
    custom = table.text(OperatorCodeSlot.CUSTOM_CODE)
    if not custom:
        raise table.buffer.damaged("has a custom operator without a name")
    return _Code(custom, True, version)


def _read_subgraph(table: Table, index: int, context: _Context) -> TfliteSubgraph:
    name = table.text(SubgraphSlot.NAME) or f"subgraph {index}"
    tensor_tables = table.tables(SubgraphSlot.TENSORS, "Tensor")
    count = len(tensor_tables)
    inputs, outputs = table.ints(SubgraphSlot.INPUTS), table.ints(SubgraphSlot.OUTPUTS)
    check_indices(context.buffer.name, (*inputs, *outputs), count, name)
    operators = tuple(
        _read_operator(t, i, count, context)
        for i, t in enumerate(table.tables(SubgraphSlot.OPERATORS, "Operator"))
    )
    written = frozenset(output for operator in operators for output in operator.outputs)
    roles = Roles(frozenset(inputs), written)
    tensors = tuple(read_tensor(t, i, context.buffers, roles) for i, t in enumerate(tensor_tables))
    subgraph = TfliteSubgraph(name, tensors, operators, inputs, outputs)
    check_subgraph(context.buffer.name, subgraph)
    return subgraph


def _read_operator(table: Table, index: int, tensors: int, context: _Context) -> TfliteOperator:
    code = _code_of(table, context.codes)
    operator = TfliteOperator(
        index=index,
        name=code.name,
        is_custom=code.is_custom,
        version=code.version,
        inputs=table.ints(OperatorSlot.INPUTS),
        outputs=table.ints(OperatorSlot.OUTPUTS),
        intermediates=table.ints(OperatorSlot.INTERMEDIATES),
        mutating_variable_inputs=_read_flags(table),
        options=None if code.is_custom else read_options(table, code.name),
        custom_options=_read_custom_options(table),
    )
    file, what = context.buffer.name, str(operator)
    check_indices(file, operator.outputs, tensors, what)
    check_indices(file, (*operator.inputs, *operator.intermediates), tensors, what, optional=True)
    return operator


def _code_of(table: Table, codes: Sequence[_Code]) -> _Code:
    number = table.uint32(OperatorSlot.OPCODE_INDEX)
    if number >= len(codes):
        raise table.buffer.damaged(f"{table.kind} names operator code {number} of {len(codes)}")
    return codes[number]


def _read_flags(table: Table) -> tuple[bool, ...]:
    flags = table.array(OperatorSlot.MUTATING_VARIABLE_INPUTS, "u1")
    table.buffer.spend(8 * len(flags))
    return tuple(flag != 0 for flag in flags.tolist())


def _read_custom_options(table: Table) -> bytes:
    data = table.array(OperatorSlot.CUSTOM_OPTIONS, "u1")
    if not len(data):
        offset = table.uint64(OperatorSlot.LARGE_CUSTOM_OPTIONS_OFFSET)
        size = table.uint64(OperatorSlot.LARGE_CUSTOM_OPTIONS_SIZE)
        data = outside_bytes(table.buffer, offset, size, table.kind)
    table.buffer.spend(len(data))
    return data.tobytes()


def _read_signatures(
    model: Table, subgraphs: Sequence[TfliteSubgraph]
) -> tuple[TfliteSignature, ...]:
    tables = model.tables(ModelSlot.SIGNATURE_DEFS, "SignatureDef")
    return tuple(_read_signature(table, subgraphs) for table in tables)


def _read_signature(table: Table, subgraphs: Sequence[TfliteSubgraph]) -> TfliteSignature:
    index = table.uint32(SignatureSlot.SUBGRAPH_INDEX)
    if index >= len(subgraphs):
        raise table.buffer.damaged(f"{table.kind} names subgraph {index} of {len(subgraphs)}")
    inputs = _read_tensor_map(table, SignatureSlot.INPUTS)
    outputs = _read_tensor_map(table, SignatureSlot.OUTPUTS)
    count = len(subgraphs[index].tensors)
    named = (tensor for _, tensor in (*inputs, *outputs))
    check_indices(table.buffer.name, named, count, table.kind)
    return TfliteSignature(table.text(SignatureSlot.SIGNATURE_KEY), index, inputs, outputs)


def _read_tensor_map(table: Table, slot: int) -> tuple[tuple[str, int], ...]:
    return tuple(
        (entry.text(TensorMapSlot.NAME), entry.uint32(TensorMapSlot.TENSOR_INDEX))
        for entry in table.tables(slot, "TensorMap")
    )
