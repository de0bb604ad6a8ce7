"""The state of one conversion, and the table of converters that `operators` fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError, ModelFileError, UnsupportedOp, UnsupportedType
from smidgen.frontends.tflite.model import TfliteOperator, TfliteSubgraph, TfliteTensor
from smidgen.frontends.tflite.options import Options
from smidgen.frontends.tflite.schema import Activation as FileActivation
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import ABSENT
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.support.activation import Activation

Converter = Callable[["Conversion", TfliteOperator], None]
CONVERTERS: dict[str, Converter] = {}
OptionsT = TypeVar("OptionsT", bound=Options)


def converts(*names: str) -> Callable[[Converter], Converter]:
    """Registers a function as the converter of the operators called `names`."""

    def register(converter: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(names, converter))
        return converter

    return register


@dataclass(slots=True)
class Conversion:
    """One subgraph on its way into a graph."""

    file: str
    subgraph: TfliteSubgraph
    builder: GraphBuilder
    names: dict[int, str] = field(default_factory=dict)

    def tensor(self, operator: TfliteOperator, position: int) -> TfliteTensor:
        """The file's tensor at input `position`, which must be there."""
        if not self.has_input(operator, position):
            raise ModelFileError(self.where(operator), f"lacks its input {position}")
        return self.subgraph.tensors[operator.inputs[position]]

    def has_input(self, operator: TfliteOperator, position: int) -> bool:
        """Whether input `position` is given."""
        return position < len(operator.inputs) and operator.inputs[position] >= 0

    def constant(self, operator: TfliteOperator, position: int) -> Array:
        """The values of input `position`, which must be constant."""
        data = self.tensor(operator, position).data
        if data is None:
            raise UnsupportedOp(
                self.where(operator),
                f"input {position} is computed at run time",
                "export the model with constant shapes and parameters",
            )
        return data

    def options(self, operator: TfliteOperator, kind: type[OptionsT]) -> OptionsT:
        """The operator's options table; the schema's defaults where the file has none."""
        if operator.options is None:
            return kind()
        if not isinstance(operator.options, kind):
            raise ModelFileError(
                self.where(operator), f"has {type(operator.options).__name__}, not {kind.__name__}"
            )
        return operator.options

    def activation(self, operator: TfliteOperator, fused: FileActivation) -> Activation:
        """A fused activation as ours."""
        if fused.name not in Activation.__members__:
            raise UnsupportedOp(
                self.where(operator),
                f"fused activation {fused.name}",
                "use NONE, RELU, RELU6 or RELU_N1_TO_1, or a separate activation layer",
            )
        return Activation[fused.name]

    def emit(
        self, operator: TfliteOperator, op: Op, positions: Sequence[int] | None = None
    ) -> None:
        """Append `op` with the operator's inputs at `positions` (default: all) and its outputs."""
        chosen = range(len(operator.inputs)) if positions is None else positions
        inputs = [self.input_name(operator, position) for position in chosen]
        outputs = [self.subgraph.tensors[index] for index in operator.outputs]
        names = [self.name_of(tensor) for tensor in outputs]
        quantization = [self.quantization(tensor) for tensor in outputs]
        try:
            self.builder.add(op, inputs, quantization, names)
        except GraphError as problem:
            raise ModelFileError(self.where(operator), str(problem)) from problem
        for tensor, name in zip(outputs, names, strict=True):
            self._compare(operator, tensor, self.builder.tensor(name))

    def input_name(self, operator: TfliteOperator, position: int) -> str:
        """The graph's name of input `position`; `ABSENT` where it is not given."""
        if not self.has_input(operator, position):
            return ABSENT
        tensor = self.tensor(operator, position)
        if tensor.index not in self.names:
            self._add_constant(tensor)
        return self.names[tensor.index]

    def name_of(self, tensor: TfliteTensor) -> str:
        """A fresh graph name for a file's tensor, close to the name that it has there."""
        stem = tensor.name or f"tensor_{tensor.index}"
        taken = stem in self.names.values()
        self.names[tensor.index] = f"{stem}#{tensor.index}" if taken else stem
        return self.names[tensor.index]

    def dtype(self, tensor: TfliteTensor) -> DType:
        """The element type as ours."""
        if tensor.dtype.name not in DType.__members__:
            raise UnsupportedType(
                f"{self.file}: tensor {tensor.name!r}",
                f"element type {tensor.dtype.name.lower()}",
                f"convert it to one of {', '.join(dtype.label for dtype in DType)}",
            )
        return DType[tensor.dtype.name]

    def quantization(self, tensor: TfliteTensor) -> Quantization | None:
        """The quantisation as ours: scales are float32 values, in Python floats."""
        if tensor.quantization is None:
            return None
        quant = tensor.quantization
        return Quantization(
            tuple(float(scale) for scale in quant.scales),
            tuple(int(zero) for zero in quant.zero_points),
            quant.axis if quant.is_per_channel else None,
        )

    def where(self, operator: TfliteOperator) -> str:
        """The file and the operator, for messages."""
        return f"{self.file}: {operator}"

    def _add_constant(self, tensor: TfliteTensor) -> None:
        if tensor.data is None or tensor.is_sparse:
            raise UnsupportedType(
                f"{self.file}: tensor {tensor.name!r}",
                "sparse constant" if tensor.is_sparse else "no operator produces it",
                "export the model with dense constants",
            )
        dtype, quantization = self.dtype(tensor), self.quantization(tensor)
        self.builder.constant(self.name_of(tensor), dtype, tensor.data, quantization)

    def _compare(self, operator: TfliteOperator, said: TfliteTensor, inferred: Tensor) -> None:
        if (self.dtype(said), said.shape) != (inferred.dtype, inferred.shape):
            raise ModelFileError(
                self.where(operator),
                f"its output is {said.dtype.name.lower()}{list(said.shape)} in the file, but "
                f"{inferred.dtype.label}{list(inferred.shape)} follows from its inputs",
                "export the model again with fixed shapes",
            )
