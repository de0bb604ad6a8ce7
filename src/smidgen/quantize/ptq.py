"""Post-training quantisation: a float32 graph and samples in, an int8 graph out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import UnsupportedOp, UnsupportedType
from smidgen.graph.check import check
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.dense.ops import Dense
from smidgen.ops.quantization.ops import Dequantize, Quantize
from smidgen.quantize.assignment import assign
from smidgen.quantize.calibration import Calibration, Sample, calibrate
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.correction import corrected_bias
from smidgen.quantize.equalization import equalize
from smidgen.quantize.rules import rule_of
from smidgen.quantize.scales import WEIGHT_MAX, quantized, single, weight_scales

INT32_MAX = (1 << 31) - 1


def quantize(
    graph: Graph, samples: Iterable[Sample], config: QuantizeConfig | None = None
) -> Graph:
    """`graph` (float32) with int8 activations and weights and int32 biases.

    `samples` are inputs like those that the device will see: for one input an array each, of the
    input's shape with or without the leading batch of 1 (so an array [samples, ...] will do), for
    several a tuple of arrays each. Some dozens to some hundreds are enough.

    Follows the TensorFlow Lite 8-bit quantisation specification: per-channel symmetric weights in
    [-127, 127], per-tensor asymmetric activations, bias scale = input scale * weight scale. Nodes
    and tensors keep their names; the quantisation of inputs and outputs stands on their tensors.

    Raises ArrayError for samples that do not fit or are not finite, UnsupportedOp for an op without
    a rule in `smidgen.quantize.rules`, UnsupportedType for a graph that is not float32.
    """
    options = config or QuantizeConfig()
    for node in graph.nodes:
        _require_quantisable(graph, node)
    if options.equalize:
        graph = equalize(graph)
    calibration = calibrate(graph, samples, options.range_method, options.percentile)
    return apply(graph, calibration, options)


def apply(graph: Graph, calibration: Calibration, config: QuantizeConfig) -> Graph:
    """`graph` quantised by ranges that were found before."""
    work = _Rewrite(graph, calibration, config, assign(graph, calibration.ranges))
    for name in graph.inputs:
        work.enter(name)
    for node in graph.nodes:
        work.convert(node)
    return work.finish()


def _require_quantisable(graph: Graph, node: Node) -> None:
    """Raise UnsupportedOp for a node without a rule, or whose weights are computed."""
    parameters = node.inputs[1:] if rule_of(node).has_weights else ()
    for name in parameters:
        if name != ABSENT and not graph.tensors[name].is_constant:
            raise UnsupportedOp(
                f"{node.name} ({node.op.kind})",
                f"its parameter {name!r} is no constant",
                "quantise models whose weights are known",
            )


@dataclass(slots=True)
class _Rewrite:
    """The int8 graph as it grows beside the float one."""

    source: Graph
    calibration: Calibration
    config: QuantizeConfig
    quantizations: Mapping[str, Quantization]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """What each activation of the float graph is called in the int8 one."""

    def enter(self, name: str) -> None:
        """Add graph input `name`: int8, or float32 and converted."""
        if not self.config.float_io:
            self._activation(name, name)
            return
        self.tensors[name] = self.source.tensors[name]
        inside = self._activation(name, f"{name}_int8")
        self.nodes.append(Node(f"quantize_{name}", Quantize(DType.INT8), (name,), (inside,)))

    def convert(self, node: Node) -> None:
        """Add `node` with int8 operands."""
        inputs = [self._operand(node, index) for index in range(len(node.inputs))]
        for name in node.outputs:
            taken = self.config.float_io and name in self.source.outputs
            self._activation(name, f"{name}_int8" if taken else name)
        if rule_of(node).has_weights:
            inputs = [inputs[0], *self._constants(node, inputs[0])]
        outputs = tuple(self.names[name] for name in node.outputs)
        in_quanta = rule_of(node).in_quanta
        op = in_quanta(node.op, self.quantizations[node.outputs[0]]) if in_quanta else node.op
        self.nodes.append(replace(node, op=op, inputs=tuple(inputs), outputs=outputs))

    def finish(self) -> Graph:
        """The checked graph."""
        outputs = tuple(self._leave(name) for name in self.source.outputs)
        graph = Graph(
            self.source.name, self.tensors, tuple(self.nodes), self.source.inputs, outputs
        )
        return check(graph.with_nodes(graph.nodes), after="quantize")

    def _leave(self, name: str) -> str:
        inside = self.names[name]
        if not self.config.float_io:
            return inside
        outside = name if name not in self.tensors else f"{name}_float"
        if outside not in self.tensors:
            self.tensors[outside] = replace(self.source.tensors[name], name=outside)
            self.nodes.append(Node(f"dequantize_{name}", Dequantize(), (inside,), (outside,)))
        return outside

    def _activation(self, name: str, called: str) -> str:
        tensor = self.source.tensors[name]
        self.names[name] = called
        self.tensors[called] = Tensor(called, DType.INT8, tensor.shape, self.quantizations[name])
        return called

    def _operand(self, node: Node, index: int) -> str:
        """The int8 name of input `index`; constants that are activations are quantised here."""
        name = node.inputs[index]
        if name == ABSENT or name in self.names or (index and rule_of(node).has_weights):
            return self.names.get(name, name)
        quant = self.quantizations[name]
        values = quantized(self.source.tensors[name].values, quant, DType.INT8, -128, 127)
        self.tensors[name] = Tensor(name, DType.INT8, values.shape, quant, values)
        self.names[name] = name
        return name

    def _constants(self, node: Node, x: str) -> tuple[str, ...]:
        """The names of the quantised weights and bias of a layer."""
        weights = self._float_constant(node, 1)
        bias = self._float_constant(node, 2) if len(node.inputs) > 2 and node.inputs[2] else None
        scales = self._weight_quantization(node, weights, bias, self.tensors[x].quant)
        quanta = quantized(weights, scales, DType.INT8, -WEIGHT_MAX, WEIGHT_MAX)
        if self.config.correct_bias:
            name = node.inputs[0]
            means = self.calibration.means
            mean = means[name] if name in means else self.source.tensors[name].values
            bias = corrected_bias(self.source, node, mean, weights, quanta, scales, bias)
        names = [self._constant(node, 1, "weights", DType.INT8, quanta, scales)]
        if bias is not None:
            factor = self.tensors[x].quant.scale
            unit = replace(scales, scales=tuple(factor * s for s in scales.scales))
            if unit.axis is not None:
                unit = replace(unit, axis=0)
            values = quantized(bias, unit, DType.INT32, -INT32_MAX, INT32_MAX)
            stored = replace(unit, scales=tuple(single(s) for s in unit.scales))
            names.append(self._constant(node, 2, "bias", DType.INT32, values, stored))
        return tuple(names)

    def _float_constant(self, node: Node, index: int) -> Array:
        tensor = self.source.tensors[node.inputs[index]]
        if tensor.dtype is not DType.FLOAT32:
            raise UnsupportedType(
                f"tensor {tensor.name!r}", f"is {tensor.dtype.label}", "quantise the float32 model"
            )
        return tensor.values

    def _weight_quantization(
        self, node: Node, weights: Array, bias: Array | None, x: Quantization
    ) -> Quantization:
        axis = rule_of(node).weights_axis
        if isinstance(node.op, Dense) and not self.config.per_channel_dense:
            axis = None
        output = self.quantizations[node.outputs[0]]
        scales = weight_scales(weights, axis, bias, x.scale, output.scale)
        return Quantization(scales, (0,) * len(scales), axis)

    def _constant(
        self, node: Node, index: int, role: str, dtype: DType, data: Array, quant: Quantization
    ) -> str:
        """Add a constant under its old name, or, where several nodes read it, the node's own."""
        old = node.inputs[index] if len(node.inputs) > index else ABSENT
        alone = old != ABSENT and len(self.source.consumers[old]) == 1
        name = old if alone else f"{node.name}_{role}_int8"
        self.tensors[name] = Tensor(name, dtype, data.shape, quant, np.ascontiguousarray(data))
        return name
