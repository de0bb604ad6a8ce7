"""Float ops between Dequantize and Quantize become ops on quanta.

Real numbers that are dequantised quanta have a *shadow*, the tensor of those quanta. An op whose
operands all have one, and whose result is only quantised, is done on the shadows. Ops that neither
compute nor round (reshapes, maxima, relu) pass shadows on and let quantisation through. All else
stays in float32, with Dequantize before and Quantize after it: the result is right either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.requantized import constant_quanta, layer_constants
from smidgen.frontends.rewrites import QUANTIZED_REWRITES, VIEWS, rewritten, without_dead
from smidgen.graph.check import check
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.activation.functions import Elu, Gelu, HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.index.gather import Gather
from smidgen.ops.matmul.ops import BatchMatMul
from smidgen.ops.pool.ops import MaxPool2D
from smidgen.ops.quantization.ops import Dequantize, Quantize
from smidgen.ops.reduce.ops import Mean, ReduceMax, ReduceMin, Sum
from smidgen.ops.resize.ops import ResizeNearest
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.support.activation import Activation
from smidgen.quantize.rules import RULES, QuantizationRule

_EXACT = (
    *(Reshape, Movement, Concat, Pack, Split, Unpack, Gather, ResizeNearest),
    *(MaxPool2D, ReduceMax, ReduceMin, Clamp, Maximum, Minimum),
)
"""Ops that commute with quantisation: they pick among quanta, or compare them."""
_OWN_RULES: Mapping[type, QuantizationRule] = {
    Logistic: QuantizationRule(fixed=Quantization((1 / 256,), (-128,))),
    Tanh: QuantizationRule(fixed=Quantization((1 / 128,), (0,))),
    LogSoftmax: QuantizationRule(fixed=Quantization((1 / 16,), (127,))),
    **{
        kind: QuantizationRule()
        for kind in (LeakyRelu, Elu, Gelu, HardSwish, Mean, Sum, BatchMatMul)
    },
}
Shadows = Mapping[str, tuple[Array, Array]]
"""Dequantised weights by name: as they were lowered, and a unit for each output channel."""


def tidy_quantized(graph: Graph, units: Shadows) -> Graph:
    """`graph` with its quantised parts on quanta, and tidied as a float graph is."""
    folded = rewritten(graph, QUANTIZED_REWRITES, "onnx")
    whole = _Rewrite(folded, units, _wanted(folded)).run()
    return rewritten(whole, VIEWS, "onnx")


def _is_exact(op: Op) -> bool:
    if isinstance(op, MaxPool2D):
        return op.activation is Activation.NONE
    return isinstance(op, _EXACT)


def _rule(op: Op) -> QuantizationRule | None:
    for kind in type(op).__mro__:
        if kind in RULES or kind in _OWN_RULES:
            return RULES.get(kind) or _OWN_RULES[kind]
    return None


def _wanted(graph: Graph) -> dict[str, Quantization]:
    """The quantisation that every reader of a float tensor gives it, through exact ops."""
    wanted: dict[str, Quantization] = {}
    for node in reversed(graph.nodes):
        for name in node.outputs:
            demands = {_demand(graph, reader, wanted) for reader in graph.consumers[name]}
            if name not in graph.outputs and len(demands) == 1:
                (demand,) = demands
                if demand is not None:
                    wanted[name] = demand
    return wanted


def _demand(graph: Graph, reader: Node, wanted: Mapping[str, Quantization]) -> Quantization | None:
    if isinstance(reader.op, Quantize):
        output = graph.tensors[reader.outputs[0]]
        return output.quant if output.dtype is DType.INT8 else None
    if not _is_exact(reader.op):
        return None
    demands = {wanted.get(name) for name in reader.outputs}
    return demands.pop() if len(demands) == 1 else None


@dataclass(slots=True)
class _Rewrite:
    """The new graph as it grows beside the old one."""

    source: Graph
    units: Shadows
    wanted: Mapping[str, Quantization]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    shadows: dict[str, str] = field(default_factory=dict)
    """The quanta behind each float tensor that has them."""
    names: dict[str, str] = field(default_factory=dict)
    """What tensors of the old graph are called in the new one."""
    requantized: dict[tuple[str, Quantization], str] = field(default_factory=dict)

    def run(self) -> Graph:
        """The checked graph."""
        self.tensors.update(self.source.tensors)
        for node in self.source.nodes:
            self._convert(node)
        outputs = tuple(self._real(name) for name in self.source.outputs)
        graph = replace(self.source, tensors=self.tensors, outputs=outputs)
        return check(without_dead(graph.with_nodes(self.nodes)), after="onnx integers")

    def _convert(self, node: Node) -> None:
        if isinstance(node.op, Dequantize):
            self.shadows[node.outputs[0]] = self._current(node.inputs[0])
        elif isinstance(node.op, Quantize) and node.inputs[0] in self.shadows:
            target = self.tensors[node.outputs[0]]
            self.names[node.outputs[0]] = self._at(self.shadows[node.inputs[0]], target.quant)
        elif not self._on_quanta(node):
            inputs = tuple(self._real(name) if name != ABSENT else name for name in node.inputs)
            self.nodes.append(replace(node, inputs=inputs))

    def _current(self, name: str) -> str:
        return self.names.get(name, name)

    def _real(self, name: str) -> str:
        """`name` as the op that needs it asks for: real numbers are dequantised once."""
        if name not in self.shadows:
            return self._current(name)
        if name not in self.names:
            self.names[name] = name
            inputs = (self.shadows[name],)
            stem = name.removesuffix("_out")
            self.nodes.append(Node(f"{stem}_real", Dequantize(), inputs, (name,)))
        return self.names[name]

    def _at(self, quanta: str, wanted: Quantization) -> str:
        """`quanta` with the quantisation `wanted`: as they are, or rescaled."""
        if _alike(self.tensors[quanta].quant, wanted):
            return quanta
        key = (quanta, wanted)
        if key not in self.requantized:
            stem = quanta.removesuffix("_int8").removesuffix("_out")
            name = f"{stem}_rescaled_{len(self.requantized)}"
            self.tensors[name] = replace(self.tensors[quanta], name=name, quantization=wanted)
            self.nodes.append(Node(name, Quantize(DType.INT8), (quanta,), (name,)))
            self.requantized[key] = name
        return self.requantized[key]

    def _on_quanta(self, node: Node) -> bool:
        """Append `node` on shadows, if they are all there; whether it was done."""
        if any(self.tensors[name].dtype is not DType.FLOAT32 for name in node.outputs):
            return False
        rule = _rule(node.op)
        if rule is not None and rule.has_weights:
            return self._layer(node, rule)
        operands = self._operands(node)
        if operands is None:
            return False
        wanted = {self.wanted.get(name) for name in node.outputs}
        target = wanted.pop() if len(wanted) == 1 else None
        if _is_exact(node.op):
            return self._exact(node, operands, target)
        if rule is None or target is None:
            return False
        return self._computed(node, rule, operands, target)

    def _operands(self, node: Node) -> list[str] | None:
        """The quanta of every input, or None; positions and other integers stay."""
        found: list[str] = []
        for name in node.inputs:
            tensor = self.source.tensors.get(name)
            if tensor is not None and tensor.dtype is not DType.FLOAT32:
                found.append(self._current(name))
            elif name in self.shadows:
                found.append(self.shadows[name])
            elif tensor is not None and tensor.is_constant and (made := self._constant(tensor)):
                found.append(made)
            else:
                return None
        return found if any(name in self.shadows for name in node.inputs) else None

    def _constant(self, tensor: Tensor) -> str:
        """The quanta of a constant operand that quanta can express exactly, or nothing."""
        made = constant_quanta(tensor.values)
        if made is None:
            return ""
        name, (quanta, quant) = f"{tensor.name}_int8", made
        self.tensors[name] = Tensor(name, DType.INT8, quanta.shape, quant, quanta)
        return name

    def _exact(self, node: Node, operands: list[str], target: Quantization | None) -> bool:
        quants = [self._quant(name) for name in operands]
        own = [quant for quant in quants if quant is not None]
        common = own[0] if all(_alike(own[0], quant) for quant in own) else target
        if common is None:
            return False
        inputs = [
            name if quant is None else self._at(name, common)
            for name, quant in zip(operands, quants, strict=True)
        ]
        self._append(node, node.op, inputs, common)
        return True

    def _quant(self, name: str) -> Quantization | None:
        tensor = self.tensors[name]
        return tensor.quantization if tensor.dtype is DType.INT8 else None

    def _computed(
        self, node: Node, rule: QuantizationRule, operands: list[str], target: Quantization
    ) -> bool:
        if rule.shared and len(operands) > 1:
            operands = [self._at(name, target) for name in operands]
        source = self.tensors[operands[0]].quant
        made = rule.fixed or (source if rule.shared else target)
        op = rule.in_quanta(node.op, made) if rule.in_quanta else node.op
        self._append(node, op, operands, made)
        return True

    def _layer(self, node: Node, rule: QuantizationRule) -> bool:
        target = self.wanted.get(node.outputs[0])
        if target is None or node.inputs[0] not in self.shadows:
            return False
        x = self.shadows[node.inputs[0]]
        constants = [self.source.tensors[name] for name in node.inputs[1:] if name != ABSENT]
        if not all(tensor.is_constant for tensor in constants):
            return False
        assert rule.weights_axis is not None
        made = layer_constants(
            constants, rule.weights_axis, self.units.get(constants[0].name), self.tensors[x].quant
        )
        if made is None:
            return False
        named = [replace(tensor, name=self._fresh(node, tensor.name)) for tensor in made]
        self.tensors.update({tensor.name: tensor for tensor in named})
        self._append(node, node.op, [x, *(tensor.name for tensor in named)], target)
        return True

    def _fresh(self, node: Node, name: str) -> str:
        """The name of a layer's constant on quanta; two layers may share the real one."""
        quanta = f"{name}_int8"
        return quanta if quanta not in self.tensors else f"{node.name}_{quanta}"

    def _append(self, node: Node, op: Op, inputs: list[str], quant: Quantization) -> None:
        outputs = tuple(f"{name}_int8" for name in node.outputs)
        for old, new in zip(node.outputs, outputs, strict=True):
            shape = self.source.tensors[old].shape
            self.tensors[new] = Tensor(new, DType.INT8, shape, quant)
            self.shadows[old] = new
        self.nodes.append(replace(node, op=op, inputs=tuple(inputs), outputs=outputs))


def _alike(a: Quantization, b: Quantization) -> bool:
    mine, other = (np.asarray(quant.scales, np.float32) for quant in (a, b))
    return a.zero_points == b.zero_points and np.array_equal(mine, other)
