"""What a build folder is, and how it is written and read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from smidgen.api import verify
from smidgen.compiler.artifact import MANIFEST, Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import DType
from smidgen.core.errors import ArtifactError, UnknownName
from smidgen.graph.builder import GraphBuilder
from smidgen.ops.elementwise.ops import Add
from smidgen.targets.catalogue import board
from support.graphs import small_convnet


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    return compile_graph(small_convnet(), board("nucleo-l4r5zi"))


def test_the_same_graph_gives_the_same_bytes(artifact: Artifact) -> None:
    again = compile_graph(small_convnet(), board("nucleo-l4r5zi"))
    assert dict(again.files) == dict(artifact.files)
    assert again.manifest_json() == artifact.manifest_json()


def test_nothing_in_the_output_names_a_date_a_host_or_a_path(artifact: Artifact) -> None:
    text = "".join(artifact.files.values()) + artifact.manifest_json()
    assert "/" + "home" not in text and str(Path.cwd()) not in text and "20" + "26" not in text


def test_what_is_written_reads_back(artifact: Artifact, tmp_path: Path) -> None:
    artifact.write(tmp_path / "out")
    again = Artifact.read(tmp_path / "out")
    assert again.manifest == artifact.manifest
    assert dict(again.files) == dict(artifact.files)


def test_an_earlier_build_is_replaced_whole(artifact: Artifact, tmp_path: Path) -> None:
    artifact.write(tmp_path / "out", {"old.txt": "x"})
    artifact.write(tmp_path / "out")
    assert not (tmp_path / "out" / "old.txt").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_somebody_elses_folder_is_left_alone(artifact: Artifact, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="did not write"):
        artifact.write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda m: m[: len(m) // 2],
        lambda _: "[]",
        lambda _: "[" * 100_000,
        lambda m: json.dumps({**json.loads(m), "format": 99}),
        lambda m: json.dumps({**json.loads(m), "files": ["../../etc/passwd"]}),
        lambda m: json.dumps({**json.loads(m), "inputs": [{"name": 3}]}),
        lambda m: json.dumps({**json.loads(m), "layers": 7}),
        lambda _: json.dumps({"format": 1}),
    ],
)
def test_a_damaged_manifest_is_one_of_our_errors(
    artifact: Artifact, tmp_path: Path, damage: object
) -> None:
    artifact.write(tmp_path / "out")
    path = tmp_path / "out" / MANIFEST
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(ArtifactError):
        Artifact.read(tmp_path / "out")


def test_a_folder_without_a_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="smidgen compile"):
        Artifact.read(tmp_path)


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(UnknownName, match="speed"):
        compile_graph(small_convnet(), board("nucleo-l4r5zi"), objective="sped")


def test_ports_say_how_to_read_the_numbers(artifact: Artifact) -> None:
    port = artifact.manifest.inputs[0]
    assert (port.dtype, port.shape, port.nbytes) == ("int8", (1, 8, 8, 2), 128)
    assert np.isclose(port.scale, 0.05) and port.zero_point == 3


@pytest.mark.parametrize("name", ["input", "output", "run", "init"])
def test_layers_named_like_the_functions_of_the_header(name: str) -> None:
    b = GraphBuilder("net")
    x = b.input("x", DType.FLOAT32, (1, 6))
    table = b.constant(name, DType.FLOAT32, np.arange(6.0))
    graph = b.finish(b.add(Add(), [x, table], node=name))
    assert verify(graph, compile_graph(graph, board("nucleo-l4r5zi"))).mismatches == 0
