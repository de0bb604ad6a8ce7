"""Real files read the same, field by field, as through the classes generated from the schema."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smidgen.frontends.tflite.model import TfliteModel, TfliteOperator, TfliteTensor
from smidgen.frontends.tflite.reader import read_model
from smidgen.frontends.tflite.schema import OPERATOR_NAMES
from support.samples import needs_data, sample_id, tflite_files
from support.tflite_names import attribute
from support.tflite_writer import unpack

FILES = tflite_files()


def text(value: bytes | None) -> str:
    return (value or b"").decode()


def listed(values: Any) -> list:
    return [] if values is None else [int(v) for v in values]


def same_quantization(ours: TfliteTensor, theirs: Any) -> None:
    if ours.quantization is None:
        assert theirs is None or not np.any(theirs.scale)
        return
    assert np.array_equal(ours.quantization.scales, theirs.scale)
    assert np.array_equal(ours.quantization.zero_points, theirs.zeroPoint)
    assert ours.quantization.axis == theirs.quantizedDimension


def same_tensor(ours: TfliteTensor, theirs: Any, buffers: list) -> None:
    assert ours.name == text(theirs.name)
    assert list(ours.shape) == listed(theirs.shape)
    assert ours.dtype == theirs.type
    assert ours.is_variable == theirs.isVariable
    assert list(ours.shape_signature or ()) == listed(theirs.shapeSignature)
    same_quantization(ours, theirs.quantization)
    raw = buffers[theirs.buffer].data
    if ours.data is None:
        assert raw is None or len(raw) == 0
    elif ours.data.size:
        assert ours.data.tobytes() == bytes(raw)
        assert ours.data.shape == ours.shape
        assert not ours.data.flags.writeable


def same_operator(ours: TfliteOperator, theirs: Any, code: Any) -> None:
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    assert ours.name == (text(code.customCode) if ours.is_custom else OPERATOR_NAMES[number])
    assert ours.version == code.version
    assert list(ours.inputs) == listed(theirs.inputs)
    assert list(ours.outputs) == listed(theirs.outputs)
    assert list(ours.intermediates) == listed(theirs.intermediates)
    custom = theirs.customOptions
    assert ours.custom_options == (b"" if custom is None else bytes(bytearray(custom)))
    for field in fields(ours.options) if ours.options and theirs.builtinOptions else ():
        expected = getattr(theirs.builtinOptions, attribute(field.name))
        got = getattr(ours.options, field.name)
        if isinstance(got, tuple | bytes):
            assert list(got) == listed(expected)
        else:
            assert got == (text(expected) if isinstance(got, str) else expected)


def same_model(ours: TfliteModel, theirs: Any) -> None:
    assert ours.description == text(theirs.description)
    assert len(ours.subgraphs) == len(theirs.subgraphs)
    for graph, other in zip(ours.subgraphs, theirs.subgraphs, strict=True):
        assert list(graph.inputs) == listed(other.inputs)
        assert list(graph.outputs) == listed(other.outputs)
        for tensor, other_tensor in zip(graph.tensors, other.tensors or [], strict=True):
            same_tensor(tensor, other_tensor, theirs.buffers)
        for operator, other_op in zip(graph.operators, other.operators or [], strict=True):
            same_operator(operator, other_op, theirs.operatorCodes[other_op.opcodeIndex])


@needs_data
@pytest.mark.parametrize("path", FILES, ids=sample_id)
def test_sample_reads_as_the_generated_classes_read_it(path: Path) -> None:
    same_model(read_model(path), unpack(path.read_bytes()))


@needs_data
def test_samples_are_there() -> None:
    assert len(FILES) > 100
