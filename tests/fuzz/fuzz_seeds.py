"""Sound model files that between them use every part of the format that the reader knows."""

from __future__ import annotations

import numpy as np
from flatbuffers import flexbuffers

from support.tflite_writer import (
    OperatorSpec,
    SubgraphSpec,
    TensorSpec,
    pack,
    schema,
    unpack,
    write_model,
)


def written_models() -> list[bytes]:
    """The files, smallest parts only: their damage hits structure, not weights."""
    return [_convolution(), _calls(), _with_metadata()]


def _convolution() -> bytes:
    tensors = [
        TensorSpec(
            [1, 4, 4, 2], scale=0.5, zero_point=-3, name="in", shape_signature=[-1, 4, 4, 2]
        ),
        TensorSpec(
            [3, 2, 2, 2], "int4", scale=[0.1, 0.2, 0.3], data=np.arange(24).reshape(3, 2, 2, 2) % 8
        ),
        TensorSpec([3], "int32", scale=[0.05, 0.1, 0.15], data=np.array([1, -2, 3])),
        TensorSpec([1, 3, 3, 3], scale=0.25, zero_point=7),
        TensorSpec([2], "int32", data=np.array([1, 27])),
        TensorSpec([1, 27], scale=0.25, zero_point=7),
        TensorSpec([1, 27], "int16", is_variable=True),
        TensorSpec([1, 27], scale=1 / 256, zero_point=-128, name="out"),
        TensorSpec([1], "bool", data=np.array([True])),
    ]
    convolution = {"padding": 1, "stride_w": 1, "stride_h": 1, "fused_activation_function": 1}
    operators = [
        OperatorSpec("CONV_2D", [0, 1, 2], [3], convolution, version=3),
        OperatorSpec("RESHAPE", [3, 4], [5], {"new_shape": [1, 27]}),
        OperatorSpec(
            "Keep",
            [5, 6, -1, 8],
            [7],
            custom_options=bytes(flexbuffers.Dumps({"a": [1, {"b": 0.5}], "c": "text"})),
            intermediates=[5],
            mutating_variable_inputs=[False, True, False, False],
        ),
    ]
    return write_model(tensors, operators, [0], [7])


def _calls() -> bytes:
    value = TensorSpec([2], "float32", name="value")
    condition = TensorSpec([], "bool")
    branch = SubgraphSpec([value], [], [0], [0], "branch")
    test = SubgraphSpec([value, TensorSpec([], "bool", data=np.array(False))], [], [0], [1], "test")
    handle = TensorSpec([], "resource")
    init = SubgraphSpec(
        [handle, TensorSpec([2], "float32", data=np.zeros(2))],
        [
            OperatorSpec("VAR_HANDLE", [], [0], {"container": "", "shared_name": "state"}),
            OperatorSpec("ASSIGN_VARIABLE", [0, 1], []),
        ],
        [],
        [],
        "init",
    )
    operators = [
        OperatorSpec("CALL_ONCE", [], [], {"init_subgraph_index": 3}),
        OperatorSpec("IF", [0, 1], [2], {"then_subgraph_index": 1, "else_subgraph_index": 1}),
        OperatorSpec("WHILE", [2], [3], {"cond_subgraph_index": 2, "body_subgraph_index": 1}),
    ]
    tensors = [condition, value, value, value]
    return write_model(tensors, operators, [0, 1], [3], more=[branch, test, init])


def _with_metadata() -> bytes:
    model = unpack(_convolution())
    entry, signature = schema.MetadataT(), schema.SignatureDefT()
    entry.name, entry.buffer = "min_runtime_version", 1
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [_named("x", 0)], [_named("y", 7)]
    model.metadata, model.signatureDefs = [entry], [signature]
    outer = pack(model)
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, len(outer), 12
    return pack(model).ljust(len(outer) + 12, b"\x21")


def _named(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry
