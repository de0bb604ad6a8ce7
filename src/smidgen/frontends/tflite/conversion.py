"""The state of one conversion, and the table of converters that `operators` fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, Union

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import (
    GraphError,
    ModelFileError,
    UnsupportedError,
    UnsupportedOp,
    UnsupportedType,
)
from smidgen.frontends.tflite.model import (
    TfliteModel,
    TfliteOperator,
    TfliteSubgraph,
    TfliteTensor,
)
from smidgen.frontends.tflite.options import Options
from smidgen.frontends.tflite.schema import Activation as FileActivation
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import ABSENT
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.support.activation import Activation

Converter = Callable[["Conversion", TfliteOperator], None]
CONVERTERS: dict[str, Converter] = {}
OptionsT = TypeVar("OptionsT", bound=Options)
Variable = tuple[str, str]
"""What names a variable in a file: its container and its shared name."""
Binding = Union[str, Variable]  # noqa: UP007 (an alias, evaluated on Python 3.10)
"""What a tensor of a file stands for: a tensor of the graph, or a variable."""
LARGEST_KNOWN = 1 << 16
"""Values up to so many elements are computed during conversion where their operands are known."""


def converts(*names: str) -> Callable[[Converter], Converter]:
    """Registers a function as the converter of the operators called `names`."""

    def register(converter: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(names, converter))
        return converter

    return register


@dataclass(slots=True)
class Whole:
    """What the subgraphs of one file share while they become one graph.

    Attributes:
        model: The file.
        builder: Of the graph.
        known: Values of tensors that follow from constants alone, by their names in the graph.
        initial: First values of variables, where an initialiser gives them.
        states: The graph's name of each variable's state.
        problems: Where a survey collects what smidgen does not take; None raises it at once.
    """

    model: TfliteModel
    builder: GraphBuilder
    known: dict[str, Array] = field(default_factory=dict)
    initial: dict[Variable, Array] = field(default_factory=dict)
    states: dict[Variable, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    problems: list[UnsupportedError] | None = None


@dataclass(slots=True)
class Conversion:
    """One subgraph on its way into a graph; a subgraph that runs twice is converted twice.

    `names` are the graph's names of the tensors met so far, `variables` what the resource tensors
    among them refer to; both by the tensor's index in the subgraph. `tensors` are the subgraph's,
    with the shapes that they turn out to have where the exporter did not know them.
    """

    file: str
    subgraph: TfliteSubgraph
    whole: Whole
    names: dict[int, str] = field(default_factory=dict)
    variables: dict[int, Variable] = field(default_factory=dict)
    tensors: list[TfliteTensor] = field(init=False)

    def __post_init__(self) -> None:
        """No shape is known better than the file does yet."""
        self.tensors = list(self.subgraph.tensors)

    @property
    def builder(self) -> GraphBuilder:
        """The builder of the graph."""
        return self.whole.builder

    def tensor(self, operator: TfliteOperator, position: int) -> TfliteTensor:
        """The file's tensor at input `position`, which must be there."""
        if not self.has_input(operator, position):
            raise ModelFileError(self.where(operator), f"lacks its input {position}")
        return self.tensors[operator.inputs[position]]

    def require(self, operator: TfliteOperator, count: int) -> None:
        """Raise ModelFileError unless the first `count` inputs are given."""
        for position in range(count):
            self.tensor(operator, position)

    def has_input(self, operator: TfliteOperator, position: int) -> bool:
        """Whether input `position` is given."""
        return position < len(operator.inputs) and operator.inputs[position] >= 0

    def constant(self, operator: TfliteOperator, position: int) -> Array:
        """The values of input `position`, which must be constant or follow from constants."""
        data = self.known(operator, position)
        if data is None:
            raise UnsupportedOp(
                self.where(operator),
                f"input {position} is computed at run time",
                "export the model with constant shapes and parameters",
            )
        return data

    def known(self, operator: TfliteOperator, position: int) -> Array | None:
        """The values of input `position` where they follow from constants, else None."""
        tensor = self.tensor(operator, position)
        if tensor.data is not None:
            return tensor.data
        return self.whole.known.get(self.names.get(tensor.index, ABSENT))

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
        self.emit_named(operator, op, [self.input_name(operator, place) for place in chosen])

    def emit_named(
        self,
        operator: TfliteOperator,
        op: Op,
        inputs: Sequence[str],
        more: Sequence[tuple[str, Quantization | None]] = (),
        results: Sequence[int] | None = None,
    ) -> None:
        """Append `op` with the graph's tensors `inputs` and the file's tensors `results`.

        `results` are indices, by default those of all outputs of the operator; `more` are names and
        quantisation of outputs that the file does not show.
        """
        indices = operator.outputs if results is None else results
        outputs = [self.tensors[index] for index in indices]
        shown = [self.name_of(tensor) for tensor in outputs]
        names = [*shown, *(name for name, _ in more)]
        quantization = [
            *(self.quantization(tensor) for tensor in outputs),
            *(quant for _, quant in more),
        ]
        self._add(operator, op, inputs, quantization, names)
        for tensor, name in zip(outputs, shown, strict=True):
            self._compare(operator, tensor, self.builder.tensor(name))

    def add(
        self,
        operator: TfliteOperator,
        op: Op,
        inputs: Sequence[str],
        quantization: Quantization | None = None,
    ) -> str:
        """Append `op` as a step inside the operator; returns the name of its output."""
        name = self.fresh(f"{op.kind}_{operator.index}")
        self._add(operator, op, inputs, [quantization], [name])
        return name

    def add_constant(
        self,
        operator: TfliteOperator,
        dtype: DType,
        values: Array,
        quantization: Quantization | None = None,
    ) -> str:
        """A constant that the file does not hold; returns its name."""
        name = self.fresh(f"constant_{operator.index}")
        return self.builder.constant(name, dtype, values, quantization)

    def _add(
        self,
        operator: TfliteOperator,
        op: Op,
        inputs: Sequence[str],
        quantization: Sequence[Quantization | None],
        names: Sequence[str],
    ) -> None:
        operands = [self.builder.tensor(name) if name != ABSENT else None for name in inputs]
        try:
            made = len(op.infer(operands))
            if made != len(names):
                raise GraphError("the operator", f"has {len(names)} outputs instead of {made}")
            self.builder.add(op, inputs, quantization, names)
            if not op.has_effect:
                self._note_known(op, inputs, names)
        except GraphError as problem:
            raise ModelFileError(self.where(operator), str(problem)) from problem

    def _note_known(self, op: Op, inputs: Sequence[str], names: Sequence[str]) -> None:
        """Compute what follows from constants: shapes, counters, conditions."""
        operands = [self.builder.tensor(name) if name != ABSENT else None for name in inputs]
        values = [self.value(tensor.name) if tensor else None for tensor in operands]
        outputs = tuple(self.builder.tensor(name) for name in names)
        if any(tensor and value is None for tensor, value in zip(operands, values, strict=True)):
            return
        if sum(tensor.elements for tensor in outputs) <= LARGEST_KNOWN:
            results = op.evaluate(Signature(tuple(operands), outputs), values)
            self.whole.known.update(zip(names, results, strict=True))

    def value(self, name: str) -> Array | None:
        """The value of the graph's tensor `name` if it is known before the graph runs."""
        tensor = self.builder.tensor(name)
        return tensor.data if tensor.is_constant else self.whole.known.get(name)

    def input_name(self, operator: TfliteOperator, position: int) -> str:
        """The graph's name of input `position`; `ABSENT` where it is not given."""
        if not self.has_input(operator, position):
            return ABSENT
        return self.name_at(self.tensor(operator, position).index)

    def name_at(self, index: int) -> str:
        """The graph's name of the file's tensor `index`, which has a value by now."""
        if index not in self.names:
            self._add_constant(self.tensors[index])
        return self.names[index]

    def name_of(self, tensor: TfliteTensor) -> str:
        """A fresh graph name for a file's tensor, close to the name that it has there."""
        self.names[tensor.index] = self.fresh(tensor.name or f"tensor_{tensor.index}")
        return self.names[tensor.index]

    def fresh(self, stem: str) -> str:
        """`stem`, or that with a number behind it, as a name that the graph does not have yet."""
        name, count = stem, 1
        while name in self.whole.taken:
            count += 1
            name = f"{stem}#{count}"
        self.whole.taken.add(name)
        return name

    def inside(self, index: int, given: Sequence[Binding]) -> list[Binding]:
        """The outputs of subgraph `index` for inputs that are bound to `given`.

        Its operators are appended to the graph, as if they stood here.
        """
        callee = self.whole.model.subgraphs[index]
        inner = Conversion(self.file, callee, self.whole)
        for tensor, binding in zip(callee.inputs, given, strict=True):
            inner.bind(tensor, binding)
        convert_operators(inner)
        return [inner.binding(output) for output in callee.outputs]

    def binding(self, index: int) -> Binding:
        """What the file's tensor `index` stands for by now."""
        return self.variables[index] if index in self.variables else self.name_at(index)

    def bind(self, index: int, binding: Binding) -> None:
        """Let the file's tensor `index` stand for that."""
        if isinstance(binding, str):
            self.names[index] = binding
            self.tensors[index] = replace(
                self.tensors[index], shape=self.builder.tensor(binding).shape
            )
        else:
            self.variables[index] = binding

    def state(self, variable: Variable, like: TfliteTensor) -> str:
        """The graph's state of a variable that holds values such as `like`.

        Without an initialiser it starts as Micro leaves it: every byte the zero point of `like`.
        """
        if variable not in self.whole.states:
            dtype, quantization = self.dtype(like), self.quantization(like)
            initial = self.whole.initial.get(variable)
            if initial is None:
                initial = blank_state(dtype, like.shape, quantization)
            name = self.fresh(variable[1] or "state")
            self.whole.states[variable] = self.builder.state(name, dtype, initial, quantization)
        return self.whole.states[variable]

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
        fits = said.shape == inferred.shape or _fills_in(said, inferred.shape)
        if fits and self.dtype(said) is inferred.dtype:
            self.tensors[said.index] = replace(said, shape=inferred.shape)
        else:
            raise ModelFileError(
                self.where(operator),
                f"its output is {said.dtype.name.lower()}{list(said.shape)} in the file, but "
                f"{inferred.dtype.label}{list(inferred.shape)} follows from its inputs",
                "export the model again with fixed shapes",
            )


