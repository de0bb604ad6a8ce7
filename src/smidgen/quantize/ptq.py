"""Post-training quantisation: a float32 graph and samples in, a graph on quanta out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from smidgen.core.dtypes import DType
from smidgen.core.errors import GraphError, UnsupportedOp
from smidgen.graph.check import check
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.quantization.ops import Dequantize, Quantize
from smidgen.ops.registry import kernels
from smidgen.quantize.assignment import Assignment, Place, assign
from smidgen.quantize.calibration import Calibration, Sample, calibrate
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.equalization import equalize
from smidgen.quantize.masking import with_finite_masks
from smidgen.quantize.parameters import Constants, require_constant
from smidgen.quantize.precision import Precision, precision_of
from smidgen.quantize.rules import rule_of
from smidgen.quantize.scales import quantized


def quantize(
    graph: Graph, samples: Iterable[Sample], config: QuantizeConfig | None = None
) -> Graph:
    """`graph` (float32) with int8 activations and weights and int32 biases, or as `config` says.

    `samples` are inputs like those that the device will see: for one input an array each, of the
    input's shape with or without the leading batch of 1 (so an array [samples, ...] will do), for
    several a tuple of arrays each. Some dozens to some hundreds are enough; for a model with state
    they follow each other in time.

    Follows the TensorFlow Lite 8-bit quantisation specification: per-channel symmetric weights in
    [-127, 127], per-tensor asymmetric activations, bias scale = input scale * weight scale. With
    `activations="int16"` activations are int16 and symmetric, biases int64. Layers named in
    `keep` have another precision, with conversions where types or fixed scales meet. Nodes and
    tensors keep their names; the quantisation of inputs and outputs stands on their tensors.

    Raises ArrayError for samples that do not fit or are not finite, UnsupportedOp for an op without
    a rule in `smidgen.quantize.rules` or without a kernel for its type, UnsupportedType for a graph
    that is not float32, UnknownName where `keep` names no layer.
    """
    options, graph = config or QuantizeConfig(), with_finite_masks(graph)
    _require_quantisable(graph, precision_of(graph, options))
    if options.equalize:
        graph = equalize(graph)
    calibration = calibrate(graph, samples, options.range_method, options.percentile)
    return apply(graph, calibration, options)


def apply(graph: Graph, calibration: Calibration, config: QuantizeConfig) -> Graph:
    """`graph` quantised by ranges that were found before."""
    precision = precision_of(graph, config)
    _require_quantisable(graph, precision)
    assignment = assign(graph, calibration.ranges, precision)
    work = _Rewrite(graph, calibration, config, assignment)
    for name in graph.inputs:
        work.enter(name)
    for node in graph.nodes:
        work.convert(node)
    return require_kernels(work.finish())


def _require_quantisable(graph: Graph, precision: Precision) -> None:
    """Raise UnsupportedOp for a node without a rule, or whose weights are computed."""
    for node in graph.nodes:
        if precision.layers[node.name] is not DType.FLOAT32:
            for parameter in rule_of(node).parameters:
                require_constant(graph, node, parameter)


def require_kernels(graph: Graph) -> Graph:
    """`graph`, if some kernel serves every node on any core; else UnsupportedOp."""
    for node in graph.nodes:
        signature = graph.signature(node)
        if kernels().get(type(node.op)) and not _is_served(node, signature):
            dtype = next(t.dtype for t in (*signature.inputs, signature.output) if t is not None)
            raise _without_kernel(node, dtype)
    return graph


def _without_kernel(node: Node, dtype: DType) -> UnsupportedOp:
    return UnsupportedOp(
        f"{node.name} ({node.op.kind})",
        f"no kernel computes it in {dtype.label}",
        f'give it another precision: keep={{"{node.name}": "float"}}',
    )


def _is_served(node: Node, signature: Signature) -> bool:
    return any(
        not kernel.requires and kernel.accepts(node.op, signature)
        for kernel in kernels()[type(node.op)]
    )


@dataclass(slots=True)
class _Rewrite:
    """The quantised graph as it grows beside the float one."""

    source: Graph
    calibration: Calibration
    config: QuantizeConfig
    assignment: Assignment
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    """Names of nodes."""
    names: dict[Place, str] = field(default_factory=dict)
    """What each place of the float graph's activations is called in the new one."""

    def enter(self, name: str) -> None:
        """Add graph input `name`, in the type that its readers want."""
        if self._is_real(name):
            self._stand(self.assignment.home(name), name)
        else:
            self.tensors[name] = self.source.tensors[name]

    def convert(self, node: Node) -> None:
        """Add `node` with operands of its precision."""
        if self.assignment.precision.layers[node.name] is DType.FLOAT32:
            self._keep(node)
            return
        rule = rule_of(node)
        constants = self._constants(node)
        parameters = {i for p in rule.parameters for i in (p.weights, p.bias)}
        inputs = [
            name if index in parameters else self._read(node, index, name)
            for index, name in enumerate(node.inputs)
        ]
        inputs += [ABSENT] * (max(constants, default=-1) + 1 - len(inputs))
        for index, tensor in constants.items():
            self.tensors[tensor.name] = tensor
            inputs[index] = tensor.name
        outputs = tuple(self._write(name) for name in node.outputs)
        op, made = node.op, self.tensors[outputs[0]]
        if rule.in_quanta is not None:
            extra = () if made.dtype is DType.INT8 else (made.dtype,)
            op = rule.in_quanta(op, made.quant, *extra)
        self._append(replace(node, op=op, inputs=tuple(inputs), outputs=outputs))

    def _append(self, node: Node) -> None:
        """Add `node`; raises UnsupportedOp where its op has no meaning for these types."""
        operands = [self.tensors[name] if name != ABSENT else None for name in node.inputs]
        try:
            node.op.infer(operands)
        except GraphError as error:
            raise _without_kernel(node, self.tensors[node.outputs[0]].dtype) from error
        self.nodes.append(node)

    def finish(self) -> Graph:
        """The checked graph."""
        outputs = tuple(self._leave(name) for name in self.source.outputs)
        graph = Graph(
            self.source.name, self.tensors, tuple(self.nodes), self.source.inputs, outputs
        )
        return check(graph.with_nodes(graph.nodes), after="quantize")

    def _keep(self, node: Node) -> None:
        """Add `node` in float32."""
        inputs = [
            self._at(Place(name, DType.FLOAT32)) if self._is_real(name) else self._plain(name)
            for name in node.inputs
        ]
        outputs = tuple(self._write(name) for name in node.outputs)
        self.nodes.append(replace(node, inputs=tuple(inputs), outputs=outputs))

    def _is_real(self, name: str) -> bool:
        return name != ABSENT and self.source.tensors[name].dtype is DType.FLOAT32

    def _plain(self, name: str) -> str:
        """An operand that is no real number, or absent: as it is."""
        if name != ABSENT:
            self.tensors.setdefault(name, self.source.tensors[name])
        return name

    def _read(self, node: Node, index: int, name: str) -> str:
        if not self._is_real(name):
            return self._plain(name)
        return self._at(self.assignment.at(node, ("in", index), name))

    def _write(self, name: str) -> str:
        """The name of an output of a node, which is added in its type."""
        if not self._is_real(name):
            return self._plain(name)
        home = self.assignment.home(name)
        taken = self.config.float_io and name in self.source.outputs
        suffixed = taken and home.dtype is not DType.FLOAT32
        return self._stand(home, f"{name}_{home.dtype.label}" if suffixed else name)

    def _stand(self, place: Place, called: str) -> str:
        """Add the tensor at `place`."""
        tensor = self.source.tensors[place.tensor]
        quant = self.assignment.quantizations.get(place)
        self.names[place] = called
        self.tensors[called] = Tensor(called, place.dtype, tensor.shape, quant)
        return called

    def _at(self, place: Place) -> str:
        """The name of the tensor at `place`, which is converted to if it is not there yet."""
        if place not in self.names:
            tensor = self.source.tensors[place.tensor]
            if tensor.data is not None:
                self._add_values(place, tensor)
            else:
                self._add_conversion(place)
        return self.names[place]

    def _add_values(self, place: Place, tensor: Tensor) -> None:
        """A constant or a state; a constant may stand in several types."""
        if tensor.is_state and place != self.assignment.home(tensor.name):
            self._at(self.assignment.home(tensor.name))
            self._add_conversion(place)
            return
        called = tensor.name
        if called in self.tensors:
            called = self._fresh(f"{tensor.name}_{_label(place)}")
        values, quant = tensor.values, self.assignment.quantizations.get(place)
        if place.dtype is not DType.FLOAT32:
            assert quant is not None
            values = quantized(values, quant, place.dtype, *place.dtype.range)
        self.names[place] = called
        self.tensors[called] = replace(
            tensor, name=called, dtype=place.dtype, quantization=quant, data=values
        )

    def _add_conversion(self, place: Place) -> None:
        """Quantize, Dequantize or requantise what stands at the tensor's home."""
        home = self.assignment.home(place.tensor)
        source, label = self.names[home], _label(place)
        called = self._fresh(f"{place.tensor}_{label}")
        self._stand(place, called)
        if place.dtype is DType.FLOAT32:
            self._convert(Dequantize(), "dequantize", source, called, place)
        else:
            verb = "quantize" if home.dtype is DType.FLOAT32 else "requantize"
            self._convert(Quantize(place.dtype), verb, source, called, place)

    def _convert(
        self, op: Quantize | Dequantize, verb: str, source: str, called: str, place: Place
    ) -> None:
        if not self.taken:
            self.taken.update(node.name for node in self.source.nodes)
        name = f"{verb}_{place.tensor}"
        name = name if name not in self.taken else f"{verb}_{called}"
        self.taken.add(name)
        self.nodes.append(Node(name, op, (source,), (called,)))

    def _fresh(self, name: str) -> str:
        while name in self.tensors or name in self.source.tensors:
            name = f"{name}_"
        return name

    def _leave(self, name: str) -> str:
        if not (self.config.float_io and self._is_real(name)):
            return self.names[self.assignment.home(name)] if self._is_real(name) else name
        place = Place(name, DType.FLOAT32)
        if place not in self.names and name not in self.tensors:
            source = self.names[self.assignment.home(name)]
            self._stand(place, name)
            self._convert(Dequantize(), "dequantize", source, name, place)
        return self._at(place)

    def _constants(self, node: Node) -> dict[int, Tensor]:
        """The quantised weights and biases of a layer, by input."""
        made: dict[int, Tensor] = {}
        assignment, parameters = self.assignment, rule_of(node).parameters
        wide = assignment.precision.layers[node.name] is DType.INT16
        work = Constants(self.source, node, self.calibration, self.config, wide)
        for parameter in parameters:
            port = ("in", parameter.source)
            place = assignment.at(node, port, node.inputs[parameter.source])
            output = assignment.quantizations[assignment.home(node.outputs[0])]
            made.update(work.make(parameter, assignment.quantizations[place], output.scale))
        return made


def _label(place: Place) -> str:
    """What a tensor's name ends with at `place`."""
    if place.dtype is DType.FLOAT32:
        return "float"
    return f"{place.dtype.label}_joined" if place.joined else place.dtype.label
