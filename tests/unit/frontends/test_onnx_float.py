"""Float ONNX models and their graphs compute the same numbers, and images stay channels-last."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")

import onnx

from smidgen.core.errors import ModelFileError, SmidgenError, UnsupportedError
from smidgen.frontends.onnx.conformance import run
from smidgen.frontends.onnx.convert import load_onnx, survey_onnx
from smidgen.ops.activation.functions import Erf, Gelu
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.shape.arrange import Transpose
from support.onnx_nets import assert_same, graph_of, imported, net, node, one


def numbers(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype(np.float32)


def kinds(graph) -> list[type]:
    return [type(node.op) for node in graph.nodes]


CONVOLUTIONS = {
    "plain": ((1, 3, 8, 7), (5, 3, 3, 3), {}),
    "padded": ((1, 3, 8, 7), (5, 3, 3, 3), {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
    "same upper": ((1, 3, 9, 7), (4, 3, 2, 4), {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
    "same lower": ((1, 3, 9, 7), (4, 3, 2, 4), {"auto_pad": "SAME_LOWER"}),
    "dilated": ((1, 3, 9, 9), (4, 3, 3, 2), {"dilations": [2, 3]}),
    "grouped": ((1, 4, 6, 6), (6, 2, 3, 3), {"group": 2}),
    "depthwise": ((1, 4, 6, 6), (8, 1, 3, 3), {"group": 4}),
    "one axis": ((1, 3, 20), (6, 3, 5), {"strides": [2], "pads": [2, 1]}),
    "one axis, depthwise": ((1, 3, 20), (3, 1, 5), {"group": 3}),
}
VOLUMES = {
    "plain": ((1, 2, 5, 6, 7), (3, 2, 2, 3, 3), {}),
    "padded": ((1, 2, 5, 6, 7), (3, 2, 3, 3, 2), {"pads": [1, 1, 0, 2, 1, 1]}),
    "strided and dilated": (
        (1, 2, 7, 8, 9),
        (3, 2, 2, 3, 3),
        {"strides": [2, 1, 2], "dilations": [2, 1, 2]},
    ),
}


@pytest.mark.parametrize("name", VOLUMES)
def test_convolutions_over_three_axes(name: str) -> None:
    shape, weights, attributes = VOLUMES[name]
    constants = {"w": numbers(*weights), "b": numbers(weights[0], seed=4)}
    graph = assert_same(one("Conv", shape, constants, **attributes))
    assert kinds(graph).count(Transpose) <= 1


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str) -> None:
    shape, weights, attributes = CONVOLUTIONS[name]
    constants = {"w": numbers(*weights), "b": numbers(weights[0], seed=4)}
    graph = assert_same(one("Conv", shape, constants, **attributes))
    assert kinds(graph).count(Transpose) == 0
    assert sum(kind in (Conv2D, DepthwiseConv2D) for kind in kinds(graph)) == 1


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strides": [2, 3], "pads": [1, 0, 1, 2], "output_padding": [1, 0]},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ],
)
def test_transposed_convolutions(attributes: dict) -> None:
    constants = {"w": numbers(4, 6, 3, 3), "b": numbers(6)}
    assert_same(one("ConvTranspose", (1, 4, 4, 4), constants, **attributes))


def small_network(opset: int = 21):
    constants = {
        "w0": numbers(8, 3, 3, 3),
        "b0": numbers(8),
        "gain": 1 + numbers(8, seed=5),
        "shift": numbers(8, seed=6),
        "mean": numbers(8, seed=7),
        "variance": np.abs(numbers(8, seed=8)) + 0.5,
        "w1": numbers(8, 1, 3, 3, seed=9),
        "w2": numbers(5, 8 * 2 * 2, seed=10),
        "b2": numbers(5),
        "shape": np.array([0, -1], np.int64),
    }
    nodes = [
        node("Conv", ["x", "w0", "b0"], ["c"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c", "gain", "shift", "mean", "variance"], ["n"]),
        node("Relu", ["n"], ["r"]),
        node("Conv", ["r", "w1"], ["d"], group=8, pads=[1, 1, 1, 1]),
        node("Add", ["d", "r"], ["s"]),
        node("MaxPool", ["s"], ["p"], kernel_shape=[4, 4], strides=[4, 4]),
        node("Reshape", ["p", "shape"], ["f"]),
        node("Gemm", ["f", "w2", "b2"], ["g"], transB=1),
        node("Softmax", ["g"], ["y"]),
    ]
    return net(nodes, {"x": ("N", 3, 8, 8)}, constants, opset=opset)


@pytest.mark.parametrize("opset", [9, 13, 15, 18, 21, 23])
def test_a_network_leaves_no_transpose_and_no_batch_norm(opset: int) -> None:
    model = small_network(opset)
    graph = assert_same(model, [numbers(1, 3, 8, 8, seed=11)])
    assert graph.tensors[graph.inputs[0]].shape == (1, 8, 8, 3)
    assert Transpose not in kinds(graph) and Clamp not in kinds(graph)
    assert kinds(graph).count(DepthwiseConv2D) == 1 and kinds(graph).count(Dense) == 1
    assert graph.outputs == ("y",)


def test_a_model_exported_from_channels_last_frameworks() -> None:
    """Transpose, convolution, Transpose, reshape: as converters from TensorFlow write it."""
    constants = {"w": numbers(4, 2, 3, 3), "m": numbers(4 * 6 * 5, 3), "s": np.array([1, 120])}
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w"], ["c"], pads=[1, 1, 1, 1]),
        node("Transpose", ["c"], ["u"], perm=[0, 2, 3, 1]),
        node("Reshape", ["u", "s"], ["f"]),
        node("MatMul", ["f", "m"]),
    ]
    graph = assert_same(net(nodes, {"x": (1, 6, 5, 2)}, constants))
    assert graph.tensors[graph.inputs[0]].shape == (1, 6, 5, 2)
    assert Transpose not in kinds(graph)


POOLS = [
    ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("GlobalAveragePool", {}),
    ("GlobalMaxPool", {}),
]


@pytest.mark.parametrize(("kind", "attributes"), POOLS)
def test_pools(kind: str, attributes: dict) -> None:
    assert_same(one(kind, (1, 3, 8, 9), **attributes))


SHAPES = [
    one("Transpose", (1, 3, 4, 5), perm=[0, 2, 3, 1]),
    one("Reshape", (1, 3, 4, 5), {"s": np.array([1, -1, 10])}),
    one("Slice", (1, 9, 5), {"a": np.array([8, 1]), "b": np.array([0, 4]), "c": np.array([1, 2]),
                             "d": np.array([-2, 1])}),
    one("Gather", (4, 5), {"i": np.array([[3, 0], [-1, 2]])}, axis=0),
    one("Gather", (4, 5), {"i": np.array(2)}, axis=1),
    one("Pad", (1, 3, 4), {"p": np.array([0, 1, 2, 0, 0, 3]), "v": np.float32(1.5)}),
    one("Pad", (1, 3, 4, 4), {"p": np.array([0, 0, 2, 1, 0, 0, 1, 2])}, mode="reflect"),
    one("Pad", (1, 3, 4, 4), {"p": np.array([0, 0, 2, 1, 0, 0, 1, 2])}, mode="edge"),
    one("Expand", (3, 1), {"s": np.array([2, 1, 4])}),
    one("Tile", (2, 3), {"r": np.array([2, 3])}),
    one("DepthToSpace", (1, 8, 3, 3), blocksize=2),
    one("DepthToSpace", (1, 8, 3, 3), blocksize=2, mode="CRD"),
    one("ReduceMean", (1, 4, 5, 6), {"a": np.array([1])}, keepdims=0),
    one("ReduceL2", (1, 4, 5), {"a": np.array([-1])}),
    one("Softmax", (1, 4, 5, 2), axis=1),
    one("LayerNormalization", (1, 7, 6), {"g": numbers(6), "b": numbers(6)}),
    one("InstanceNormalization", (1, 4, 6, 5), {"g": numbers(4), "b": numbers(4)}),
    one("GroupNormalization", (1, 4, 6, 5), {"g": numbers(4), "b": numbers(4)}, num_groups=2),
    one("Clip", (2, 5), {"low": np.float32(-0.5), "high": np.float32(1.25)}),
    one("PRelu", (1, 4, 3, 3), {"s": numbers(4, 1, 1)}),
    one("Pow", (2, 5), {"e": np.float32(2)}),
    one("Div", (2, 5), {"d": np.array([1, 2, 4, -3, 0.5], np.float32)}),
    one("MatMul", (2, 5, 6), {"m": numbers(6, 3)}),
    one("MatMul", (6,), {"m": numbers(6, 3)}),
]  # fmt: skip


@pytest.mark.parametrize("model", SHAPES, ids=lambda m: m.graph.node[0].op_type)
def test_other_operators(model) -> None:
    assert_same(model)


def test_a_constant_on_the_left_of_a_product() -> None:
    assert_same(net([node("MatMul", ["m", "x"])], {"x": (2, 6, 3)}, {"m": numbers(4, 6)}))


def test_attention() -> None:
    constants = {name: numbers(8, 8, seed=seed) for seed, name in enumerate("qkv")}
    nodes = [
        *(node("MatMul", ["x", name], [f"{name}x"]) for name in "qkv"),
        node("Transpose", ["kx"], ["kt"], perm=[0, 2, 1]),
        node("MatMul", ["qx", "kt"], ["scores"]),
        node("Mul", ["scores", "scale"], ["scaled"]),
        node("Softmax", ["scaled"], ["weights"]),
        node("MatMul", ["weights", "vx"]),
    ]
    graph = assert_same(net(nodes, {"x": (1, 6, 8)}, {**constants, "scale": np.float32(0.35)}))
    assert Transpose not in kinds(graph)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_layers(kind: str, gates: int, direction: str) -> None:
    d = 2 if direction == "bidirectional" else 1
    constants = {
        "w": numbers(d, gates * 5, 4),
        "r": numbers(d, gates * 5, 5, seed=1),
        "b": numbers(d, 2 * gates * 5, seed=2),
    }
    call = node(kind, ["x", "w", "r", "b"], ["y", "last"], hidden_size=5, direction=direction)
    assert_same(net([call], {"x": (7, 1, 4)}, constants, outputs=("y", "last")))


def test_a_gru_that_resets_after_the_product_and_is_given_its_state() -> None:
    constants = {"w": numbers(1, 15, 4), "r": numbers(1, 15, 5), "b": numbers(1, 30)}
    call = node(
        "GRU", ["x", "w", "r", "b", "", "h"], ["y", "last"], hidden_size=5, linear_before_reset=1
    )
    model = net([call], {"x": (3, 1, 4), "h": (1, 1, 5)}, constants, outputs=("y", "last"))
    assert_same(model)


def test_shape_computations_are_folded() -> None:
    constants = {"zero": np.array([0]), "one": np.array([1]), "rest": np.array([-1])}
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Slice", ["s", "zero", "one"], ["n"]),
        node("Concat", ["n", "rest"], ["t"], axis=0),
        node("Reshape", ["x", "t"]),
    ]
    graph = assert_same(net(nodes, {"x": (1, 3, 4)}, constants))
    assert len(graph.nodes) == 1


def test_nodes_out_of_order_and_dead_nodes() -> None:
    nodes = [
        node("Relu", ["a"]),
        node("NonMaxSuppression", ["x", "x"], ["dead"]),
        node("Neg", ["x"], ["a"]),
    ]
    assert kinds(graph_of(net(nodes, {"x": (1, 4)}))) != []


REFUSED = {
    "unknown operator": (one("TopK", (1, 4)), "TopK"),
    "open extent": (one("Relu", (1, "time", 3)), "time"),
    "training": (
        one("BatchNormalization", (1, 2, 4), {n: numbers(2) for n in "abcd"}, training_mode=1),
        "training",
    ),
    "groups over three axes": (
        one("Conv", (1, 2, 4, 4, 4), {"w": numbers(2, 1, 3, 3, 3)}, group=2),
        "axes",
    ),
    "computed weights": (
        net([node("Neg", ["w"], ["n"]), node("Conv", ["x", "n"])],
            {"x": (1, 2, 4, 4), "w": (2, 2, 3, 3)}),
        "run time",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_node_and_the_way_out(name: str) -> None:
    model, word = REFUSED[name]
    with pytest.raises(UnsupportedError) as caught:
        graph_of(model)
    assert word in str(caught.value) and "net.onnx" in str(caught.value) and caught.value.hint


def test_a_survey_lists_every_problem(tmp_path) -> None:
    nodes = [
        node("TopK", ["x"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("Det", ["x"], ["c"]),
        node("Relu", ["x"], ["d"]),
    ]
    path = tmp_path / "m.onnx"
    path.write_bytes(net(nodes, {"x": (1, 4)}, outputs="bcd").SerializeToString())
    graph, problems = survey_onnx(path)
    assert [p.thing.split(",")[1].split()[0] for p in problems] == ["TopK", "Det"]
    assert len(graph.nodes) == 1


def with_external_data(folder, location: str) -> str:
    model = one("Add", (4,), {"c": numbers(4)})
    (tensor,) = model.graph.initializer
    (folder / "weights.bin").write_bytes(b"head" + tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "4"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return str(path)


def test_external_data_beside_the_model_is_read(tmp_path) -> None:
    graph = load_onnx(with_external_data(tmp_path, "weights.bin"))
    assert any(np.array_equal(t.data.reshape(-1), numbers(4)) for t in graph.tensors.values()
               if t.data is not None)  # fmt: skip


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "", "link.bin", "a\0b"])
def test_external_data_elsewhere_is_refused(tmp_path, location: str) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    (inside / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = with_external_data(inside, location)
    with pytest.raises(SmidgenError, match="folder"):
        load_onnx(path)


def test_a_missing_file_is_our_error(tmp_path) -> None:
    with pytest.raises(ModelFileError):
        load_onnx(tmp_path / "none.onnx")


@pytest.mark.parametrize("halved", ["first", "last", "within"])
def test_a_gelu_in_pieces_is_one_op(halved: str) -> None:
    constants = {k: np.float32(v) for k, v in (("root", 2**0.5), ("one", 1.0), ("half", 0.5))}
    nodes = [
        node("Div", ["x", "root"], ["d"]),
        node("Erf", ["d"], ["e"]),
        node("Add", ["e", "one"], ["p"]),
        *{
            "first": [node("Mul", ["x", "half"], ["h"]), node("Mul", ["h", "p"])],
            "last": [node("Mul", ["p", "x"], ["m"]), node("Mul", ["m", "half"])],
            "within": [node("Mul", ["half", "p"], ["m"]), node("Mul", ["x", "m"])],
        }[halved],
    ]
    graph = assert_same(net(nodes, {"x": (2, 5)}, constants))
    assert kinds(graph) == [Gelu]


def test_pieces_of_a_gelu_that_are_none_stay_as_they_are() -> None:
    constants = {"root": np.float32(1.5), "one": np.float32(1)}
    nodes = [
        node("Div", ["x", "root"], ["d"]),
        node("Erf", ["d"], ["e"]),
        node("Add", ["e", "one"], ["p"]),
        node("Mul", ["p", "x"]),
    ]
    graph = assert_same(net(nodes, {"x": (2, 5)}, constants))
    assert Erf in kinds(graph) and Gelu not in kinds(graph)


@pytest.mark.parametrize(
    "equation", ["bij,bjk->bik", "bct,dc->bdt", "bihd,bjhd->bhij", "ij->j", "...i,ij->...j"]
)
def test_einsum(equation: str) -> None:
    extents = dict(zip("bcdhijkt", (1, 3, 4, 2, 5, 3, 2, 6), strict=True))
    first, _, second = equation.partition("->")[0].partition(",")
    shapes = [[extents[axis] for axis in term.replace("...", "bt")] for term in (first, second)]
    constants = {"w": numbers(*shapes[1])} if second else {}
    assert_same(one("Einsum", shapes[0], constants, equation=equation))


@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_local_response_normalisation(size: int) -> None:
    """By ONNX's formula: its evaluator takes as many channels as there are images."""
    made = imported(one("LRN", (1, 6, 5, 4), size=size, alpha=0.5, beta=0.6, bias=1.5))
    x = 2 * numbers(1, 6, 5, 4)
    sums = np.zeros_like(x)
    for channel in range(6):
        first, behind = max(0, channel - (size - 1) // 2), channel + size // 2 + 1
        sums[:, channel] = np.square(x[:, first:behind]).sum(axis=1)
    (found,) = run(made, [x])
    np.testing.assert_allclose(found, x / (1.5 + 0.5 / size * sums) ** 0.6, rtol=1e-5, atol=1e-6)


def test_local_responses_behind_a_convolution_move_nothing() -> None:
    nodes = [node("Conv", ["x", "w"], ["c"]), node("LRN", ["c"], ["y"], size=3)]
    graph = graph_of(net(nodes, {"x": (1, 3, 5, 4)}, {"w": numbers(6, 3, 1, 1)}))
    assert Transpose not in kinds(graph)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_windows_of_powers(p: int) -> None:
    """Rows of zeros have a root that is zero."""
    x = numbers(1, 2, 7, 6)
    x[:, :, 3:] = 0
    model = one("LpPool", x.shape, p=p, kernel_shape=[2, 3], strides=[2, 1], pads=[1, 0, 0, 1])
    assert_same(model, [x])


def choice(deep: int, holds: bool):
    """An If by a shape that is known: relu or a doubled relu, `deep` choices within each other."""
    then = onnx.helper.make_graph(
        [node("Mul", ["r", "two"], ["m"])],
        "then",
        [],
        [onnx.helper.make_tensor_value_info("m", 1, None)],
        [onnx.numpy_helper.from_array(np.float32(2), "two")],
    )
    other = onnx.helper.make_graph(
        [node("Identity", ["r"], ["m"])],
        "else",
        [],
        [onnx.helper.make_tensor_value_info("m", 1, None)],
    )
    for _ in range(deep):
        inner = node("If", ["same"], ["m"], then_branch=then, else_branch=other)
        then = onnx.helper.make_graph(
            [inner], "then", [], [onnx.helper.make_tensor_value_info("m", 1, None)]
        )
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Shape", ["x"], ["shape"], start=1),
        node("Equal", ["shape", "five"], ["same"]),
        node("If", ["same"], ["y"], then_branch=then, else_branch=other),
    ]
    return net(nodes, {"x": (2, 5)}, {"five": np.array([5 if holds else 6], np.int64)})


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("deep", [0, 2])
def test_a_choice_that_is_known_is_made(deep: int, holds: bool) -> None:
    graph = assert_same(choice(deep, holds))
    assert (DepthwiseConv2D in kinds(graph)) == holds


def test_choices_within_each_other_without_end_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="If"):
        graph_of(choice(30, holds=True))


def test_a_choice_at_run_time_is_refused() -> None:
    model = choice(0, holds=True)
    model.graph.node[3].input[0] = "flag"
    model.graph.input.append(onnx.helper.make_tensor_value_info("flag", 9, [1]))
    with pytest.raises(UnsupportedError, match="fixed shapes"):
        graph_of(model)
