"""What a TensorFlow Lite file says, as plain data: nothing interpreted, everything validated."""

from __future__ import annotations

from dataclasses import dataclass

from smidgen.core.dtypes import Array
from smidgen.frontends.tflite.options import Options
from smidgen.frontends.tflite.schema import TensorType


@dataclass(frozen=True, slots=True, eq=False)
class TfliteQuantization:
    """Affine quantisation: value = scale * (quantum - zero_point).

    Attributes:
        scales: float32, shape [1] or [channels]; finite and above 0.
        zero_points: int64, the same shape; within the range of the tensor's type.
        axis: The dimension that the channels run along; means nothing for a single scale.
    """

    scales: Array
    zero_points: Array
    axis: int

    @property
    def is_per_channel(self) -> bool:
        """Whether there is more than one scale."""
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True, eq=False)
class TfliteTensor:
    """One tensor of a subgraph.

    Attributes:
        index: Its place in the subgraph; operators name it by this.
        name: As in the file, possibly empty, not unique.
        shape: Dimensions, none negative; a dimension unknown at export stands as the exporter's
            placeholder (1) and as -1 in `shape_signature`.
        dtype: Element type as in the schema.
        quantization: None where the tensor is not quantised.
        data: The constant, read-only, in `shape` (sub-byte types one element to an int8; strings
            and sparse tensors as the raw bytes, uint8 [n]); None where it is not constant.
        is_variable: Whether it keeps its value from one run to the next.
        is_sparse: Whether `data` is in the sparse encoding.
        shape_signature: The shape with -1 for unknown dimensions, None where the file has none.
        has_rank: What the file says of it; false with an empty shape may mean an unknown rank.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: TensorType
    quantization: TfliteQuantization | None
    data: Array | None
    is_variable: bool
    is_sparse: bool
    shape_signature: tuple[int, ...] | None
    has_rank: bool


@dataclass(frozen=True, slots=True)
class TfliteOperator:
    """One operator of a subgraph, in order of execution.

    Attributes:
        index: Its place in the subgraph.
        name: ``CONV_2D`` and the like, or the name of a custom operator.
        is_custom: Whether `name` is a custom operator's.
        version: Of the operator's definition.
        inputs: Tensor indices; -1 for an optional input that is left out.
        outputs: Tensor indices.
        intermediates: Tensor indices that only describe inner quantisation; -1 for none.
        mutating_variable_inputs: Empty, or one flag for each input.
        options: Its options table; None where such operators have none.
        custom_options: Bytes of a custom operator, most often a FlexBuffer.
    """

    index: int
    name: str
    is_custom: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    mutating_variable_inputs: tuple[bool, ...]
    options: Options | None
    custom_options: bytes

    def __str__(self) -> str:
        return f"operator {self.index} ({self.name})"


@dataclass(frozen=True, slots=True)
class TfliteSubgraph:
    """A list of operators over tensors. `inputs` and `outputs` are tensor indices."""

    name: str
    tensors: tuple[TfliteTensor, ...]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TfliteSignature:
    """Names for the inputs and outputs of a subgraph: pairs of name and tensor index."""

    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class TfliteModel:
    """A whole file; ``subgraphs[0]`` is the main one."""

    name: str
    description: str
    subgraphs: tuple[TfliteSubgraph, ...]
    metadata: tuple[str, ...]
    signatures: tuple[TfliteSignature, ...]
