"""TensorFlow Lite Micro's own 16-bit layers with their golden outputs: convolutions of SEANet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smidgen.frontends.tflite.convert import load_tflite
from smidgen.graph.evaluate import Reference
from smidgen.graph.tensor import Tensor
from support.samples import DATA, needs_data
from support.threeway import CompiledModels

FOLDER = DATA / "conformance" / "tflm_seanet_ops" if DATA else Path()


def values(stem: Path, what: str, tensor: Tensor) -> np.ndarray:
    path = stem.with_name(f"{stem.stem}_{what}_{tensor.dtype.label}.csv")
    numbers = np.loadtxt(path, delimiter=",", dtype=np.int64)
    return numbers.astype(tensor.dtype.numpy).reshape(tensor.shape)


@needs_data
@pytest.mark.parametrize("operator", ["conv", "transpose_conv"])
def test_golden_outputs(operator: str) -> None:
    paths = sorted((FOLDER / operator).glob("*.tflite"))
    assert paths
    graphs = [load_tflite(path) for path in paths]
    built = CompiledModels(graphs)
    for index, (path, graph) in enumerate(zip(paths, graphs, strict=True)):
        given = [
            values(path, f"input{place}", graph.tensors[name])
            for place, name in enumerate(graph.inputs)
        ]
        golden = values(path, "golden", graph.tensors[graph.outputs[0]])
        assert np.array_equal(Reference(graph).run(given)[0], golden), path.name
        built.reset(index)
        assert np.array_equal(built.run(index, given)[0], golden), path.name
