"""Quantised ONNX models become integer graphs, at most one quantum from ONNX's evaluator."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")

from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.onnx.conformance import run
from smidgen.ops.conv.ops import Conv2D
from support.onnx_nets import graph_of, imported, net, node, random_inputs

RNG = np.random.default_rng(5)


def weights(*shape: int) -> np.ndarray:
    return RNG.integers(-127, 128, shape).astype(np.int8)


def pair(name: str, out: str, scale: str, zero: str) -> list:
    """QuantizeLinear and DequantizeLinear."""
    return [
        node("QuantizeLinear", [name, scale, zero], [f"{name}_q"]),
        node("DequantizeLinear", [f"{name}_q", scale, zero], [out]),
    ]


def assert_within_a_quantum(model, step: float, inputs=None):
    """The graph, once its results are at most `step` from those of ONNX's evaluator."""
    given = random_inputs(model) if inputs is None else inputs
    names = [port.name for port in model.graph.input]
    expected = ReferenceEvaluator(model).run(None, dict(zip(names, given, strict=True)))
    made = imported(model)
    for found, wanted in zip(run(made, given), expected, strict=True):
        off = np.abs(found.astype(np.float64) - np.asarray(wanted, np.float64))
        assert off.max() <= step * 1.001, off.max() / step
    return made.graph


def floats_inside(graph) -> list[str]:
    """Nodes that compute in float32, conversions at the ends aside."""
    return [
        each.name
        for each in graph.nodes
        if each.op.kind not in ("quantize", "dequantize", "reshape")
        and any(graph.tensors[name].dtype is DType.FLOAT32 for name in each.outputs)
    ]


