"""Published outputs of published models."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from conformance.goldens import (
    LEAKY_OFF_BY_ONE,
    Golden,
    cfu_goldens,
    mlonmcu_goldens,
    published_differences,
    seanet_goldens,
)
from smidgen.frontends.load import load_model
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from support.oracle import micro_outputs
from support.samples import DATA, needs_data
from support.threeway import CompiledModels

pytestmark = needs_data
FLOAT_TOLERANCE = 2e-4


@cache
def graph_of(model: Path) -> Graph:
    return load_model(model)


def outputs_of(golden: Golden) -> list[np.ndarray]:
    graph = graph_of(golden.model)
    return Reference(graph).run(golden.typed(graph))


def test_single_int16_operators() -> None:
    """66 models; where TensorFlow Lite and Micro differ (LEAKY_RELU, by one), Micro decides."""
    goldens = list(seanet_goldens())
    graphs = [graph_of(golden.model) for golden in goldens]
    compiled = CompiledModels(graphs)
    off = []
    for place, (golden, graph) in enumerate(zip(goldens, graphs, strict=True)):
        run = golden.typed(graph)
        found = Reference(graph).run(run)
        compiled.reset(place)
        for mine, right in zip(compiled.run(place, run), found, strict=True):
            np.testing.assert_array_equal(mine, right, golden.name)
        if golden.difference(graph, found):
            off.append(golden.name)
            assert golden.difference(graph, found) == 1
            for mine, right in zip(
                micro_outputs(golden.model.read_bytes(), run), found, strict=True
            ):
                np.testing.assert_array_equal(mine, right, golden.name)
    assert len(goldens) == 66
    assert len(off) == LEAKY_OFF_BY_ONE and all("leaky_relu" in name for name in off)


def test_quantised_classifiers_give_every_published_byte() -> None:
    goldens = list(cfu_goldens())
    assert len(goldens) == 22
    for golden in goldens:
        assert golden.difference(graph_of(golden.model), outputs_of(golden)) == 0, golden.name


def test_models_of_mlonmcu() -> None:
    """int8 goldens come from kernels that round otherwise: we differ from them as Micro does."""
    differences = published_differences()
    checked = 0
    for golden in mlonmcu_goldens():
        graph = graph_of(golden.model)
        found = golden.difference(graph, outputs_of(golden))
        unit, micro = differences.get(golden.name, ("float", 0.0))
        if unit == "lsb":
            assert found == micro, golden.name
        else:
            assert found <= max(FLOAT_TOLERANCE, 2 * micro), golden.name
        checked += 1
    assert checked >= len(differences)


def test_layers_of_the_benchmarks() -> None:
    """29 layers cut out of two models, without goldens: Micro says what is right."""
    assert DATA is not None
    models = sorted((DATA / "conformance" / "mlperf_layers").glob("*.tflite"))
    graphs = [graph_of(model) for model in models]
    compiled = CompiledModels(graphs)
    rng = np.random.default_rng(0)
    for place, (model, graph) in enumerate(zip(models, graphs, strict=True)):
        tensors = [graph.tensors[name] for name in graph.inputs]
        run = [rng.integers(-128, 128, tensor.shape).astype(np.int8) for tensor in tensors]
        expected = micro_outputs(model.read_bytes(), run)
        compiled.reset(place)
        for who in (Reference(graph).run(run), compiled.run(place, run)):
            for mine, right in zip(who, expected, strict=True):
                np.testing.assert_array_equal(mine, right.reshape(mine.shape), model.name)
    assert len(models) == 29