def _fills_in(said: TfliteTensor, shape: tuple[int, ...]) -> bool:
    """Whether `shape` differs only where the exporter did not know and left a placeholder.

    A batch of unknown size that SPACE_TO_BATCH_ND multiplies is the usual case.
    """
    signature = said.shape_signature
    if signature is None or len(signature) != len(shape):
        return False
    return all(known in (-1, size) for known, size in zip(signature, shape, strict=True))


def blank_state(dtype: DType, shape: tuple[int, ...], quantization: Quantization | None) -> Array:
    """Every byte the zero point, cut to 8 bits (micro_resource_variable.cc, Allocate)."""
    byte = quantization.zero_point & 0xFF if quantization else 0
    raw = np.full(int(np.prod(shape)) * dtype.numpy.itemsize, byte, np.uint8)
    return raw.view(dtype.numpy).reshape(shape)


def convert_operators(conversion: Conversion) -> None:
    """Append every operator of the subgraph to the graph, in order."""
    for operator in conversion.subgraph.operators:
        try:
            _convert_operator(conversion, operator)
        except UnsupportedError as problem:
            if conversion.whole.problems is None:
                raise
            conversion.whole.problems.append(problem)
            _stand_in(conversion, operator)


def _convert_operator(conversion: Conversion, operator: TfliteOperator) -> None:
    converter = CONVERTERS.get(operator.name)
    if converter is None:
        raise UnsupportedOp(
            conversion.where(operator),
            f"smidgen has no {operator.name}",
            "rewrite the layer with supported operators",
        )
    converter(conversion, operator)


def _stand_in(conversion: Conversion, operator: TfliteOperator) -> None:
    """Inputs of the graph in the place of an operator's outputs, so that a survey can go on."""
    for index in operator.outputs:
        tensor = conversion.tensors[index]
        if index not in conversion.names and tensor.dtype.name in DType.__members__:
            quantization = conversion.quantization(tensor)
            name = conversion.name_of(tensor)
            conversion.builder.input(name, conversion.dtype(tensor), tensor.shape, quantization)
