"""Quantised weights and biases of a layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import UnsupportedOp, UnsupportedType
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.dense.ops import Dense
from smidgen.quantize.calibration import Calibration
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.correction import corrected_bias
from smidgen.quantize.rules import Parameter
from smidgen.quantize.scales import (
    BIAS_MAX,
    WEIGHT_MAX,
    WIDE_BIAS_MAX,
    quantized,
    single,
    weight_scales,
)


@dataclass(frozen=True, slots=True)
class Constants:
    """Makes the constants of one layer."""

    graph: Graph
    node: Node
    calibration: Calibration
    config: QuantizeConfig
    wide: bool
    """Whether biases are int64: in 16x8 layers."""

    def make(
        self, parameter: Parameter, source: Quantization, output_scale: float
    ) -> dict[int, Tensor]:
        """Weights, and the bias if there is one, by the number of the input that they become."""
        weights = self._float(parameter.weights)
        has_bias = parameter.bias is not None and self._is_given(parameter.bias)
        bias = self._float(parameter.bias) if parameter.bias is not None and has_bias else None
        scales = self._scales(parameter, weights, bias, source, output_scale)
        quanta = quantized(weights, scales, DType.INT8, -WEIGHT_MAX, WEIGHT_MAX)
        if self.config.correct_bias and parameter.axis is not None:
            bias = self._corrected(weights, quanta, scales, bias)
        made = {
            parameter.weights: self._tensor(
                parameter.weights, "weights", DType.INT8, quanta, scales
            )
        }
        if bias is not None and parameter.bias is not None:
            made[parameter.bias] = self._bias(parameter.bias, bias, scales, source)
        return made

    def _bias(self, index: int, bias: Array, scales: Quantization, source: Quantization) -> Tensor:
        """Scale of the input times scale of the weights: it is added to their products."""
        unit = replace(scales, scales=tuple(source.scale * s for s in scales.scales))
        if unit.axis is not None:
            unit = replace(unit, axis=0)
        dtype = DType.INT64 if self.wide else DType.INT32
        limit = (1 << 62) if self.wide else dtype.range[1]
        stored = replace(unit, scales=tuple(single(s) for s in unit.scales))
        values = quantized(bias, unit, dtype, -limit, limit)
        return self._tensor(index, "bias", dtype, values, stored)

    def _is_given(self, index: int) -> bool:
        return index < len(self.node.inputs) and self.node.inputs[index] != ABSENT

    def _float(self, index: int) -> Array:
        tensor = self.graph.tensors[self.node.inputs[index]]
        if tensor.dtype is not DType.FLOAT32:
            raise UnsupportedType(
                f"tensor {tensor.name!r}", f"is {tensor.dtype.label}", "quantise the float32 model"
            )
        return tensor.values

    def _scales(
        self,
        parameter: Parameter,
        weights: Array,
        bias: Array | None,
        source: Quantization,
        output_scale: float,
    ) -> Quantization:
        axis = parameter.axis
        if isinstance(self.node.op, Dense) and not self.config.per_channel_dense:
            axis = None
        most = WIDE_BIAS_MAX if self.wide else BIAS_MAX
        scale = parameter.output_scale or output_scale
        scales = weight_scales(weights, axis, bias, source.scale, scale, most)
        return Quantization(scales, (0,) * len(scales), axis)

    def _corrected(
        self, weights: Array, quanta: Array, scales: Quantization, bias: Array | None
    ) -> Array:
        name, means = self.node.inputs[0], self.calibration.means
        mean = means[name] if name in means else self.graph.tensors[name].values
        return corrected_bias(self.graph, self.node, mean, weights, quanta, scales, bias)

    def _tensor(
        self, index: int, role: str, dtype: DType, data: Array, quant: Quantization
    ) -> Tensor:
        """A constant under its old name, or, where several nodes read it, the node's own."""
        old = self.node.inputs[index] if self._is_given(index) else ABSENT
        alone = old != ABSENT and len(self.graph.consumers[old]) == 1
        alone = alone and self.node.inputs.count(old) == 1
        suffix = f"_{index}" if index > 2 else ""
        name = old if alone else f"{self.node.name}_{role}{suffix}_int8"
        return Tensor(name, dtype, data.shape, quant, np.ascontiguousarray(data))


def require_constant(graph: Graph, node: Node, parameter: Parameter) -> None:
    """Raise UnsupportedOp where weights or bias are computed."""
    indices = (parameter.weights, parameter.bias)
    given = [index for index in indices if index is not None and index < len(node.inputs)]
    for name in (node.inputs[index] for index in given):
        if name != ABSENT and not graph.tensors[name].is_constant:
            raise UnsupportedOp(
                f"{node.name} ({node.op.kind})",
                f"its parameter {name!r} is no constant",
                "quantise models whose weights are known",
            )
