"""Elements picked from, and put into, places that the file gives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")

from smidgen.core.errors import ModelFileError, UnsupportedError
from support.onnx_nets import assert_same, graph_of, one

SHAPE = (3, 4, 5)


def test_elements_along_an_axis() -> None:
    places = np.random.default_rng(1).integers(-4, 4, (3, 6, 5))
    assert_same(one("GatherElements", SHAPE, {"places": places}, axis=1))


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
def test_updates_of_elements(reduction: str) -> None:
    """Of those that share a place all count, and the last is put there."""
    rng = np.random.default_rng(2)
    places = rng.integers(-5, 5, (3, 4, 5))
    updates = rng.normal(size=places.shape).astype(np.float32)
    constants = {"places": places, "updates": updates}
    assert_same(one("ScatterElements", SHAPE, constants, axis=2, reduction=reduction))


@pytest.mark.parametrize("reduction", ["none", "add"])
def test_updates_of_slices(reduction: str) -> None:
    updates = np.random.default_rng(3).normal(size=(3, 5)).astype(np.float32)
    constants = {"places": np.array([[0, 1], [2, -1], [0, 1]]), "updates": updates}
    assert_same(one("ScatterND", SHAPE, constants, reduction=reduction))


def test_sequences_in_reverse() -> None:
    lengths = {"lengths": np.array([4, 0, 1, 3, 2])}
    assert_same(one("ReverseSequence", SHAPE, lengths, time_axis=1, batch_axis=2))


@pytest.mark.parametrize(
    ("kind", "constants", "attributes"),
    [
        ("GatherElements", {"places": np.full((3, 4, 5), 4)}, {"axis": 1}),
        ("GatherElements", {"places": np.zeros((4, 4, 5), int)}, {"axis": 1}),
        ("GatherElements", {"places": np.zeros((3, 4), int)}, {}),
        ("ScatterND", {"places": np.array([[3]]), "updates": np.zeros((1, 4, 5))}, {}),
        ("ScatterND", {"places": np.array([[2]]), "updates": np.zeros((1, 4))}, {}),
        ("Compress", {"condition": np.ones(5, bool)}, {"axis": 1}),
        ("ReverseSequence", {"lengths": np.array([4, 4, 9])}, {"time_axis": 1, "batch_axis": 0}),
    ],
)
def test_places_outside_are_damage(kind: str, constants: dict, attributes: dict) -> None:
    with pytest.raises(ModelFileError):
        graph_of(one(kind, SHAPE, constants, **attributes))


def test_one_element_that_is_updated_many_times_is_refused() -> None:
    constants = {"places": np.zeros((99, 1), int), "updates": np.zeros((99, 4, 5), np.float32)}
    with pytest.raises(UnsupportedError, match="many times"):
        graph_of(one("ScatterND", SHAPE, constants, reduction="add"))


@pytest.mark.parametrize("depth", [0, -3, 1 << 40])
def test_a_depth_that_does_not_fit_is_refused(depth: int) -> None:
    constants = {"depth": np.array(depth), "values": np.array([0, 1], np.float32)}
    with pytest.raises(UnsupportedError, match="depth"):
        graph_of(one("OneHot", (3,), constants))
