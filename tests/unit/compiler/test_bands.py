"""Layers in bands of rows: the same bytes as whole layers, in NumPy, in C here and on cores."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkMaker, assert_same, samples

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import DoesNotFit
from smidgen.emulate.device import Device
from smidgen.emulate.host import HostDevice
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.text import print_graph
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import board
from support.banding import PACES, in_bands, longest_bands


def random_image_network(seed: int, layers: int = 6) -> Graph:
    """Windows of 1 to 5 rows, strides 1 to 3, padding of every kind, branches; odd sizes."""
    maker = NetworkMaker(seed)
    rng = maker.rng
    x = maker.input(
        (1, int(rng.integers(9, 24)), int(rng.integers(3, 10)), int(rng.integers(1, 5)))
    )
    for _ in range(layers):
        x = _layer(maker, x)
    return maker.builder.finish([x])


def _layer(maker: NetworkMaker, x: str) -> str:
    rng = maker.rng
    rows, cols = maker.shape(x)[1:3]
    window = int(rng.choice([1, 2, 3, 5]))
    before, after = (int(n) for n in rng.integers(0, window + 1, 2))
    padding = Padding(before, after, 2, 2)
    stride = (int(rng.integers(1, 4)) if rows > 9 else 1, 1)
    if rows + before + after < window or cols + 4 < window:
        return maker.unary(x)
    choices = (
        lambda: maker.conv(x, int(rng.integers(1, 7)), window, padding, stride),
        lambda: maker.depthwise(x, window, int(rng.integers(1, 3)), padding, stride),
        lambda: _pool(maker, x, stride),
        lambda: _padded(maker, x),
        lambda: maker.join(x),
        lambda: maker.unary(x),
        lambda: maker.clamp(x),
    )
    return choices[rng.integers(len(choices))]()


def _pool(maker: NetworkMaker, x: str, stride: tuple[int, int]) -> str:
    kind = (AveragePool2D, MaxPool2D)[maker.rng.integers(2)]
    above, below = (int(n) for n in maker.rng.integers(0, 3, 2))
    op = kind((3, 2), stride, Padding(above, below, 0, 1))
    return maker.builder.add(op, [x], maker.builder.tensor(x).quantization)[0]


def _padded(maker: NetworkMaker, x: str) -> str:
    above, below, left = (int(n) for n in maker.rng.integers(0, 4, 3))
    op = Pad((0, above, left, 0), (0, below, 0, 0), 7)
    return maker.builder.add(op, [x], maker.builder.tensor(x).quantization)[0]


def some_bands(graph: Graph, seed: int) -> Graph:
    banded = longest_bands(graph, seed)
    assert banded is not None
    return banded


@pytest.mark.parametrize("seed", range(60))
def test_bands_compute_what_whole_layers_do(seed: int) -> None:
    graph = random_image_network(seed)
    assert_same(graph, some_bands(graph, seed), count=1)


@pytest.mark.parametrize("pace", PACES)
def test_every_pace_of_one_network(pace: Fraction) -> None:
    graph = random_image_network(3)
    banded = in_bands(graph, 0, len(graph.nodes), pace)
    assert banded is not None
    assert_same(graph, banded)


def runs_alike(graph: Graph, artifact: Artifact, device: Device | HostDevice) -> None:
    for arrays in samples(graph, count=2):
        (wanted,) = Reference(graph).run(arrays)
        np.testing.assert_array_equal(device.run(arrays)[0], wanted)


@pytest.mark.parametrize("seed", range(6))
def test_c_of_bands_on_this_computer(seed: int) -> None:
    graph = random_image_network(100 + seed)
    banded = some_bands(graph, seed)
    artifact = compile_graph(banded, board("esp32-c3"))
    runs_alike(graph, artifact, HostDevice(artifact))


@pytest.mark.parametrize(
    "name", ["nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3", "nucleo-f103rb"]
)
@pytest.mark.parametrize("seed", range(4))
def test_c_of_bands_on_cores(name: str, seed: int) -> None:
    graph = random_image_network(200 + seed)
    banded = some_bands(graph, seed)
    artifact = compile_graph(banded, board(name))
    runs_alike(graph, artifact, Device(artifact, board(name)))


def image_classifier(seed: int = 5) -> Graph:
    """A stem, a residual block and a head, on 24 x 20 pixels: wide at first, small in the end."""
    maker = NetworkMaker(seed)
    same = Padding(1, 1, 1, 1)
    x = maker.conv(maker.input((1, 24, 20, 2)), 8, 3, same, (1, 1))
    y = maker.conv(maker.depthwise(x, 3, 1, same, (1, 1)), 8, 1, Padding(), (1, 1))
    (x,) = maker.builder.add(Add(), [x, y], maker.activation_quant())
    for outputs in (12, 16):
        x = maker.conv(x, outputs, 3, same, (2, 2))
    return maker.builder.finish([maker.dense(x, 5)])


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "esp32-c3"])
def test_a_budget_is_kept_with_the_same_bytes(name: str) -> None:
    graph, target = image_classifier(), board(name)
    whole = compile_graph(graph, target)
    budget = whole.manifest.arena_bytes * 6 // 10
    artifact = compile_graph(graph, target, ram_budget_bytes=budget)
    assert artifact.manifest.arena_bytes <= budget
    assert artifact.manifest.macs == whole.manifest.macs
    runs_alike(graph, artifact, Device(artifact, target))


def test_a_budget_that_is_kept_anyway_changes_nothing() -> None:
    graph, target = image_classifier(), board("esp32-c3")
    whole = compile_graph(graph, target)
    assert not whole.manifest.bands
    wide = compile_graph(graph, target, ram_budget_bytes=whole.manifest.arena_bytes)
    assert wide.files == whole.files and wide.manifest == whole.manifest


def test_reports_and_c_say_what_runs_in_bands() -> None:
    artifact = compile_graph(image_classifier(), board("esp32-c3"), ram_budget_bytes=5500)
    (bands,) = artifact.manifest.bands
    assert bands.layers[0] in bands.text and f"{bands.bands} bands" in bands.text
    code = artifact.files["network_5.c"]
    assert f"* In bands: {bands.layers[0]} to {bands.layers[-1]}" in code
    assert f"for (int32_t band = 0; band < {bands.bands}; ++band)" in code


def test_the_least_that_an_error_names_can_be_had() -> None:
    graph, target = image_classifier(), board("esp32-c3")
    with pytest.raises(DoesNotFit, match="RAM budget of 10 B: the least arena") as refused:
        compile_graph(graph, target, ram_budget_bytes=10)
    least = int(refused.value.hint.removeprefix("allow at least ").split(",")[0])
    artifact = compile_graph(graph, target, ram_budget_bytes=least)
    assert artifact.manifest.arena_bytes == least


def test_layers_without_rows_are_refused_in_words() -> None:
    maker = NetworkMaker(1)
    graph = maker.builder.finish([maker.dense(maker.dense(maker.input((1, 1, 1, 40)), 30), 20)])
    with pytest.raises(DoesNotFit, match="no layers of it can run in bands"):
        compile_graph(graph, board("esp32-c3"), ram_budget_bytes=20)


def test_an_artifact_with_bands_is_read_back(tmp_path: Path) -> None:
    artifact = compile_graph(image_classifier(), board("esp32-c3"), ram_budget_bytes=5500)
    artifact.write(tmp_path / "out")
    assert Artifact.read(tmp_path / "out").manifest == artifact.manifest


def test_a_graph_with_bands_prints() -> None:
    graph = random_image_network(3)
    banded = in_bands(graph, 0, len(graph.nodes), Fraction(1, 2))
    assert banded is not None
    assert "row_bands(x) body=(" in print_graph(banded)
