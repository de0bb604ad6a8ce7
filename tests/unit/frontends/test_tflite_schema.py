"""Every name, number and default agrees with the classes generated from TensorFlow's schema."""

from __future__ import annotations

from dataclasses import fields
from enum import IntEnum
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as generated

from smidgen.frontends.tflite import schema
from smidgen.frontends.tflite.option_tables import OPTIONS_BY_CODE, OPTIONS_BY_OPERATOR
from smidgen.frontends.tflite.options import Options
from smidgen.frontends.tflite.reader import parse_model
from support.tflite_names import attribute, schema_name
from support.tflite_writer import OperatorSpec, SubgraphSpec, TensorSpec, options_table, write_model

CALLING = ("CALL", "CALL_ONCE", "IF", "WHILE")


def members(enum: type) -> dict[str, int]:
    return {name: value for name, value in vars(enum).items() if not name.startswith("_")}


def test_operator_names_are_the_schemas() -> None:
    ours = {name: number for number, name in enumerate(schema.OPERATOR_NAMES)}
    assert ours == members(generated.BuiltinOperator)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schema.TensorType, generated.TensorType),
        (schema.Padding, generated.Padding),
        (schema.Activation, generated.ActivationFunctionType),
        (schema.WeightsFormat, generated.FullyConnectedOptionsWeightsFormat),
        (schema.LstmKernel, generated.LSTMKernelType),
        (schema.MirrorMode, generated.MirrorPadMode),
    ],
)
def test_enums_are_the_schemas(ours: type[IntEnum], theirs: type) -> None:
    expected = {name.upper(): value for name, value in members(theirs).items()}
    assert {member.name: member.value for member in ours} == expected


def test_options_codes_are_the_schemas() -> None:
    numbers = members(generated.BuiltinOptions)
    assert {kind.__name__: code for code, kind in OPTIONS_BY_CODE.items()} == {
        kind.__name__: numbers[kind.__name__] for kind in OPTIONS_BY_CODE.values()
    }


@pytest.mark.parametrize("kind", OPTIONS_BY_CODE.values(), ids=lambda kind: kind.__name__)
def test_options_have_the_schemas_fields_and_defaults(kind: type[Options]) -> None:
    table = getattr(generated, kind.__name__ + "T")()
    for field in fields(kind):
        theirs = getattr(table, attribute(field.name))
        assert field.default == (type(field.default)() if theirs is None else theirs)
    retired = {"newHeight", "newWidth"}
    assert {attribute(field.name) for field in fields(kind)} == set(vars(table)) - retired


def unusual(default: Any, place: int) -> Any:
    """A value other than the default, different for each field."""
    if isinstance(default, bool):
        return not default
    if isinstance(default, IntEnum):
        return type(default)((default + 1) % len(type(default)))
    if isinstance(default, int):
        return 3 + place
    if isinstance(default, float):
        return 0.5 + place
    if isinstance(default, bytes):
        return b"opaque"
    return f"text {place}" if isinstance(default, str) else (place + 1, place + 2)


def one_operator(name: str, options: dict[str, Any] | None) -> bytes:
    tensors = [TensorSpec([2]), TensorSpec([2])]
    operator = OperatorSpec(name, [0], [1], options)
    return write_model(tensors, [operator], [0], [1])


@pytest.mark.parametrize(
    "operator", [name for name in OPTIONS_BY_OPERATOR if name not in CALLING], ids=str
)
def test_every_option_is_read_from_its_own_slot(operator: str) -> None:
    kind = OPTIONS_BY_OPERATOR[operator]
    values = {f.name: unusual(f.default, i) for i, f in enumerate(fields(kind))}
    data = one_operator(operator, {schema_name(name): v for name, v in values.items()})
    assert parse_model(data, "m").subgraphs[0].operators[0].options == kind(**values)


def test_operators_without_an_entry_have_no_options_in_the_schema() -> None:
    for name in schema.OPERATOR_NAMES:
        if name in OPTIONS_BY_OPERATOR or name.startswith("STABLEHLO"):
            continue
        try:
            table = options_table(name)
        except KeyError:
            continue
        obsolete = ("CONCAT_EMBEDDINGS", "EMBEDDING_LOOKUP_SPARSE", "HASHTABLE", "LSH_PROJECTION")
        if name not in (*obsolete, "SKIP_GRAM"):
            assert vars(getattr(generated, table + "T")()) == {}, name


@pytest.mark.parametrize(
    ("operator", "options", "inputs"),
    [
        ("IF", {"then_subgraph_index": 1, "else_subgraph_index": 2}, [0, 1]),
        ("WHILE", {"cond_subgraph_index": 2, "body_subgraph_index": 1}, [1]),
        ("CALL", {"subgraph": 1}, [1]),
    ],
)
def test_calls_name_their_subgraphs(operator: str, options: dict, inputs: list[int]) -> None:
    condition = TensorSpec([], "bool", data=np.array(True))
    tensors = [condition, TensorSpec([1]), TensorSpec([1])]
    branch = SubgraphSpec([TensorSpec([1])], [], [0], [0])
    data = write_model(
        tensors, [OperatorSpec(operator, inputs, [2], options)], [1], [2], more=[branch, branch]
    )
    read = parse_model(data, "m").subgraphs[0].operators[0].options
    assert {schema_name(f.name): getattr(read, f.name) for f in fields(read)} == options


def test_call_once_names_its_subgraph() -> None:
    init = SubgraphSpec([], [], [], [])
    operator = OperatorSpec("CALL_ONCE", [], [], {"init_subgraph_index": 1})
    read = parse_model(write_model([], [operator], [], [], more=[init]), "m")
    assert read.subgraphs[0].operators[0].options == OPTIONS_BY_OPERATOR["CALL_ONCE"](1)
