"""Reads one tensor: shape, type, quantisation and, where it is constant, its values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ModelFileError, UnsupportedError, UnsupportedType
from smidgen.frontends.tflite.flatbuffer import DAMAGED_HINT, FlatBuffer, Table, TableVector
from smidgen.frontends.tflite.model import TfliteQuantization, TfliteTensor
from smidgen.frontends.tflite.schema import (
    BufferSlot,
    QuantizationSlot,
    TensorSlot,
    TensorType,
)

MAX_RANK = 16
MAX_TENSOR_BYTES = 2**31 - 1
# Two to four elements a byte is what packed types unpack to; more means overlapping buffers.
_UNPACKED_BYTES_PER_FILE_BYTE = 4
_BUFFER_BYTES_PER_FILE_BYTE = 2


class Buffers:
    """The model's raw buffers, looked up by index and unpacked at most once each."""

    __slots__ = ("_allowance", "_raw", "_ready", "_tables", "_unpack_allowance", "buffer")

    def __init__(self, buffer: FlatBuffer, tables: TableVector) -> None:
        self.buffer = buffer
        self._tables = tables
        self._raw: dict[int, Array] = {}
        self._allowance = _BUFFER_BYTES_PER_FILE_BYTE * buffer.size
        self._ready: dict[tuple[int, TensorType], Array] = {}
        self._unpack_allowance = _UNPACKED_BYTES_PER_FILE_BYTE * buffer.size

    def raw(self, index: int, user: str) -> Array | None:
        """Buffer `index` as read-only uint8 [n], None where it is empty (no constant)."""
        if index == 0:
            return None
        if index >= len(self._tables):
            raise self.buffer.damaged(f"{user} names buffer {index} of {len(self._tables)}")
        if index not in self._raw:
            self._raw[index] = self._read(index, user)
        data = self._raw[index]
        return data if len(data) else None

    def _read(self, index: int, user: str) -> Array:
        table = self._tables[index]
        data = table.array(BufferSlot.DATA, "u1")
        if len(data) == 0:
            offset = table.uint64(BufferSlot.OFFSET)
            data = outside_bytes(self.buffer, offset, table.uint64(BufferSlot.SIZE), user)
        self._allowance -= len(data)
        if self._allowance < 0:
            raise self.buffer.damaged("its buffers overlap")
        return data

    def elements(self, index: int, raw: Array, dtype: TensorType) -> Array:
        """The bytes `raw` of buffer `index` as elements of `dtype`, shape [n or a little more]."""
        if dtype.bits >= 8 and dtype is not TensorType.BOOL:
            typed: Array = np.frombuffer(raw, dtype.numpy)
            return typed
        key = (index, dtype)
        if key not in self._ready:
            self._ready[key] = self._convert(raw, dtype)
        return self._ready[key]

    def _convert(self, raw: Array, dtype: TensorType) -> Array:
        per_byte = 8 // dtype.bits
        self._unpack_allowance -= per_byte * len(raw)
        if self._unpack_allowance < 0:
            raise self.buffer.damaged("its buffers overlap")
        values = _unpack(raw, dtype) if per_byte > 1 else (raw != 0)
        values.setflags(write=False)
        return values


def outside_bytes(buffer: FlatBuffer, offset: int, size: int, user: str) -> Array:
    """Bytes that lie in the file but outside the FlatBuffer; offsets 0 and 1 mean none."""
    if offset <= 1 or size == 0:
        return np.zeros(0, np.uint8)
    if offset + size > buffer.size:
        raise buffer.damaged(f"{user} has data at byte {offset}, past the end of the file")
    return np.frombuffer(buffer.data, np.uint8, size, offset)


