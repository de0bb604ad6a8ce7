"""The options tables of TensorFlow Lite's operators, each as a frozen dataclass.

Every field states its slot in the schema, how it is read and the schema's default, so that
``Conv2DOptions()`` is what a file means that leaves everything out. Where a smaller value could
only come from a damaged file (a stride of 0), the least sound value stands beside it. The reading
is done by `option_tables`.

Source: ``schema.fbs`` of TensorFlow Lite, unions ``BuiltinOptions``. The tables of the StableHLO
operators (``BuiltinOptions2``), which no microcontroller runtime executes, are not read.
"""

# ruff: noqa: RUF009 - the calls only wrap dataclasses.field
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from smidgen.frontends.tflite.flatbuffer import Table
from smidgen.frontends.tflite.schema import (
    Activation,
    LstmKernel,
    MirrorMode,
    Padding,
    TensorType,
    WeightsFormat,
)

Read = Callable[[Table, int, Any], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a field lies in its table, how to read it, and which values are sound."""

    number: int
    read: Read
    least: int | None = None
    enum: type[IntEnum] | None = None


def _declare(slot: Slot, default: Any) -> Any:
    return field(default=default, metadata={"slot": slot})


def _int(number: int, default: int = 0, least: int | None = None) -> Any:
    return _declare(Slot(number, Table.int32, least), default)


def _index(number: int) -> Any:
    """Index of a subgraph; whether there are so many is checked once all are read."""
    return _declare(Slot(number, Table.int32, 0), 0)


def _long(number: int) -> Any:
    return _declare(Slot(number, Table.int64), 0)


def _float(number: int) -> Any:
    return _declare(Slot(number, Table.float32), 0.0)


def _bool(number: int, default: bool = False) -> Any:
    return _declare(Slot(number, Table.boolean), default)


def _enum(number: int, default: IntEnum) -> Any:
    return _declare(Slot(number, Table.int8, enum=type(default)), default)


def _ints(number: int) -> Any:
    return _declare(Slot(number, lambda table, slot, _: table.ints(slot)), ())


def _text(number: int) -> Any:
    return _declare(Slot(number, lambda table, slot, _: table.text(slot)), "")


def _read_bytes(table: Table, slot: int, _: Any) -> bytes:
    values = table.array(slot, "u1")
    table.buffer.spend(len(values))
    return values.tobytes()


def _bytes(number: int) -> Any:
    return _declare(Slot(number, _read_bytes), b"")


def _read_floats(table: Table, slot: int, _: Any) -> tuple[float, ...]:
    values = table.array(slot, "<f4")
    table.buffer.spend(16 * len(values))
    return tuple(values.tolist())


def _floats(number: int) -> Any:
    return _declare(Slot(number, _read_floats), ())


_ACTIVATION = Activation.NONE


@dataclass(frozen=True, slots=True)
class Options:
    """Base of all options tables."""


@dataclass(frozen=True, slots=True)
class Conv2DOptions(Options):
    """CONV_2D. `quantized_bias_type` FLOAT32 means that the file does not say."""

    padding: Padding = _enum(0, Padding.SAME)
    stride_w: int = _int(1, least=1)
    stride_h: int = _int(2, least=1)
    activation: Activation = _enum(3, _ACTIVATION)
    dilation_w: int = _int(4, 1, least=1)
    dilation_h: int = _int(5, 1, least=1)
    quantized_bias_type: TensorType = _enum(6, TensorType.FLOAT32)


@dataclass(frozen=True, slots=True)
class DepthwiseConv2DOptions(Options):
    """DEPTHWISE_CONV_2D; the shapes decide the depth multiplier, the field is a relic."""

    padding: Padding = _enum(0, Padding.SAME)
    stride_w: int = _int(1, least=1)
    stride_h: int = _int(2, least=1)
    depth_multiplier: int = _int(3)
    activation: Activation = _enum(4, _ACTIVATION)
    dilation_w: int = _int(5, 1, least=1)
    dilation_h: int = _int(6, 1, least=1)


@dataclass(frozen=True, slots=True)
class Conv3DOptions(Options):
    """CONV_3D and CONV_3D_TRANSPOSE."""

    padding: Padding = _enum(0, Padding.SAME)
    stride_d: int = _int(1, least=1)
    stride_w: int = _int(2, least=1)
    stride_h: int = _int(3, least=1)
    activation: Activation = _enum(4, _ACTIVATION)
    dilation_d: int = _int(5, 1, least=1)
    dilation_w: int = _int(6, 1, least=1)
    dilation_h: int = _int(7, 1, least=1)


@dataclass(frozen=True, slots=True)
class TransposeConvOptions(Options):
    """TRANSPOSE_CONV."""

    padding: Padding = _enum(0, Padding.SAME)
    stride_w: int = _int(1, least=1)
    stride_h: int = _int(2, least=1)
    activation: Activation = _enum(3, _ACTIVATION)
    quantized_bias_type: TensorType = _enum(4, TensorType.FLOAT32)


@dataclass(frozen=True, slots=True)
class Pool2DOptions(Options):
    """AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D."""

    padding: Padding = _enum(0, Padding.SAME)
    stride_w: int = _int(1, least=1)
    stride_h: int = _int(2, least=1)
    filter_width: int = _int(3, least=1)
    filter_height: int = _int(4, least=1)
    activation: Activation = _enum(5, _ACTIVATION)


@dataclass(frozen=True, slots=True)
class FullyConnectedOptions(Options):
    """FULLY_CONNECTED; `quant_spec` is opaque and younger than any runtime we know."""

    activation: Activation = _enum(0, _ACTIVATION)
    weights_format: WeightsFormat = _enum(1, WeightsFormat.DEFAULT)
    keep_num_dims: bool = _bool(2)
    asymmetric_quantize_inputs: bool = _bool(3)
    quantized_bias_type: TensorType = _enum(4, TensorType.FLOAT32)
    quant_spec: bytes = _bytes(5)


@dataclass(frozen=True, slots=True)
class BatchMatMulOptions(Options):
    """BATCH_MATMUL."""

    adj_x: bool = _bool(0)
    adj_y: bool = _bool(1)
    asymmetric_quantize_inputs: bool = _bool(2)


@dataclass(frozen=True, slots=True)
class SVDFOptions(Options):
    """SVDF."""

    rank: int = _int(0, least=1)
    activation: Activation = _enum(1, _ACTIVATION)
    asymmetric_quantize_inputs: bool = _bool(2)


@dataclass(frozen=True, slots=True)
class RNNOptions(Options):
    """RNN."""

    activation: Activation = _enum(0, _ACTIVATION)
    asymmetric_quantize_inputs: bool = _bool(1)


@dataclass(frozen=True, slots=True)
class SequenceRNNOptions(Options):
    """UNIDIRECTIONAL_SEQUENCE_RNN."""

    time_major: bool = _bool(0)
    activation: Activation = _enum(1, _ACTIVATION)
    asymmetric_quantize_inputs: bool = _bool(2)


@dataclass(frozen=True, slots=True)
class BidirectionalSequenceRNNOptions(Options):
    """BIDIRECTIONAL_SEQUENCE_RNN."""

    time_major: bool = _bool(0)
    activation: Activation = _enum(1, _ACTIVATION)
    merge_outputs: bool = _bool(2)
    asymmetric_quantize_inputs: bool = _bool(3)


@dataclass(frozen=True, slots=True)
class LSTMOptions(Options):
    """LSTM; a clip of 0 means none."""

    activation: Activation = _enum(0, _ACTIVATION)
    cell_clip: float = _float(1)
    proj_clip: float = _float(2)
    kernel_type: LstmKernel = _enum(3, LstmKernel.FULL)
    asymmetric_quantize_inputs: bool = _bool(4)


@dataclass(frozen=True, slots=True)
class UnidirectionalSequenceLSTMOptions(Options):
    """UNIDIRECTIONAL_SEQUENCE_LSTM; a clip of 0 means none."""

    activation: Activation = _enum(0, _ACTIVATION)
    cell_clip: float = _float(1)
    proj_clip: float = _float(2)
    time_major: bool = _bool(3)
    asymmetric_quantize_inputs: bool = _bool(4)
    diagonal_recurrent_tensors: bool = _bool(5)


@dataclass(frozen=True, slots=True)
class BidirectionalSequenceLSTMOptions(Options):
    """BIDIRECTIONAL_SEQUENCE_LSTM; a clip of 0 means none."""

    activation: Activation = _enum(0, _ACTIVATION)
    cell_clip: float = _float(1)
    proj_clip: float = _float(2)
    merge_outputs: bool = _bool(3)
    time_major: bool = _bool(4, True)
    asymmetric_quantize_inputs: bool = _bool(5)


@dataclass(frozen=True, slots=True)
class SoftmaxOptions(Options):
    """SOFTMAX."""

    beta: float = _float(0)


@dataclass(frozen=True, slots=True)
class ConcatenationOptions(Options):
    """CONCATENATION."""

    axis: int = _int(0)
    activation: Activation = _enum(1, _ACTIVATION)


@dataclass(frozen=True, slots=True)
class AddOptions(Options):
    """ADD."""

    activation: Activation = _enum(0, _ACTIVATION)
    pot_scale_int16: bool = _bool(1, True)


@dataclass(frozen=True, slots=True)
class SubOptions(Options):
    """SUB."""

    activation: Activation = _enum(0, _ACTIVATION)
    pot_scale_int16: bool = _bool(1, True)


@dataclass(frozen=True, slots=True)
class MulOptions(Options):
    """MUL."""

    activation: Activation = _enum(0, _ACTIVATION)


@dataclass(frozen=True, slots=True)
class DivOptions(Options):
    """DIV."""

    activation: Activation = _enum(0, _ACTIVATION)


@dataclass(frozen=True, slots=True)
class L2NormOptions(Options):
    """L2_NORMALIZATION."""

    activation: Activation = _enum(0, _ACTIVATION)


@dataclass(frozen=True, slots=True)
class LocalResponseNormalizationOptions(Options):
    """LOCAL_RESPONSE_NORMALIZATION."""

    radius: int = _int(0)
    bias: float = _float(1)
    alpha: float = _float(2)
    beta: float = _float(3)


@dataclass(frozen=True, slots=True)
class ResizeBilinearOptions(Options):
    """RESIZE_BILINEAR; slots 0 and 1 (a size) are retired."""

    align_corners: bool = _bool(2)
    half_pixel_centers: bool = _bool(3)


@dataclass(frozen=True, slots=True)
class ResizeNearestNeighborOptions(Options):
    """RESIZE_NEAREST_NEIGHBOR."""

    align_corners: bool = _bool(0)
    half_pixel_centers: bool = _bool(1)


@dataclass(frozen=True, slots=True)
class ReshapeOptions(Options):
    """RESHAPE; the shape counts only where the operator has no second input."""

    new_shape: tuple[int, ...] = _ints(0)


@dataclass(frozen=True, slots=True)
class SqueezeOptions(Options):
    """SQUEEZE; no dimensions named means all of size 1."""

    squeeze_dims: tuple[int, ...] = _ints(0)


@dataclass(frozen=True, slots=True)
class StridedSliceOptions(Options):
    """STRIDED_SLICE; with `offset`, the ends are counted from the begins."""

    begin_mask: int = _int(0)
    end_mask: int = _int(1)
    ellipsis_mask: int = _int(2)
    new_axis_mask: int = _int(3)
    shrink_axis_mask: int = _int(4)
    offset: bool = _bool(5)


@dataclass(frozen=True, slots=True)
class SpaceToDepthOptions(Options):
    """SPACE_TO_DEPTH."""

    block_size: int = _int(0, least=1)


@dataclass(frozen=True, slots=True)
class DepthToSpaceOptions(Options):
    """DEPTH_TO_SPACE."""

    block_size: int = _int(0, least=1)


@dataclass(frozen=True, slots=True)
class SplitOptions(Options):
    """SPLIT."""

    num_splits: int = _int(0)


@dataclass(frozen=True, slots=True)
class SplitVOptions(Options):
    """SPLIT_V."""

    num_splits: int = _int(0)


@dataclass(frozen=True, slots=True)
class PackOptions(Options):
    """PACK."""

    values_count: int = _int(0)
    axis: int = _int(1)


@dataclass(frozen=True, slots=True)
class UnpackOptions(Options):
    """UNPACK."""

    num: int = _int(0)
    axis: int = _int(1)


@dataclass(frozen=True, slots=True)
class GatherOptions(Options):
    """GATHER."""

    axis: int = _int(0)
    batch_dims: int = _int(1)


@dataclass(frozen=True, slots=True)
class ReducerOptions(Options):
    """MEAN, SUM and the REDUCE_ family."""

    keep_dims: bool = _bool(0)


@dataclass(frozen=True, slots=True)
class ArgMaxOptions(Options):
    """ARG_MAX."""

    output_type: TensorType = _enum(0, TensorType.FLOAT32)


@dataclass(frozen=True, slots=True)
class ArgMinOptions(Options):
    """ARG_MIN."""

    output_type: TensorType = _enum(0, TensorType.FLOAT32)


@dataclass(frozen=True, slots=True)
class CastOptions(Options):
    """CAST; the tensors' own types decide, and writers often leave these out."""

    in_data_type: TensorType = _enum(0, TensorType.FLOAT32)
    out_data_type: TensorType = _enum(1, TensorType.FLOAT32)


@dataclass(frozen=True, slots=True)
class ShapeOptions(Options):
    """SHAPE."""

    out_type: TensorType = _enum(0, TensorType.FLOAT32)


@dataclass(frozen=True, slots=True)
class OneHotOptions(Options):
    """ONE_HOT."""

    axis: int = _int(0)


@dataclass(frozen=True, slots=True)
class CumsumOptions(Options):
    """CUMSUM."""

    exclusive: bool = _bool(0)
    reverse: bool = _bool(1)


@dataclass(frozen=True, slots=True)
class LeakyReluOptions(Options):
    """LEAKY_RELU."""

    alpha: float = _float(0)


@dataclass(frozen=True, slots=True)
class GeluOptions(Options):
    """GELU."""

    approximate: bool = _bool(0)


@dataclass(frozen=True, slots=True)
class MirrorPadOptions(Options):
    """MIRROR_PAD."""

    mode: MirrorMode = _enum(0, MirrorMode.REFLECT)


@dataclass(frozen=True, slots=True)
class ReverseSequenceOptions(Options):
    """REVERSE_SEQUENCE."""

    seq_dim: int = _int(0)
    batch_dim: int = _int(1)


@dataclass(frozen=True, slots=True)
class FakeQuantOptions(Options):
    """FAKE_QUANT."""

    min: float = _float(0)
    max: float = _float(1)
    num_bits: int = _int(2)
    narrow_range: bool = _bool(3)


@dataclass(frozen=True, slots=True)
class SparseToDenseOptions(Options):
    """SPARSE_TO_DENSE."""

    validate_indices: bool = _bool(0)


@dataclass(frozen=True, slots=True)
class UniqueOptions(Options):
    """UNIQUE."""

    idx_out_type: TensorType = _enum(0, TensorType.INT32)


@dataclass(frozen=True, slots=True)
class CallOptions(Options):
    """CALL."""

    subgraph: int = _index(0)


@dataclass(frozen=True, slots=True)
class IfOptions(Options):
    """IF: which subgraph runs when the condition holds, and which when not."""

    then_subgraph: int = _index(0)
    else_subgraph: int = _index(1)


@dataclass(frozen=True, slots=True)
class WhileOptions(Options):
    """WHILE."""

    cond_subgraph: int = _index(0)
    body_subgraph: int = _index(1)


@dataclass(frozen=True, slots=True)
class CallOnceOptions(Options):
    """CALL_ONCE."""

    init_subgraph: int = _index(0)


@dataclass(frozen=True, slots=True)
class VarHandleOptions(Options):
    """VAR_HANDLE."""

    container: str = _text(0)
    shared_name: str = _text(1)


@dataclass(frozen=True, slots=True)
class RandomOptions(Options):
    """RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL and MULTINOMIAL."""

    seed: int = _long(0)
    seed2: int = _long(1)


@dataclass(frozen=True, slots=True)
class BucketizeOptions(Options):
    """BUCKETIZE."""

    boundaries: tuple[float, ...] = _floats(0)
