"""Sample ONNX files, from the file to C on the emulated board; and files from strangers."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

onnx = pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")

from onnx import TensorProto, helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

import smidgen  # noqa: E402
from smidgen.cli.main import cli  # noqa: E402
from smidgen.core.dtypes import DType  # noqa: E402
from smidgen.core.errors import GraphError, ModelFileError, SmidgenError, UnsupportedError  # noqa: E402
from smidgen.frontends.onnx.conformance import run  # noqa: E402
from smidgen.frontends.onnx.convert import convert  # noqa: E402
from smidgen.frontends.onnx.reader import read_onnx  # noqa: E402
from smidgen.graph.evaluate import Reference  # noqa: E402
from smidgen.project.build import build  # noqa: E402
from support.onnx_nets import graph_of, net, node, one  # noqa: E402
from support.samples import DATA, needs_data  # noqa: E402

BOARD = "nucleo-l4r5zi"


def evaluate(path: Path, x: np.ndarray) -> np.ndarray:
    model = onnx.load(path)
    # The evaluator has no older version of some operators, which mean the same here.
    model.opset_import[0].version = 21
    name = model.graph.input[0].name
    return np.asarray(ReferenceEvaluator(model).run(None, {name: x})[0])


@needs_data
def test_a_keyword_model_of_qdq_pairs_is_integer_and_close() -> None:
    assert DATA is not None
    path = DATA / "models" / "onnx" / "micro_kws_m_static_qdq.onnx"
    graph = smidgen.load(path)
    inside = [t for t in graph.tensors.values() if t.dtype is DType.FLOAT32]
    assert {t.name for t in inside} == {*graph.inputs, *graph.outputs}
    rng = np.random.default_rng(0)
    agree = 0
    for _ in range(10):
        x = rng.uniform(-4, 4, (1, 1960)).astype(np.float32)
        (found,) = Reference(graph).run([x])
        wanted = evaluate(path, x)
        # Each of eight layers rounds by at most a quantum more or less than ONNX does.
        assert np.abs(found - wanted).max() <= 0.06
        agree += int(found.argmax() == wanted.argmax())
    assert agree >= 9


@needs_data
def test_a_float_model_calibrated_on_its_own_samples(tmp_path: Path) -> None:
    assert DATA is not None
    path = DATA / "models" / "edge_impulse" / "accelerometer.onnx"
    samples = np.load(DATA / "models" / "edge_impulse" / "accelerometer-representative.npy")
    graph = smidgen.load(path)
    x = samples[:1]
    np.testing.assert_allclose(Reference(graph).run([x])[0], evaluate(path, x), atol=1e-5)
    np.save(tmp_path / "x.npy", samples[:200])
    made = build(graph, BOARD, tmp_path / "out", calibration=[tmp_path / "x.npy"])
    assert made.proof.mismatches == 0
    port = made.artifact.manifest.inputs[0]
    assert port.type.dtype is DType.INT8


@needs_data
def test_a_file_whose_quantisation_was_lost_says_so() -> None:
    assert DATA is not None
    with pytest.raises(UnsupportedError, match="int8"):
        smidgen.load(DATA / "models" / "onnx" / "toycar.onnx")


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(one("Relu", (1, 4)).SerializeToString())
    assert smidgen.load(path).outputs == ("y",)


def test_samples_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    graph = graph_of(one("Relu", (1, 4)))
    np.save(tmp_path / "x.npy", np.zeros((3, 5), np.float32))
    with pytest.raises(SmidgenError, match="shape"):
        build(graph, BOARD, tmp_path / "out", calibration=[tmp_path / "x.npy"])
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY broken")
    with pytest.raises(SmidgenError, match=r"bad\.npy: is no \.npy array"):
        build(graph, BOARD, tmp_path / "out", calibration=[tmp_path / "bad.npy"])
    assert not (tmp_path / "out").exists()


def recurrent_model():
    rng = np.random.default_rng(1)
    constants = {
        "w": rng.normal(0, 0.4, (1, 20, 4)).astype(np.float32),
        "r": rng.normal(0, 0.4, (1, 20, 5)).astype(np.float32),
    }
    return net(
        [node("LSTM", ["x", "w", "r"], ["", "y"], hidden_size=5)], {"x": (6, 1, 4)}, constants
    )


def image_model():
    rng = np.random.default_rng(2)
    constants = {
        "w": rng.normal(0, 0.4, (4, 2, 3, 3)).astype(np.float32),
        "m": rng.normal(0, 0.4, (4, 3)).astype(np.float32),
    }
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"]),
        node("GlobalAveragePool", ["r"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("MatMul", ["f", "m"], ["g"]),
        node("Softmax", ["g"]),
    ]
    return net(nodes, {"x": (1, 2, 6, 6)}, constants)


@pytest.mark.parametrize("model", [recurrent_model(), image_model()], ids=["lstm", "image"])
def test_compiled_c_equals_the_reference_run_after_run(model) -> None:
    graph = graph_of(model)
    proof = smidgen.verify(graph, smidgen.compile(graph, BOARD))
    assert proof.mismatches == 0 and proof.inputs > 1


# Files from strangers ----------------------------------------------------------------------


def outcome(data: bytes) -> str:
    """How reading and converting ended; anything but our errors for users is raised."""
    try:
        convert(read_onnx(data, "strange.onnx"), "strange")
    except GraphError as bug:
        raise AssertionError(f"an error of our own for {len(data)} bytes") from bug
    except SmidgenError as error:
        return type(error).__name__
    return "converted"


def seeds() -> list[bytes]:
    models = [image_model(), recurrent_model(), one("Resize", (1, 2, 4, 4))]
    found = [model.SerializeToString() for model in models]
    if DATA is not None:
        found.append((DATA / "models/edge_impulse/accelerometer.onnx").read_bytes())
    return found


def damaged(data: bytes, rng: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(result))
        choice = rng.randrange(4)
        if choice == 0:
            result[at] ^= 1 << rng.randrange(8)
        elif choice == 1:
            result[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif choice == 2 and len(result) > 40:
            del result[at : at + rng.randint(1, 30)]
        else:
            result[at:at] = result[at : at + rng.randint(1, 30)]
    return bytes(result)


def test_damaged_bytes_give_our_errors_only() -> None:
    rng = random.Random(7)
    samples = seeds()
    kinds = {outcome(damaged(rng.choice(samples), rng)) for _ in range(3000)}
    assert {"ModelFileError", "converted"} <= kinds


def test_truncated_files_give_our_errors_only() -> None:
    data = image_model().SerializeToString()
    for length in range(0, len(data), 3):
        assert outcome(data[:length]) != "converted" or length == len(data)


EDGES = (0, 1, -1, 2, 3, 7, 100, -100, 2**31, -(2**31), 2**62, -(2**63), 2**63 - 1, 65536)


def altered(model, rng: random.Random):
    """A well-formed model that means nonsense."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    each = rng.choice(copy.graph.node)
    port = rng.choice(copy.graph.input).type.tensor_type
    choice = rng.randrange(6)
    if choice == 0 and each.attribute:
        attribute = rng.choice(each.attribute)
        attribute.i = rng.choice(EDGES)
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(EDGES)
    elif choice == 1:
        each.op_type = rng.choice(("Conv", "Gemm", "Slice", "Concat", "LSTM", "Pad", "Resize"))
    elif choice == 2:
        each.input[rng.randrange(len(each.input))] = rng.choice(["", "x", "y", *each.output])
    elif choice == 3:
        rng.choice(port.shape.dim).dim_value = rng.choice(EDGES)
    elif choice == 4:
        port.elem_type = rng.randrange(24)
    elif copy.graph.initializer:
        tensor = rng.choice(copy.graph.initializer)
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(EDGES)
    return copy