def qdq_network(kind, per_channel: bool):
    """Conv, relu, add, pool, gemm, softmax with QDQ pairs around them; activations of `kind`."""
    low = 0 if kind == np.uint8 else -128
    scales = np.linspace(0.004, 0.02, 6).astype(np.float32)
    constants = {
        "sx": np.float32(0.05), "zx": kind(low + 120),
        "sy": np.float32(0.08), "zy": kind(low),
        "sa": np.float32(0.11), "za": kind(low + 30),
        "sg": np.float32(0.09), "zg": kind(low + 110),
        "sp": np.float32(1 / 256), "zp": kind(low),
        "w0": weights(6, 3, 3, 3), "sw0": scales if per_channel else np.float32(0.01),
        "zw0": np.zeros(6, np.int8) if per_channel else np.int8(0),
        "b0": RNG.normal(0, 0.4, 6).astype(np.float32),
        "w1": weights(6, 4), "sw1": np.float32(0.01), "zw1": np.int8(0),
        "b1": RNG.integers(-900, 900, 4).astype(np.int32), "sb1": np.float32(0.11 * 0.01),
    }  # fmt: skip
    nodes = [
        *pair("x", "xd", "sx", "zx"),
        node("DequantizeLinear", ["w0", "sw0", "zw0"], ["w0d"], axis=0),
        node("Conv", ["xd", "w0d", "b0"], ["c"], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"]),
        *pair("r", "rd", "sy", "zy"),
        node("MaxPool", ["rd"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        *pair("m", "md", "sy", "zy"),
        node("Add", ["md", "md"], ["a"]),
        *pair("a", "ad", "sa", "za"),
        node("GlobalAveragePool", ["ad"], ["p"]),
        *pair("p", "pd", "sa", "za"),
        node("Flatten", ["pd"], ["f"]),
        node("DequantizeLinear", ["w1", "sw1", "zw1"], ["w1d"]),
        node("DequantizeLinear", ["b1", "sb1"], ["b1d"]),
        node("Gemm", ["f", "w1d", "b1d"], ["g"]),
        *pair("g", "gd", "sg", "zg"),
    ]
    return net(nodes, {"x": (1, 3, 8, 8)}, constants, outputs=("gd",))


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_qdq_networks_are_integer_inside(kind, per_channel: bool) -> None:
    # Each of the four requantisations before the last may be off by one, too.
    graph = assert_within_a_quantum(qdq_network(kind, per_channel), 2 * 0.09)
    assert floats_inside(graph) == []
    convs = [each for each in graph.nodes if isinstance(each.op, Conv2D)]
    stored = graph.tensors[convs[0].inputs[1]]
    assert stored.dtype is DType.INT8 and len(stored.quant.scales) == (6 if per_channel else 1)


def single_qdq(op_nodes, constants, shape, out_scale=0.05, out_zero=-10):
    full = {
        "sx": np.float32(0.05), "zx": np.int8(3), "so": np.float32(out_scale),
        "zo": np.int8(out_zero), **constants,
    }  # fmt: skip
    nodes = [*pair("x", "xd", "sx", "zx"), *op_nodes, *pair("o", "y", "so", "zo")]
    return net(nodes, {"x": shape}, full)


SINGLE = {
    "conv": (
        [node("DequantizeLinear", ["w", "sw"], ["wd"]), node("Conv", ["xd", "wd"], ["o"])],
        {"w": weights(4, 2, 3, 3), "sw": np.float32(0.004)}, (1, 2, 6, 6), 0.05, -10,
    ),
    "average pool": (
        [node("AveragePool", ["xd"], ["o"], kernel_shape=[2, 2])], {}, (1, 2, 6, 6), 0.05, 3,
    ),
    "average pool, other scale": (
        [node("AveragePool", ["xd"], ["o"], kernel_shape=[2, 2])], {}, (1, 2, 6, 6), 0.04, 0,
    ),
    "softmax": ([node("Softmax", ["xd"], ["o"])], {}, (1, 9), 1 / 256, -128),
    "sigmoid": ([node("Sigmoid", ["xd"], ["o"])], {}, (1, 9), 1 / 256, -128),
    "tanh": ([node("Tanh", ["xd"], ["o"])], {}, (1, 9), 1 / 128, 0),
    "scalar product": (
        [node("Mul", ["xd", "k"], ["o"])], {"k": np.float32(1.7)}, (1, 3, 4), 0.08, 1,
    ),
    "bias by channel": (
        [node("Add", ["xd", "k"], ["o"])],
        {"k": np.array([0.3, -2, 5, 0], np.float32)}, (1, 3, 4), 0.08, 1,
    ),
    "reshape and transpose": (
        [node("Transpose", ["xd"], ["t"], perm=[0, 2, 1]), node("Reshape", ["t", "s"], ["o"])],
        {"s": np.array([1, 12])}, (1, 3, 4), 0.05, 3,
    ),
    "leaky relu": ([node("LeakyRelu", ["xd"], ["o"], alpha=0.2)], {}, (1, 12), 0.05, -20),
}  # fmt: skip


@pytest.mark.parametrize("name", SINGLE)
def test_single_operators_between_pairs(name: str) -> None:
    nodes, constants, shape, scale, zero = SINGLE[name]
    model = single_qdq(nodes, constants, shape, scale, zero)
    assert floats_inside(assert_within_a_quantum(model, scale)) == []


def test_asymmetric_weights_keep_a_zero_point() -> None:
    raw = RNG.integers(0, 256, (5, 2, 3, 3)).astype(np.uint8)
    raw.reshape(-1)[:2] = (0, 255)
    nodes = [
        node("DequantizeLinear", ["w", "sw", "zw"], ["wd"]),
        node("Conv", ["xd", "wd"], ["o"]),
    ]
    constants = {"w": raw, "sw": np.float32(0.004), "zw": np.uint8(90)}
    graph = assert_within_a_quantum(single_qdq(nodes, constants, (1, 2, 6, 6), 0.2), 0.2)
    assert floats_inside(graph) == []


def test_what_has_no_integer_form_stays_float_and_right() -> None:
    constants = {"k": RNG.normal(0, 1, (1, 3, 4)).astype(np.float32)}
    model = single_qdq([node("Mul", ["xd", "k"], ["o"])], constants, (1, 3, 4))
    graph = assert_within_a_quantum(model, 0.05)
    assert len(floats_inside(graph)) == 1


def qlinear(kind, out_element, nodes, constants, shape):
    return net(nodes, {"x": shape}, constants, element=kind, output_element=out_element, opset=21)


@pytest.mark.parametrize("unsigned", [False, True])
def test_qlinear_conv(unsigned: bool) -> None:
    kind = np.uint8 if unsigned else np.int8
    constants = {
        "sx": np.float32(0.05), "zx": kind(100), "w": weights(4, 2, 3, 3),
        "sw": np.array([0.01, 0.02, 0.005, 0.013], np.float32), "zw": np.zeros(4, np.int8),
        "sy": np.float32(0.2), "zy": kind(90), "b": np.array([50, -800, 0, 3000], np.int32),
    }  # fmt: skip
    names = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b"]
    element = TensorProto.UINT8 if unsigned else TensorProto.INT8
    model = qlinear(element, element, [node("QLinearConv", names)], constants, (1, 2, 6, 6))
    graph = assert_within_a_quantum(model, 1.0)
    assert floats_inside(graph) == []
    assert graph.tensors[graph.inputs[0]].dtype is (DType.UINT8 if unsigned else DType.INT8)
    assert graph.tensors[graph.outputs[0]].dtype is (DType.UINT8 if unsigned else DType.INT8)


def test_qlinear_matmul() -> None:
    constants = {
        "sx": np.float32(0.05), "zx": np.uint8(100), "w": weights(12, 5),
        "sw": np.float32(0.01), "zw": np.int8(0), "sy": np.float32(0.2), "zy": np.uint8(90),
    }  # fmt: skip
    names = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy"]
    element = TensorProto.UINT8
    model = qlinear(element, element, [node("QLinearMatMul", names)], constants, (3, 12))
    assert floats_inside(assert_within_a_quantum(model, 1.0)) == []


def test_qlinear_add_of_onnxruntime() -> None:
    """The evaluator lacks this operator: the sum of real numbers is computed here."""
    constants = {
        "sx": np.float32(0.05), "zx": np.int8(10), "sz": np.float32(0.02), "zz": np.int8(-3),
        "sy": np.float32(0.07), "zy": np.int8(4),
    }  # fmt: skip
    call = node(
        "QLinearAdd", ["x", "sx", "zx", "z", "sz", "zz", "sy", "zy"], domain="com.microsoft"
    )
    shapes = {"x": (1, 5), "z": (1, 5)}
    element = TensorProto.INT8
    model = net([call], shapes, constants, element=element, output_element=element)
    x, z = random_inputs(model)
    total = (x.astype(int) - 10) * 0.05 + (z.astype(int) + 3) * 0.02
    wanted = np.clip(np.rint(total / 0.07) + 4, -128, 127)
    made = imported(model)
    (found,) = run(made, [x, z])
    assert np.abs(found - wanted).max() <= 1 and floats_inside(made.graph) == []


def test_integer_matmul_with_static_scales() -> None:
    constants = {
        "sx": np.float32(0.05), "zx": np.uint8(100), "w": weights(12, 5),
        "both": np.float32(0.05 * 0.01), "so": np.float32(0.1), "zo": np.uint8(120),
    }  # fmt: skip
    nodes = [
        node("QuantizeLinear", ["x", "sx", "zx"], ["q"]),
        node("MatMulInteger", ["q", "w", "zx"], ["i"]),
        node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["f", "both"], ["o"]),
        *pair("o", "y", "so", "zo"),
    ]
    graph = assert_within_a_quantum(net(nodes, {"x": (1, 12)}, constants), 0.1)
    assert floats_inside(graph) == []


def test_dynamic_quantisation_is_refused_with_a_way_out() -> None:
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        node("DequantizeLinear", ["q", "s", "z"]),
    ]
    with pytest.raises(UnsupportedOp, match="statically"):
        graph_of(net(nodes, {"x": (1, 4)}))


def assert_alike(made, alike, shape, step: float) -> None:
    """Two models that mean the same give the same, but for `step`."""
    x = np.random.default_rng(6).normal(size=shape).astype(np.float32)
    (found,), (wanted,) = (run(imported(model), [x]) for model in (made, alike))
    assert np.abs(found - wanted).max() <= step * 1.001


@pytest.mark.parametrize("counts", [0, 1])
def test_an_average_of_quanta_by_onnxruntimes_own_operator(counts: int) -> None:
    constants = {"s": np.float32(0.03), "z": np.uint8(120), "t": np.float32(0.02)}
    first = node("QuantizeLinear", ["x", "s", "z"], ["q"])
    last = node("DequantizeLinear", ["p", "t", "z"], ["y"])
    window = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 0, 1]}
    own = node(
        "QLinearAveragePool",
        ["q", "s", "z", "t", "z"],
        ["p"],
        domain="com.microsoft",
        count_include_pad=counts,
        **window,
    )
    plain = [
        node("DequantizeLinear", ["q", "s", "z"], ["r"]),
        node("AveragePool", ["r"], ["a"], count_include_pad=counts, **window),
        node("QuantizeLinear", ["a", "t", "z"], ["p"]),
    ]
    shape = (1, 3, 6, 5)
    models = [net([first, *middle, last], {"x": shape}, constants) for middle in ([own], plain)]
    assert_alike(*models, shape, 0.02)
    assert not floats_inside(graph_of(models[0]))


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_quanta_padded_by_their_zero_and_resized(kind) -> None:
    zero = kind(100)
    constants = {"s": np.float32(0.03), "z": zero, "pads": np.array([0, 0, 1, 0, 0, 0, 0, 2])}
    constants["scales"] = np.array([1, 1, 2, 2], np.float32)
    first = node("QuantizeLinear", ["x", "s", "z"], ["q"])
    on_quanta = [
        node("Pad", ["q", "pads", "z"], ["p"]),
        node("Resize", ["p", "", "scales"], ["r"], mode="linear"),
        node("DequantizeLinear", ["r", "s", "z"], ["y"]),
    ]
    on_reals = [
        node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("Pad", ["d", "pads"], ["p"]),
        node("Resize", ["p", "", "scales"], ["y"], mode="linear"),
    ]
    shape = (1, 2, 4, 4)
    models = [net([first, *rest], {"x": shape}, constants) for rest in (on_quanta, on_reals)]
    assert_alike(*models, shape, 0.03)
    assert not floats_inside(graph_of(models[0]))
