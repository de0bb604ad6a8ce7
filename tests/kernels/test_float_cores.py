"""Float functions give the same bits on every core: with an FPU and without, Arm and RISC-V."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import DType
from smidgen.emulate.device import Device
from smidgen.emulate.proof import prove
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.functions import Elu, Gelu, HardSwish, Logistic, Tanh
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.normalization import L2Normalize
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.elementwise.modulo import FloorDiv, FloorMod
from smidgen.ops.elementwise.unary import Ceil, Cos, Exp, Floor, Log, Round, Rsqrt, Sin, Sqrt
from smidgen.ops.quantization.ops import Dequantize, Quantize
from smidgen.targets.catalogue import board

FUNCTIONS: tuple[Op, ...] = (
    Exp(), Log(), Sqrt(), Rsqrt(), Floor(), Ceil(), Round(), Sin(), Cos(), Logistic(), Tanh(),
    Elu(), HardSwish(), Gelu(), Softmax(), LogSoftmax(), L2Normalize(),
)  # fmt: skip
SHAPE = (4, 16)


def float_graph() -> Graph:
    builder = GraphBuilder("floats")
    x = builder.input("x", DType.FLOAT32, SHAPE)
    y = builder.input("y", DType.FLOAT32, SHAPE)
    outputs = [builder.add(op, [x])[0] for op in FUNCTIONS]
    outputs += [builder.add(op, [x, y])[0] for op in (FloorDiv(), FloorMod())]
    quanta = builder.add(Quantize(DType.INT8), [x], Quantization((0.07,), (3,)))[0]
    return builder.finish([*outputs, builder.add(Dequantize(), [quanta])[0]])


def samples() -> list[list[np.ndarray]]:
    """Numbers near 1, and of all magnitudes down to where results are still normal numbers.

    The support library of cores without an FPU does not divide subnormal numbers exactly.
    """
    rng = np.random.default_rng(0)
    spread = [np.exp2(rng.integers(low, high, SHAPE)) for low, high in ((-3, 4), (-115, 20))]
    return [
        [(rng.standard_normal(SHAPE) * size).astype(np.float32) for size in (each, spread[0])]
        for each in spread
    ]


@pytest.mark.parametrize("name", ["nucleo-g071rb", "nucleo-f446re", "gd32vf103"])
def test_float_functions_are_exact_on_emulated_cores(name: str) -> None:
    graph = float_graph()
    target = board(name)
    with np.errstate(all="ignore"):
        proof = prove(graph, Device(compile_graph(graph, target, name="floats"), target), samples())
    for ours, theirs in zip(proof.reference_outputs, proof.outputs, strict=True):
        for op, right, found in zip(graph.nodes, ours, theirs, strict=False):
            same = (right.view(np.uint32) == found.view(np.uint32)) | np.isnan(right)
            assert same.all(), (op.name, right[~same][:3], found[~same][:3])
            assert np.array_equal(np.isnan(right), np.isnan(found)), op.name