def _unpack(raw: Array, dtype: TensorType) -> Array:
    """Sub-byte elements, lowest bits first, one to an int8 (or uint8 for unsigned types)."""
    bits = dtype.bits
    container = raw.view(dtype.numpy)
    left = np.arange(8 - bits, -1, -bits, dtype=container.dtype)
    # Shifting up drops the higher neighbours; shifting down again extends the sign.
    values: Array = (container[:, None] << left) >> container.dtype.type(8 - bits)
    return values.reshape(-1)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which tensors of a subgraph get their value while it runs."""

    inputs: frozenset[int]
    written: frozenset[int]


def read_tensor(table: Table, index: int, buffers: Buffers, roles: Roles) -> TfliteTensor:
    """One tensor.

    Args:
        table: Its ``Tensor`` table.
        index: Its place in the subgraph.
        buffers: The model's buffers.
        roles: What the subgraph feeds and what its operators write.

    Raises:
        ModelFileError: it contradicts itself, or reaches outside the file.
        UnsupportedError: a type or kind of quantisation that is newer than our schema.
    """
    name = table.text(TensorSlot.NAME)
    what = f"tensor {index} ({name!r})" if name else f"tensor {index}"
    dtype = _read_type(table, what)
    shape = _read_shape(table, dtype, what)
    is_variable = table.boolean(TensorSlot.IS_VARIABLE)
    is_sparse = table.has(TensorSlot.SPARSITY)
    data = None
    # A runtime overwrites what the file holds for inputs and clears variables: not constants.
    if index not in roles.inputs and not is_variable:
        data = _read_data(table, buffers, dtype, (-1,) if is_sparse else shape, what)
        if data is None and 0 in shape and index not in roles.written:
            data = _frozen(np.zeros(shape, dtype.numpy))
    return TfliteTensor(
        index=index,
        name=name,
        shape=shape,
        dtype=dtype,
        quantization=_read_quantization(table, dtype, shape, what),
        data=data,
        is_variable=is_variable,
        is_sparse=is_sparse,
        shape_signature=_read_signature(table, shape, what),
        has_rank=table.boolean(TensorSlot.HAS_RANK),
    )


def _frozen(values: Array) -> Array:
    values.setflags(write=False)
    return values


def _read_type(table: Table, what: str) -> TensorType:
    code = table.int8(TensorSlot.TYPE)
    try:
        return TensorType(code)
    except ValueError:
        raise UnsupportedType(
            table.buffer.name,
            f"{what} has element type {code}, which the schema does not know",
            "export it with an older converter, or check that the file is undamaged",
        ) from None


def _read_shape(table: Table, dtype: TensorType, what: str) -> tuple[int, ...]:
    shape = table.ints(TensorSlot.SHAPE)
    if len(shape) > MAX_RANK:
        raise table.buffer.damaged(f"{what} has {len(shape)} dimensions, more than {MAX_RANK}")
    if any(size < 0 for size in shape):
        raise ModelFileError(
            table.buffer.name,
            f"{what} has shape {list(shape)}, with a size that is not known",
            "export it with fixed input shapes (batch size 1)",
        )
    if dtype.nbytes(math.prod(shape)) > MAX_TENSOR_BYTES or math.prod(shape) > MAX_TENSOR_BYTES:
        raise table.buffer.damaged(f"{what} has shape {list(shape)}, beyond any memory")
    return shape


def _read_signature(table: Table, shape: tuple[int, ...], what: str) -> tuple[int, ...] | None:
    signature = table.ints(TensorSlot.SHAPE_SIGNATURE)
    if not signature:
        return None
    if len(signature) != len(shape) or any(size < -1 for size in signature):
        raise table.buffer.damaged(
            f"{what} has shape {list(shape)} but shape signature {list(signature)}"
        )
    return signature


def _read_data(
    table: Table, buffers: Buffers, dtype: TensorType, shape: tuple[int, ...], what: str
) -> Array | None:
    if table.uint32(TensorSlot.EXTERNAL_BUFFER):
        raise UnsupportedError(
            table.buffer.name,
            f"{what} keeps its values in another file",
            "export the model as a single file",
        )
    index = table.uint32(TensorSlot.BUFFER)
    raw = buffers.raw(index, what)
    if raw is None or shape == (-1,) or dtype.bits == 0:
        return raw
    count = math.prod(shape)
    if dtype.nbytes(count) != len(raw):
        raise table.buffer.damaged(
            f"{what} is {dtype.label} {list(shape)}, {dtype.nbytes(count)} bytes, "
            f"but its buffer holds {len(raw)}"
        )
    return buffers.elements(index, raw, dtype)[:count].reshape(shape)


def _read_quantization(
    table: Table, dtype: TensorType, shape: tuple[int, ...], what: str
) -> TfliteQuantization | None:
    params = table.table(TensorSlot.QUANTIZATION, f"quantization of {what}")
    if params is None:
        return None
    if params.uint8(QuantizationSlot.DETAILS_TYPE):
        raise UnsupportedType(
            table.buffer.name,
            f"{what} is quantised in blocks or in a custom way",
            "quantise it per tensor or per channel",
        )
    scales = params.array(QuantizationSlot.SCALE, "<f4")
    params.buffer.spend(scales.nbytes)
    # Some writers put a scale of 0 on tensors that they left unquantised.
    if not scales.view("<u4").any():
        return None
    axis = params.int32(QuantizationSlot.QUANTIZED_DIMENSION)
    zero_points = _read_zero_points(params, len(scales), dtype, what)
    _check_scales(table.buffer, scales, shape, axis, what)
    return TfliteQuantization(scales, zero_points, axis)


def _read_zero_points(params: Table, count: int, dtype: TensorType, what: str) -> Array:
    """One zero point a scale; a single one stands for all, none for 0."""
    given = params.array(QuantizationSlot.ZERO_POINT, "<i8")
    params.buffer.spend(given.nbytes)
    if len(given) not in (0, 1, count):
        raise params.buffer.damaged(f"{what} has {count} scales but {len(given)} zero points")
    low, high = _quantum_range(dtype)
    if len(given) and (given.min() < low or given.max() > high):
        raise params.buffer.damaged(f"{what} has a zero point outside {low} to {high}")
    if len(given) == count:
        return given
    return np.broadcast_to(given[0] if len(given) else np.int64(0), (count,))


def _quantum_range(dtype: TensorType) -> tuple[int, int]:
    if dtype.bits < 8 and dtype.bits:
        signed = dtype is not TensorType.UINT4
        half = 1 << (dtype.bits - 1)
        return (-half, half - 1) if signed else (0, 2 * half - 1)
    if dtype.numpy.kind not in "iu":
        return -(2**31), 2**31 - 1
    info = np.iinfo(dtype.numpy)
    return int(info.min), int(info.max)


def _check_scales(
    buffer: FlatBuffer, scales: Array, shape: tuple[int, ...], axis: int, what: str
) -> None:
    # On the bits, as NumPy warns of some NaNs: positive and finite is between 0 and infinity.
    bits = scales.view("<u4")
    if not ((bits > 0) & (bits < 0x7F800000)).all():
        raise ModelFileError(
            buffer.name,
            f"{what} has a quantisation scale that is not above 0 and finite",
            DAMAGED_HINT,
        )
    if len(scales) == 1:
        return
    if not 0 <= axis < len(shape) or shape[axis] != len(scales):
        raise buffer.damaged(
            f"{what} has {len(scales)} scales along dimension {axis} of shape {list(shape)}"
        )