def test_well_formed_nonsense_gives_our_errors_only() -> None:
    rng = random.Random(8)
    models = [image_model(), recurrent_model()]
    kinds = set()
    for _ in range(1500):
        model = altered(altered(rng.choice(models), rng), rng)
        kinds.add(outcome(model.SerializeToString()))
    assert {"ModelFileError", "UnsupportedOp", "UnsupportedType", "converted"} <= kinds


def varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes((*parts, number))


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def bombs() -> dict[str, bytes]:
    nested = b""
    for _ in range(2000):
        nested = field(5, field(6, field(1, nested)))
    huge = field(5, b"\x08" + varint(2**40) + b"\x10\x01" + field(9, bytes(8)))
    opset = field(8, b"\x10\x15")
    out = field(12, field(1, b"y"))
    chain = [node("Relu", [f"t{i}"], [f"t{i + 1}"]) for i in range(2000)]
    wide = [node("Expand", ["c", "s"], ["e"]), node("Add", ["x", "e"])]
    constants = {"c": np.zeros(1, np.float32), "s": np.array([60000, 60000])}
    return {
        "empty nodes": field(7, b"\x0a\x00" * 2_000_000 + out) + opset,
        "nested graphs": field(7, field(1, nested) + out) + opset,
        "huge constant": field(7, huge + out) + opset,
        "long chain": net(chain, {"t0": (1, 4)}, outputs=["t2000"]).SerializeToString(),
        "cycle": net([node("Add", ["x", "y"])], {"x": (1, 4)}).SerializeToString(),
        "constant of gigabytes": net(wide, {"x": (1,)}, constants).SerializeToString(),
        "activation of gigabytes": one(
            "Tile", (1, 1000, 1000), {"r": np.array([1, 1000, 1000])}
        ).SerializeToString(),
        "window of gigabytes": one(
            "MaxPool", (1, 1, 4, 4), kernel_shape=[1, 1], pads=[60000] * 4
        ).SerializeToString(),
        "packed zeros": field(7, field(5, field(7, bytes(4_000_000))) + out) + opset,
    }


