"""Random networks of every type with layers in bands of rows: the same bytes as whole layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from properties.generate import Network, draw
from smidgen.compiler.pipeline import optimise
from smidgen.core.errors import SmidgenError
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from support.banding import longest_bands
from support.threeway import CompiledModels

SEED, COUNT = 7, 120


def test_bands_of_random_networks_in_numpy_and_in_c() -> None:
    found = [pair for number in range(COUNT) if (pair := banded(draw(SEED, number), number))]
    assert len(found) > COUNT // 5
    built = CompiledModels([bands for _, _, bands in found])
    for place, (network, whole, bands) in enumerate(found):
        built.reset(place)
        expected, stepwise = Reference(whole), Reference(bands)
        for run in network.runs:
            outputs = expected.run(run)
            same(outputs, stepwise.run(run), network.name, exact=True)
            same(outputs, built.run(place, run), network.name, exact=False)


def banded(network: Network, seed: int) -> tuple[Network, Graph, Graph] | None:
    try:
        graph = optimise(convert(parse_model(network.data, network.name), network.name))
    except SmidgenError:
        return None  # what is refused has tests of its own
    bands = longest_bands(graph, seed)
    return None if bands is None else (network, graph, bands)


def same(
    wanted: Sequence[np.ndarray], found: Sequence[np.ndarray], name: str, *, exact: bool
) -> None:
    for right, mine in zip(wanted, found, strict=True):
        if right.dtype == np.float32 and not exact:
            scale = max(1.0, float(np.nanmax(np.abs(right), initial=0.0)))
            np.testing.assert_allclose(mine, right, 1e-4, 1e-4 * scale, err_msg=name)
        else:
            np.testing.assert_array_equal(mine, right, err_msg=name)
