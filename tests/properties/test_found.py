"""What random networks found once, each as small as it gets."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np
import pytest
from flatbuffers import flexbuffers

from properties.generate import Network
from properties.judge import judge
from smidgen.ops.registry import headers
from support.tflite_writer import OperatorSpec, TensorSpec, write_model

_DEFINITIONS = (
    r"^#define (smg_\w+)",
    r"^} (smg_\w+_t);",
    r"^SMG_(?:INLINE|KERNEL) [\w ]+?\*?(smg_\w+)\(",
)


def network(tensors, operators, inputs, outputs, run) -> Network:
    data = write_model(tensors, operators, inputs, outputs)
    return Network("found", data, [run], tuple(operator.name for operator in operators))


def check(found: Network, boards=()) -> None:
    (verdict,) = judge([found], boards=boards)
    assert not (verdict.failure or verdict.refused or verdict.unjudged), verdict


def test_no_two_headers_define_one_name() -> None:
    """A model may need any two of them: SPLIT and a float softmax once shared `smg_split`."""
    owners: dict[str, set[str]] = defaultdict(set)
    for header, text in headers().items():
        for pattern in _DEFINITIONS:
            for name in re.findall(pattern, text, re.MULTILINE):
                owners[name].add(header)
    assert len(owners) > 200
    assert not {name: files for name, files in owners.items() if len(files) > 1}


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("scale", [7.9, 9.5, 60.0])
def test_a_scale_beyond_the_reach_of_the_fixed_point(name: str, scale: float) -> None:
    """Not even 0 is within reach; Micro asks for the lower end first."""
    x = TensorSpec([1, 256], "int8", scale, 12)
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}[name]
    y = TensorSpec([1, 256], "int8", *fixed)
    run = [np.arange(-128, 128, dtype=np.int8)[None]]
    check(network([x, y], [OperatorSpec(name, [0], [1])], [0], [1], run))


def test_a_softmax_whose_differences_all_vanish() -> None:
    x, y = TensorSpec([2, 5], "int8", 11.6, 0), TensorSpec([2, 5], "int8", 1 / 256, -128)
    run = [np.array([[1, 2, 3, 4, 5], [7, 7, 7, 7, 7]], np.int8)]
    check(network([x, y], [OperatorSpec("SOFTMAX", [0], [1], {"beta": 2.0})], [0], [1], run))


def test_an_output_that_follows_from_constants_through_several_layers() -> None:
    x = TensorSpec([1, 2, 3], "int8", 0.5, 4)
    shape = TensorSpec([2], "int32", data=np.array([2, 3], np.int32))
    flat = TensorSpec([2, 3], "int8", 0.5, 4)
    operators = [OperatorSpec("ZEROS_LIKE", [0], [1]), OperatorSpec("RESHAPE", [1, 2], [3], {})]
    run = [np.zeros((1, 2, 3), np.int8)]
    check(network([x, x, shape, flat], operators, [0], [3], run))


def test_the_middle_of_an_int32_spectrum_on_risc_v() -> None:
    x, y = TensorSpec([6], "int32"), TensorSpec([10], "int32")
    options = bytes(flexbuffers.Dumps({"T": 2, "fft_length": 8}))
    run = [np.array([-1, -1, -1, 1, -1, -1], np.int32) * (1 << 30)]
    operator = OperatorSpec("SignalRfft", [0], [1], custom_options=options)
    check(network([x, y], [operator], [0], [1], run), boards=["esp32-c3"])


@pytest.mark.parametrize("name", ["FULLY_CONNECTED", "BATCH_MATMUL"])
def test_a_multiplier_that_turns_on_the_last_bit_of_a_product_of_scales(name: str) -> None:
    """Of 16x8 sums only 15 bits of it are used: 28236 here, and 28237 of a product in float32."""
    scales = 3.989424294559285e-05, 0.0002648596419021487, 0.0004018047184217721
    rng, dense = np.random.default_rng(0), name == "FULLY_CONNECTED"
    x = TensorSpec([64, 128], "int16", scales[0])
    kind, shape = ("int8", (3, 128)) if dense else ("int16", (128, 3))
    weights = rng.integers(60, 127 if dense else 300, shape).astype(kind)
    w = TensorSpec(shape, kind, scales[1], data=weights)
    y = TensorSpec([64, 3], "int16", scales[2])
    operator = OperatorSpec(name, [0, 1, -1] if dense else [0, 1], [2], {})
    run = [rng.integers(9000, 32768, (64, 128)).astype(np.int16)]
    check(network([x, w, y], [operator], [0], [2], run))
