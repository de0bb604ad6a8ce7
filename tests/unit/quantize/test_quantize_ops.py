"""Every op that can be quantised: near the float op in 8 and 16 bits, and C equal to reference."""

from __future__ import annotations

import numpy as np
import pytest
from every_op import IMAGE, OPS, Net

from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import UnsupportedOp
from smidgen.emulate.proof import compare
from smidgen.graph.evaluate import Reference
from smidgen.quantize import QuantizeConfig, attribute, quantize
from smidgen.quantize.report import entering
from support.outcomes import PORTABLE, HostModel, ample_board

ONLY_8_BITS = (
    *("log_softmax", "l2_normalize", "div", "add_n"),
    *("reduce_max", "reduce_min", "resize_bilinear", "cumsum"),
)
"""No kernel takes them in 16 bits."""
LOWEST_DB = {
    "int8": {"exp": 25.0},
    "int16": dict.fromkeys(
        ("conv2d", "depthwise", "transpose_conv", "dense", "lstm", "lstm with state", "exp"), 40.0
    ),
}


def samples(count: int = 8, seed: int = 1) -> np.ndarray:
    return 1.5 * np.random.default_rng(seed).normal(size=(count, *IMAGE)).astype(np.float32)


def graph_of(*names: str):
    net = Net()
    return net.builder.finish([OPS[name](net) for name in names])


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("activations", ["int8", "int16"])
def test_each_op_stays_near_the_float_one(name, activations):
    graph, config = graph_of(name), QuantizeConfig(activations=activations)
    if activations == "int16" and name in ONLY_8_BITS:
        with pytest.raises(UnsupportedOp, match=r"int16.*keep="):
            quantize(graph, samples(), config)
        return
    report = attribute(graph, quantize(graph, samples(), config), samples())
    usual = {"int8": 33.0, "int16": 65.0}[activations]
    assert report.output.sqnr_db > LOWEST_DB[activations].get(name, usual)


def assert_c_is_the_reference(quantised, inputs):
    """Byte for byte, float outputs within the tolerance of float arithmetic."""
    host = HostModel(compile_graph(quantised, ample_board(PORTABLE), "model"))
    reference = Reference(quantised)
    given = [entering(quantised, [x]) for x in inputs]
    expected = [tuple(reference.run(each)) for each in given]
    assert not compare(expected, [host.run(each) for each in given]).mismatches


def test_all_ops_in_8_bits_compile_to_the_reference():
    quantised = quantize(graph_of(*OPS), samples())
    assert_c_is_the_reference(quantised, samples(4, seed=2))


def test_all_ops_in_16_bits_compile_to_the_reference():
    names = [name for name in OPS if name not in ONLY_8_BITS]
    quantised = quantize(graph_of(*names), samples(), QuantizeConfig(activations="int16"))
    assert_c_is_the_reference(quantised, samples(4, seed=2))
