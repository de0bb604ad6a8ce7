"""Names and numbers of TensorFlow Lite's file schema, version 3.

Source: ``schema.fbs`` of TensorFlow Lite ("TFL3", revisions 3 to 3c, with the sub-byte and 8-bit
float types that were added since). Only facts are here; the reading is in `reader`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3


class TensorType(IntEnum):
    """Element type of a tensor, as numbered in the schema."""

    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    STRING = 5
    BOOL = 6
    INT16 = 7
    COMPLEX64 = 8
    INT8 = 9
    FLOAT64 = 10
    COMPLEX128 = 11
    UINT64 = 12
    RESOURCE = 13
    VARIANT = 14
    UINT32 = 15
    UINT16 = 16
    INT4 = 17
    BFLOAT16 = 18
    INT2 = 19
    UINT4 = 20
    FLOAT8_E4M3FN = 21
    FLOAT8_E5M2 = 22

    @property
    def label(self) -> str:
        """The lower-case name, e.g. ``int8``."""
        return self.name.lower()

    @property
    def bits(self) -> int:
        """Bits of one element in the file; 0 for types without a fixed size."""
        return _BITS.get(self, 8 * np.dtype(_NUMPY[self]).itemsize if self in _NUMPY else 0)

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy type that constants of this type are handed out as.

        Packed types come one element to an int8 (or uint8); types that NumPy has no name for
        (bfloat16, the 8-bit floats) as their raw bits; strings and resources as raw bytes.
        """
        return np.dtype(_NUMPY.get(self, "u1"))

    def nbytes(self, elements: int) -> int:
        """Bytes that `elements` occupy in the file (packed types share bytes)."""
        return (elements * self.bits + 7) // 8


_NUMPY: dict[TensorType, str] = {
    TensorType.FLOAT32: "<f4",
    TensorType.FLOAT16: "<f2",
    TensorType.INT32: "<i4",
    TensorType.UINT8: "u1",
    TensorType.INT64: "<i8",
    TensorType.BOOL: "?",
    TensorType.INT16: "<i2",
    TensorType.COMPLEX64: "<c8",
    TensorType.INT8: "i1",
    TensorType.FLOAT64: "<f8",
    TensorType.COMPLEX128: "<c16",
    TensorType.UINT64: "<u8",
    TensorType.UINT32: "<u4",
    TensorType.UINT16: "<u2",
    TensorType.INT4: "i1",
    TensorType.BFLOAT16: "<u2",
    TensorType.INT2: "i1",
    TensorType.UINT4: "u1",
    TensorType.FLOAT8_E4M3FN: "u1",
    TensorType.FLOAT8_E5M2: "u1",
}
_BITS = {TensorType.INT4: 4, TensorType.INT2: 2, TensorType.UINT4: 4}


class Padding(IntEnum):
    """How a window operator pads its input."""

    SAME = 0
    VALID = 1


class Activation(IntEnum):
    """Fused activation function (``ActivationFunctionType``)."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


class WeightsFormat(IntEnum):
    """Layout of FULLY_CONNECTED weights (``FullyConnectedOptionsWeightsFormat``)."""

    DEFAULT = 0
    SHUFFLED4X16INT8 = 1


class LstmKernel(IntEnum):
    """Which LSTM cell (``LSTMKernelType``)."""

    FULL = 0
    BASIC = 1


class MirrorMode(IntEnum):
    """Whether MIRROR_PAD repeats the border (``MirrorPadMode``)."""

    REFLECT = 0
    SYMMETRIC = 1


CUSTOM = "CUSTOM"
PLACEHOLDER_CODE = 127

# In the order of their numbers, from 0 (``BuiltinOperator``). One string, because 210 quoted names
# read worse.
OPERATOR_NAMES: tuple[str, ...] = tuple(
    """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D
LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1
RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM
CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND
SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE
BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE
SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE
POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT
UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE
RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL
REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE
MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5
SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM
CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND
HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE
ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU
DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX
UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT
STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM
STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM
STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS
STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG
STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER
STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER
STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE
STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT
STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR
REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE
""".split()  # noqa: SIM905
)

# Slots (field ids) of the tables that make up a model. Options tables carry theirs in `options`.


class ModelSlot(IntEnum):
    """Table ``Model``; slots 5 (an older metadata list) and 8 on (external files) are not read."""

    VERSION = 0
    OPERATOR_CODES = 1
    SUBGRAPHS = 2
    DESCRIPTION = 3
    BUFFERS = 4
    METADATA = 6
    SIGNATURE_DEFS = 7


class OperatorCodeSlot(IntEnum):
    """Table ``OperatorCode``."""

    DEPRECATED_BUILTIN_CODE = 0
    CUSTOM_CODE = 1
    VERSION = 2
    BUILTIN_CODE = 3


class SubgraphSlot(IntEnum):
    """Table ``SubGraph``."""

    TENSORS = 0
    INPUTS = 1
    OUTPUTS = 2
    OPERATORS = 3
    NAME = 4


class TensorSlot(IntEnum):
    """Table ``Tensor``."""

    SHAPE = 0
    TYPE = 1
    BUFFER = 2
    NAME = 3
    QUANTIZATION = 4
    IS_VARIABLE = 5
    SPARSITY = 6
    SHAPE_SIGNATURE = 7
    HAS_RANK = 8
    EXTERNAL_BUFFER = 10


class QuantizationSlot(IntEnum):
    """Table ``QuantizationParameters``."""

    SCALE = 2
    ZERO_POINT = 3
    DETAILS_TYPE = 4
    QUANTIZED_DIMENSION = 6


class OperatorSlot(IntEnum):
    """Table ``Operator``."""

    OPCODE_INDEX = 0
    INPUTS = 1
    OUTPUTS = 2
    BUILTIN_OPTIONS_TYPE = 3
    BUILTIN_OPTIONS = 4
    CUSTOM_OPTIONS = 5
    MUTATING_VARIABLE_INPUTS = 7
    INTERMEDIATES = 8
    LARGE_CUSTOM_OPTIONS_OFFSET = 9
    LARGE_CUSTOM_OPTIONS_SIZE = 10


class BufferSlot(IntEnum):
    """Table ``Buffer``; offset and size name bytes of the file outside the FlatBuffer."""

    DATA = 0
    OFFSET = 1
    SIZE = 2


class MetadataSlot(IntEnum):
    """Table ``Metadata``."""

    NAME = 0


class SignatureSlot(IntEnum):
    """Table ``SignatureDef``; slot 3 is retired."""

    INPUTS = 0
    OUTPUTS = 1
    SIGNATURE_KEY = 2
    SUBGRAPH_INDEX = 4


class TensorMapSlot(IntEnum):
    """Table ``TensorMap``."""

    NAME = 0
    TENSOR_INDEX = 1
