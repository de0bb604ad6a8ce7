"""Attention masks, finite and infinite, leave the scores around them their resolution."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.core.dtypes import DType
from smidgen.core.errors import ArrayError
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.index.ops import Select
from smidgen.ops.shape.ops import Reshape
from smidgen.quantize import Budget, QuantizeConfig, attribute, quantize, quantize_to_budget
from smidgen.quantize.report import as_real, entering

SHAPE = (2, 6, 6)
KEPT = np.tril(np.ones(SHAPE[1:], bool))


def masked(how: str, depth: float, *, shown: bool = False) -> Graph:
    """Scores, of which those above the diagonal are masked, then a softmax of each row."""
    b = GraphBuilder("masked")
    x = b.input("x", DType.FLOAT32, SHAPE)
    if how == "added":
        mask = b.constant("mask", DType.FLOAT32, np.where(KEPT, 0.0, depth))
        (scores,) = b.add(Add(), [x, mask], outputs=["scores"])
    else:
        condition = b.constant("kept", DType.BOOL, KEPT)
        fill = b.constant("fill", DType.FLOAT32, np.array([depth]))
        (scores,) = b.add(Select(), [condition, x, fill], outputs=["scores"])
    (flat,) = b.add(Reshape((12, 6)), [scores])
    outputs = b.add(Softmax(), [flat])
    return b.finish([*outputs, scores] if shown else outputs)


def samples(count: int = 12) -> np.ndarray:
    return 2 * np.random.default_rng(3).normal(size=(count, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("activations", ["int8", "int16"])
@pytest.mark.parametrize("depth", [-1e4, float(np.finfo(np.float32).min), -np.inf])
@pytest.mark.parametrize("how", ["added", "chosen"])
def test_masks_of_any_depth(how: str, depth: float, activations: str) -> None:
    graph = masked(how, depth)
    quantised = quantize(graph, samples(), QuantizeConfig(activations=activations))
    for x in samples(4):
        (truth,) = Reference(graph).run([x])
        (found,) = Reference(quantised).run(entering(quantised, [x]))
        real = as_real(quantised.tensors[quantised.outputs[0]], found)
        assert np.abs(real - truth).max() < {"int8": 0.03, "int16": 0.002}[activations]
    assert attribute(graph, quantised, samples(4)).output.sqnr_db > 28


def test_a_budget_is_met_past_infinite_masks() -> None:
    result = quantize_to_budget(masked("added", -np.inf), samples(), None, Budget(min_sqnr_db=28))
    assert result.met and not result.promotions


def test_scores_that_the_model_returns_must_be_finite() -> None:
    with pytest.raises(ArrayError, match="infinite"):
        quantize(masked("chosen", -np.inf, shown=True), samples())
