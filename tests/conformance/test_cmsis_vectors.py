"""The kernel vectors of CMSIS-NN: the reference and generated C give what Arm expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.cmsis_vectors import INEXPRESSIBLE, Vector, read_vector
from smidgen.graph.evaluate import Reference
from support.samples import DATA, needs_data
from support.threeway import CompiledModels

pytestmark = needs_data
FOLDER = DATA / "conformance" / "cmsis_nn_vectors" if DATA else Path()
STATED = [path for path in sorted(FOLDER.glob("*.npz")) if path.stem not in INEXPRESSIBLE]


@pytest.fixture(scope="module")
def compiled() -> CompiledModels:
    """All vectors in one library."""
    return CompiledModels([read_vector(path).graph for path in STATED])


def last_output(vector: Vector) -> np.ndarray:
    reference = Reference(vector.graph)
    return [reference.run(run) for run in vector.runs][-1][0]


@pytest.mark.parametrize("place", range(len(STATED)), ids=[path.stem for path in STATED])
def test_vector(place: int, compiled: CompiledModels) -> None:
    vector = read_vector(STATED[place])
    found = last_output(vector)
    np.testing.assert_array_equal(vector.clamped(found), vector.expected)
    compiled.reset(place)
    in_c = [compiled.run(place, run) for run in vector.runs][-1][0]
    np.testing.assert_array_equal(in_c, found)


def test_every_vector_is_stated_or_listed() -> None:
    names = {path.stem for path in FOLDER.glob("*.npz")}
    assert set(INEXPRESSIBLE) <= names
    assert (len(names), len(STATED)) == (105, 100)
