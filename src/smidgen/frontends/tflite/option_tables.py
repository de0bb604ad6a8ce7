"""Which options table belongs to which operator, and how a table becomes its dataclass."""

from __future__ import annotations

import math
from dataclasses import fields
from enum import IntEnum
from typing import Any

from smidgen.core.errors import UnsupportedError
from smidgen.frontends.tflite.flatbuffer import Table
from smidgen.frontends.tflite.options import (
    AddOptions,
    ArgMaxOptions,
    ArgMinOptions,
    BatchMatMulOptions,
    BidirectionalSequenceLSTMOptions,
    BidirectionalSequenceRNNOptions,
    BucketizeOptions,
    CallOnceOptions,
    CallOptions,
    CastOptions,
    ConcatenationOptions,
    Conv2DOptions,
    Conv3DOptions,
    CumsumOptions,
    DepthToSpaceOptions,
    DepthwiseConv2DOptions,
    DivOptions,
    FakeQuantOptions,
    FullyConnectedOptions,
    GatherOptions,
    GeluOptions,
    IfOptions,
    L2NormOptions,
    LeakyReluOptions,
    LocalResponseNormalizationOptions,
    LSTMOptions,
    MirrorPadOptions,
    MulOptions,
    OneHotOptions,
    Options,
    PackOptions,
    Pool2DOptions,
    RandomOptions,
    ReducerOptions,
    ReshapeOptions,
    ResizeBilinearOptions,
    ResizeNearestNeighborOptions,
    ReverseSequenceOptions,
    RNNOptions,
    SequenceRNNOptions,
    ShapeOptions,
    Slot,
    SoftmaxOptions,
    SpaceToDepthOptions,
    SparseToDenseOptions,
    SplitOptions,
    SplitVOptions,
    SqueezeOptions,
    StridedSliceOptions,
    SubOptions,
    SVDFOptions,
    TransposeConvOptions,
    UnidirectionalSequenceLSTMOptions,
    UniqueOptions,
    UnpackOptions,
    VarHandleOptions,
    WhileOptions,
)
from smidgen.frontends.tflite.schema import OperatorSlot

# Discriminator of the union ``BuiltinOptions``; tables without fields are left out.
OPTIONS_BY_CODE: dict[int, type[Options]] = {
    1: Conv2DOptions,
    2: DepthwiseConv2DOptions,
    5: Pool2DOptions,
    6: SVDFOptions,
    7: RNNOptions,
    8: FullyConnectedOptions,
    9: SoftmaxOptions,
    10: ConcatenationOptions,
    11: AddOptions,
    12: L2NormOptions,
    13: LocalResponseNormalizationOptions,
    14: LSTMOptions,
    15: ResizeBilinearOptions,
    16: CallOptions,
    17: ReshapeOptions,
    19: SpaceToDepthOptions,
    21: MulOptions,
    23: GatherOptions,
    27: ReducerOptions,
    28: SubOptions,
    29: DivOptions,
    30: SqueezeOptions,
    31: SequenceRNNOptions,
    32: StridedSliceOptions,
    35: SplitOptions,
    37: CastOptions,
    40: ArgMaxOptions,
    49: TransposeConvOptions,
    50: SparseToDenseOptions,
    55: ShapeOptions,
    57: ArgMinOptions,
    58: FakeQuantOptions,
    59: PackOptions,
    61: OneHotOptions,
    64: UnpackOptions,
    69: BidirectionalSequenceLSTMOptions,
    70: BidirectionalSequenceRNNOptions,
    71: UnidirectionalSequenceLSTMOptions,
    74: ResizeNearestNeighborOptions,
    75: LeakyReluOptions,
    77: MirrorPadOptions,
    79: SplitVOptions,
    80: UniqueOptions,
    87: ReverseSequenceOptions,
    92: IfOptions,
    93: WhileOptions,
    94: DepthToSpaceOptions,
    101: BatchMatMulOptions,
    102: CumsumOptions,
    103: CallOnceOptions,
    106: Conv3DOptions,
    111: VarHandleOptions,
    114: RandomOptions,
    115: BucketizeOptions,
    116: GeluOptions,
}

