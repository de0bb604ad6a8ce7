"""What the reader makes of sound files, and what it says of unsound ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.core.errors import ModelFileError, UnsupportedError
from smidgen.frontends.tflite.model import TfliteModel
from smidgen.frontends.tflite.reader import parse_model, read_model
from smidgen.frontends.tflite.schema import TensorType
from support.tflite_writer import (
    OperatorSpec,
    SubgraphSpec,
    TensorSpec,
    encode,
    pack,
    schema,
    unpack,
    write_model,
)

INT8 = TensorSpec([1, 4], scale=0.5, zero_point=3)
WEIGHTS = TensorSpec([2, 4], scale=[0.5, 0.25], data=np.arange(8).reshape(2, 4), name="w")
BIAS = TensorSpec([2], "int32", scale=[0.25, 0.125], data=np.array([5, -6]))
OUT = TensorSpec([1, 2], scale=1.0, zero_point=-7, name="y")
DENSE = OperatorSpec("FULLY_CONNECTED", [0, 1, 2], [3], {"fused_activation_function": 1}, version=4)


def dense(**changes: Any) -> bytes:
    parts = {"tensors": [INT8, WEIGHTS, BIAS, OUT], "operators": [DENSE], "inputs": [0]}
    return write_model(**{**parts, "outputs": [3], **changes})


def changed(change: Callable[[Any], object]) -> bytes:
    model = unpack(dense())
    change(model)
    return pack(model)


def refused(data: bytes, saying: str, kind: type[Exception] = ModelFileError) -> None:
    with pytest.raises(kind, match=saying) as caught:
        parse_model(data, "some.tflite")
    assert str(caught.value).startswith("some.tflite: ")


def constant(spec: TensorSpec) -> np.ndarray:
    data = write_model([spec], [], [], [0])
    values = parse_model(data, "m").subgraphs[0].tensors[0].data
    assert values is not None
    return values


def test_a_dense_layer_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "dense.tflite"
    path.write_bytes(dense())
    model = read_model(str(path))
    graph = model.subgraphs[0]
    operator = graph.operators[0]
    assert (model.name, model.description, graph.name) == (
        "dense.tflite",
        "written by a test",
        "main",
    )
    assert (graph.inputs, graph.outputs) == ((0,), (3,))
    assert (operator.name, operator.version, operator.inputs) == ("FULLY_CONNECTED", 4, (0, 1, 2))
    weights = graph.tensors[1]
    assert (weights.name, weights.shape, weights.dtype) == ("w", (2, 4), TensorType.INT8)
    assert weights.quantization is not None
    assert weights.quantization.is_per_channel
    assert weights.quantization.scales.tolist() == [0.5, 0.25]
    assert np.array_equal(weights.data, WEIGHTS.data)
    assert graph.tensors[2].data.dtype == np.int32
    assert graph.tensors[3].data is None
    assert graph.tensors[3].quantization.zero_points.tolist() == [-7]


def test_constants_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        constant(WEIGHTS)[0, 0] = 1


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "int16", "int64", "uint8", "bool", "uint32"]
)
def test_constants_have_their_type_and_shape(dtype: str) -> None:
    values = np.array([[1, 0, 1]]).astype(dtype)
    read = constant(TensorSpec([1, 3], dtype, data=values))
    assert read.dtype == values.dtype
    assert np.array_equal(read, values)


@given(st.lists(st.integers(-8, 7), min_size=1, max_size=9))
def test_int4_is_unpacked_from_the_low_nibble_first(values: list[int]) -> None:
    read = constant(TensorSpec([len(values)], "int4", data=np.array(values)))
    assert read.tolist() == values
    assert read.dtype == np.int8


@pytest.mark.parametrize(("dtype", "values"), [("int2", [-2, -1, 0, 1, 1]), ("uint4", [15, 0, 8])])
def test_other_packed_types_are_unpacked(dtype: str, values: list[int]) -> None:
    assert constant(TensorSpec([len(values)], dtype, data=np.array(values))).tolist() == values
    assert len(encode(np.array(values), dtype)) == 2


def test_strings_and_sparse_tensors_come_as_raw_bytes() -> None:
    assert constant(TensorSpec([1], "string", raw=b"\1\0\0\0text")).tobytes() == b"\1\0\0\0text"
    assert constant(TensorSpec([100], "int8", raw=b"abc", is_sparse=True)).tobytes() == b"abc"


def test_an_empty_tensor_is_a_constant() -> None:
    assert constant(TensorSpec([0, 3], "int32")).shape == (0, 3)


def test_variables_and_unknown_dimensions_are_kept() -> None:
    state = TensorSpec([1, 4], "int16", is_variable=True)
    data = write_model([TensorSpec([1, 4], shape_signature=[-1, 4]), state], [], [0], [1])
    tensors = parse_model(data, "m").subgraphs[0].tensors
    assert tensors[0].shape_signature == (-1, 4)
    assert tensors[1].is_variable
    assert tensors[1].data is None


def test_custom_operators_keep_name_and_options() -> None:
    operator = OperatorSpec("MyOp", [-1, 0], [3], custom_options=b"\x01\x02", intermediates=[1, -1])
    read = parse_model(dense(operators=[operator]), "m").subgraphs[0].operators[0]
    assert (read.name, read.is_custom, read.custom_options) == ("MyOp", True, b"\x01\x02")
    assert (read.inputs, read.intermediates, read.options) == ((-1, 0), (1, -1), None)


def test_one_zero_point_stands_for_all_channels() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[1].quantization.zeroPoint = np.array([5], np.int64)

    tensor = parse_model(changed(change), "m").subgraphs[0].tensors[1]
    assert tensor.quantization.zero_points.tolist() == [5, 5]


def test_a_scale_of_zero_means_unquantised() -> None:
    tensor = parse_model(dense(tensors=[TensorSpec([1, 4], scale=0.0), WEIGHTS, BIAS, OUT]), "m")
    assert tensor.subgraphs[0].tensors[0].quantization is None


def outside(model: Any) -> None:
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, 2, 8


def test_buffers_may_lie_outside_the_flatbuffer() -> None:
    data = changed(outside)
    at = len(data) + 8
    model = unpack(data)
    model.buffers[1].offset = at
    grown = pack(model)
    read = parse_model(grown.ljust(at, b"\0") + bytes(range(8)), "m")
    assert read.subgraphs[0].tensors[1].data.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    refused(grown, "past the end")


def test_metadata_and_signatures_are_read() -> None:
    def change(model: Any) -> None:
        entry, signature = schema.MetadataT(), schema.SignatureDefT()
        entry.name = "min_runtime_version"
        signature.signatureKey, signature.subgraphIndex = "serving", 0
        named = schema.TensorMapT()
        named.name, named.tensorIndex = "out", 3
        signature.inputs, signature.outputs = [], [named]
        model.metadata, model.signatureDefs = [entry], [signature]

    model = parse_model(changed(change), "m")
    assert model.metadata == ("min_runtime_version",)
    assert model.signatures[0].key == "serving"
    assert model.signatures[0].outputs == (("out", 3),)


def test_stray_bytes_in_names_do_no_harm() -> None:
    data = dense(tensors=[INT8, WEIGHTS, BIAS, TensorSpec([1, 2], name="Zq")])
    read = parse_model(data.replace(b"Zq", b"\xff\xfe"), "m")
    assert read.subgraphs[0].tensors[3].name == "\\xff\\xfe"


@pytest.mark.parametrize(
    ("content", "saying"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"\x7fELF" + bytes(40), "ELF"),
        (b"\x08\x07\x12\x07pytorch\x1a\x0512345" + bytes(9), "an ONNX model"),
        (b"#include <x.h>\nconst unsigned char m[] = {0x1c, 0x00};", "a C array"),
        (b"{'a': 1}", "JSON text"),
        (b"hello there, plain words", "plain text"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (bytes(64), "zero bytes"),
        (b"\x01\x02\x03", "unknown kind"),
        (b"TFL3", "plain text"),
    ],
)
def test_other_files_are_named_for_what_they_seem(content: bytes, saying: str) -> None:
    refused(content, saying)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    for path, saying in ((tmp_path / "no.tflite", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(ModelFileError, match=saying):
            read_model(path)
    with pytest.raises(ModelFileError, match="no regular file"):
        read_model("/dev/null")
    with pytest.raises(ModelFileError):
        read_model("a\0b")


def graph_of(model: Any) -> Any:
    return model.subgraphs[0]


def put(path: str, value: Any) -> Callable[[Any], None]:
    """A change of one field of the main subgraph, e.g. ``tensors.1.shape``."""

    def change(model: Any) -> None:
        *way, last = path.split(".")
        place = graph_of(model)
        for step in way:
            place = place[int(step)] if step.isdigit() else getattr(place, step)
        setattr(place, last, value)

    return change


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        (put("inputs", ints(9)), "names tensor 9 of 4"),
        (put("outputs", ints(-1)), "names tensor -1 of 4"),
        (put("inputs", ints(0, 0)), "lists an input twice"),
        (
            put("operators.0.inputs", ints(0, 1, 4)),
            r"operator 0 \(FULLY_CONNECTED\) names tensor 4",
        ),
        (put("operators.0.outputs", ints(-1)), "names tensor -1"),
        (put("operators.0.opcodeIndex", 7), "operator code 7 of 1"),
        (put("operators.0.inputs", ints(0, 1, 3)), "reads tensor 3 before anything wrote it"),
        (put("operators.0.outputs", ints(1)), "writes tensor 1, which has a value"),
        (put("operators.0.outputs", ints(3, 3)), "writes tensor 3, which has a value"),
        (put("operators", []), "returns tensor 3 before anything wrote it"),
        (put("operators.0.builtinOptionsType", 1), "carries Conv2DOptions"),
        (put("tensors.1.shape", ints(2, 5)), r"10 bytes, but its buffer holds 8"),
        (put("tensors.1.shape", ints(-2, 4)), "a size that is not known"),
        (put("tensors.3.shape", ints(*[1 << 30] * 9)), "beyond any memory"),
        (put("tensors.3.shape", ints(*[1] * 17)), "17 dimensions"),
        (put("tensors.3.shapeSignature", ints(1)), "shape signature"),
        (put("tensors.1.buffer", 99), "names buffer 99 of 3"),
        (put("tensors.1.quantization.quantizedDimension", 2), "2 scales along dimension 2"),
        (put("tensors.1.quantization.quantizedDimension", 1), "2 scales along dimension 1"),
        (put("tensors.1.quantization.scale", np.array([1, np.inf], "f4")), "above 0 and finite"),
        (put("tensors.1.quantization.scale", np.array([1, -1], "f4")), "above 0 and finite"),
        (put("tensors.1.quantization.scale", np.array([1, np.nan], "f4")), "above 0 and finite"),
        (put("tensors.1.quantization.scale", np.array([1, 0], "f4")), "above 0 and finite"),
        (put("tensors.1.quantization.zeroPoint", np.zeros(3, "i8")), "2 scales but 3 zero points"),
        (
            put("tensors.0.quantization.zeroPoint", np.array([128])),
            "zero point outside -128 to 127",
        ),
    ],
)
def test_contradictions_are_refused(change: Callable[[Any], None], saying: str) -> None:
    refused(changed(change), saying)


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        (put("tensors.3.type", 99), "element type 99"),
        (put("tensors.1.externalBuffer", 1), "in another file"),
        (put("tensors.1.quantization.detailsType", 2), "in blocks"),
        (put("operators.0.builtinOptions.fusedActivationFunction", 9), "has value 9"),
        (lambda model: setattr(model, "version", 4), "schema version 4"),
        (
            lambda model: setattr(model.operatorCodes[0], "builtinCode", 4000),
            "operator number 4000",
        ),
    ],
)
def test_what_is_newer_than_the_schema_is_unsupported(
    change: Callable[[Any], None], saying: str
) -> None:
    def and_details(model: Any) -> None:
        change(model)
        quantization = graph_of(model).tensors[1].quantization
        if quantization.detailsType:
            quantization.details = schema.BlockwiseQuantizationT()

    refused(changed(and_details), saying, UnsupportedError)


def test_compressed_constants_are_unsupported() -> None:
    def change(model: Any) -> None:
        entry = schema.MetadataT()
        entry.name = "COMPRESSION_METADATA"
        model.metadata = [entry]

    refused(changed(change), "compressed", UnsupportedError)


def test_a_model_without_subgraphs_is_refused() -> None:
    refused(changed(lambda model: setattr(model, "subgraphs", [])), "no subgraph")


def test_a_custom_operator_needs_a_name() -> None:
    refused(
        changed(lambda model: setattr(model.operatorCodes[0], "builtinCode", 32)), "without a name"
    )


def test_a_stride_of_zero_is_refused() -> None:
    pool = OperatorSpec("MAX_POOL_2D", [0], [1], {"stride_w": 1, "filter_width": 1})
    image = TensorSpec([1, 2, 2, 1])
    refused(write_model([image, image], [pool], [0], [1]), "stride_h = 0")
    bare = OperatorSpec("MAX_POOL_2D", [0], [1])
    refused(write_model([image, image], [bare], [0], [1]), "stride_w = 0")


def test_an_option_that_is_no_number_is_refused() -> None:
    leaky = OperatorSpec("LEAKY_RELU", [0], [1], {"alpha": float("nan")})
    refused(write_model([OUT, OUT], [leaky], [0], [1]), "alpha = nan")


def called(options: dict[str, int], *more: SubgraphSpec) -> bytes:
    condition = TensorSpec([], "bool", data=np.array(True))
    choice = OperatorSpec("IF", [0, 1], [2], options)
    return write_model([condition, OUT, OUT], [choice], [1], [2], more=more)


def test_calls_of_subgraphs_are_checked() -> None:
    options = {"then_subgraph_index": 1, "else_subgraph_index": 1}
    same = SubgraphSpec([OUT], [], [0], [0])
    assert isinstance(parse_model(called(options, same), "m"), TfliteModel)
    refused(called(options), "calls subgraph 1 of 1")
    refused(called({**options, "else_subgraph_index": -1}, same), "else_subgraph = -1")
    refused(called(options, SubgraphSpec([OUT], [], [], [])), "needs subgraph 1 to take 1")
    refused(called({"then_subgraph_index": 0, "else_subgraph_index": 0}), "in a circle")


def test_every_truncation_is_refused() -> None:
    data = dense()
    for size in range(len(data)):
        # The file's last bytes may be padding that nothing needs.
        try:
            parse_model(data[:size], "some.tflite")
        except (ModelFileError, UnsupportedError) as error:
            assert str(error).startswith("some.tflite: ")
        else:
            assert size > len(data) - 8