BOMBS = bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_take_bounded_time_and_memory(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    ended = outcome(BOMBS[name])
    assert time.process_time() - started < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000
    assert ended in ("ModelFileError", "UnsupportedOp", "UnsupportedType") or name == "long chain"


def test_a_model_says_what_it_is_missing() -> None:
    graph = helper.make_graph(
        [node("Relu", ["x"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])], []
    )
    with pytest.raises(ModelFileError):
        read_onnx(helper.make_model(graph).SerializeToString(), "no outputs")


def test_results_in_the_files_own_order_of_axes() -> None:
    model = one("MaxPool", (1, 3, 4, 6), kernel_shape=[2, 2], strides=[2, 2])
    x = np.random.default_rng(0).normal(size=(1, 3, 4, 6)).astype(np.float32)
    made = convert(read_onnx(model.SerializeToString(), "m"), "m")
    (found,) = run(made, [x])
    np.testing.assert_array_equal(found, x.reshape(1, 3, 2, 2, 3, 2).max(axis=(3, 5)))


def test_the_commands_take_calibration_samples(tmp_path: Path) -> None:
    path, samples = tmp_path / "net.onnx", tmp_path / "x.npy"
    path.write_bytes(image_model().SerializeToString())
    np.save(samples, np.random.default_rng(3).normal(0, 1, (20, 6, 6, 2)).astype(np.float32))
    arguments = [str(path), "--board", BOARD, "--calibrate", str(samples)]
    made = CliRunner().invoke(cli, ["compile", *arguments, "-o", str(tmp_path / "out")])
    assert made.exit_code == 0 and "0 mismatches" in made.output, made.output
    assert "float" not in (tmp_path / "out" / "net.h").read_text(encoding="utf-8")
    measured = CliRunner().invoke(cli, ["profile", *arguments])
    assert measured.exit_code == 0 and "_s8" in measured.output, measured.output