# What each operator is configured with. Operators that are not listed have no options.
OPTIONS_BY_OPERATOR: dict[str, type[Options]] = {
    "ADD": AddOptions,
    "ARG_MAX": ArgMaxOptions,
    "ARG_MIN": ArgMinOptions,
    "AVERAGE_POOL_2D": Pool2DOptions,
    "BATCH_MATMUL": BatchMatMulOptions,
    "BIDIRECTIONAL_SEQUENCE_LSTM": BidirectionalSequenceLSTMOptions,
    "BIDIRECTIONAL_SEQUENCE_RNN": BidirectionalSequenceRNNOptions,
    "BUCKETIZE": BucketizeOptions,
    "CALL": CallOptions,
    "CALL_ONCE": CallOnceOptions,
    "CAST": CastOptions,
    "CONCATENATION": ConcatenationOptions,
    "CONV_2D": Conv2DOptions,
    "CONV_3D": Conv3DOptions,
    "CONV_3D_TRANSPOSE": Conv3DOptions,
    "CUMSUM": CumsumOptions,
    "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions,
    "DEPTH_TO_SPACE": DepthToSpaceOptions,
    "DIV": DivOptions,
    "FAKE_QUANT": FakeQuantOptions,
    "FULLY_CONNECTED": FullyConnectedOptions,
    "GATHER": GatherOptions,
    "GELU": GeluOptions,
    "IF": IfOptions,
    "L2_NORMALIZATION": L2NormOptions,
    "L2_POOL_2D": Pool2DOptions,
    "LEAKY_RELU": LeakyReluOptions,
    "LOCAL_RESPONSE_NORMALIZATION": LocalResponseNormalizationOptions,
    "LSTM": LSTMOptions,
    "MAX_POOL_2D": Pool2DOptions,
    "MEAN": ReducerOptions,
    "MIRROR_PAD": MirrorPadOptions,
    "MUL": MulOptions,
    "MULTINOMIAL": RandomOptions,
    "ONE_HOT": OneHotOptions,
    "PACK": PackOptions,
    "RANDOM_STANDARD_NORMAL": RandomOptions,
    "RANDOM_UNIFORM": RandomOptions,
    "REDUCE_ALL": ReducerOptions,
    "REDUCE_ANY": ReducerOptions,
    "REDUCE_MAX": ReducerOptions,
    "REDUCE_MIN": ReducerOptions,
    "REDUCE_PROD": ReducerOptions,
    "RESHAPE": ReshapeOptions,
    "RESIZE_BILINEAR": ResizeBilinearOptions,
    "RESIZE_NEAREST_NEIGHBOR": ResizeNearestNeighborOptions,
    "REVERSE_SEQUENCE": ReverseSequenceOptions,
    "RNN": RNNOptions,
    "SHAPE": ShapeOptions,
    "SOFTMAX": SoftmaxOptions,
    "SPACE_TO_DEPTH": SpaceToDepthOptions,
    "SPARSE_TO_DENSE": SparseToDenseOptions,
    "SPLIT": SplitOptions,
    "SPLIT_V": SplitVOptions,
    "SQUEEZE": SqueezeOptions,
    "STRIDED_SLICE": StridedSliceOptions,
    "SUB": SubOptions,
    "SUM": ReducerOptions,
    "SVDF": SVDFOptions,
    "TRANSPOSE_CONV": TransposeConvOptions,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": UnidirectionalSequenceLSTMOptions,
    "UNIDIRECTIONAL_SEQUENCE_RNN": SequenceRNNOptions,
    "UNIQUE": UniqueOptions,
    "UNPACK": UnpackOptions,
    "VAR_HANDLE": VarHandleOptions,
    "WHILE": WhileOptions,
}


def read_options(table: Table, operator: str) -> Options | None:
    """The options of an operator, None where operators of its name have none.

    A file that leaves the table out means the schema's defaults, as in TensorFlow Lite Micro.

    Args:
        table: The ``Operator`` table.
        operator: Its name, e.g. ``CONV_2D``.

    Raises:
        ModelFileError: it carries another operator's options, or a value that makes no sense.
        UnsupportedError: an enum value that is newer than our schema.
    """
    wanted = OPTIONS_BY_OPERATOR.get(operator)
    if wanted is None:
        return None
    code = table.uint8(OperatorSlot.BUILTIN_OPTIONS_TYPE)
    given = OPTIONS_BY_CODE.get(code, wanted if code == 0 else None)
    if given is not wanted:
        name = given.__name__ if given else f"options of kind {code}"
        raise table.buffer.damaged(f"{table.kind} ({operator}) carries {name}")
    options = table.table(OperatorSlot.BUILTIN_OPTIONS, wanted.__name__) if code else None
    return _decode(wanted, options, table, operator)


def _decode(kind: type[Options], options: Table | None, operator: Table, name: str) -> Options:
    values = {}
    for field, slot, default in _LAYOUTS[kind]:
        value = slot.read(options, slot.number, default) if options else default
        if slot.enum is not None:
            value = _member(slot.enum, value, f"{name} option {field}", operator)
        elif not _sound(slot, value):
            raise operator.buffer.damaged(f"{operator.kind} ({name}) has {field} = {value}")
        values[field] = value
    return kind(**values)


def _layout(kind: type[Options]) -> tuple[tuple[str, Slot, Any], ...]:
    return tuple((f.name, f.metadata["slot"], f.default) for f in fields(kind))


_LAYOUTS = {kind: _layout(kind) for kind in OPTIONS_BY_CODE.values()}


def _member(enum: type[IntEnum], value: int, what: str, operator: Table) -> IntEnum:
    try:
        return enum(value)
    except ValueError:
        raise UnsupportedError(
            operator.buffer.name,
            f"{operator.kind}: {what} has value {value}, which the schema does not know",
            "export it with an older converter, or check that the file is undamaged",
        ) from None


def _sound(slot: Slot, value: Any) -> bool:
    if slot.least is not None:
        return bool(value >= slot.least)
    if isinstance(value, float):
        return math.isfinite(value)
    return True
