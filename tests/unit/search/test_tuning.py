"""Tuning on the emulated core: what it finds is true, repeats, and keeps the bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

import smidgen
from smidgen.compiler.compile import compile_graph
from smidgen.compiler.costs import write
from smidgen.compiler.objective import objective_called
from smidgen.compiler.sharing import Style
from smidgen.core.errors import DoesNotFit, EmulationError
from smidgen.emulate.device import Device
from smidgen.emulate.measure import Measurement, measure
from smidgen.emulate.proof import prove, random_samples
from smidgen.search.fitting import compile_tuned, linked_bytes
from smidgen.search.tuning import tune
from smidgen.targets.ample import ample
from smidgen.targets.catalogue import board
from support.graphs import small_convnet

M4 = board("nucleo-l4r5zi")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test alone, so that it starts cold."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SMIDGEN_CACHE", str(folder))
    return folder


def test_a_warm_cache_changes_nothing_but_the_time(own_cache: Path) -> None:
    graph, rounds = small_convnet(), []
    cold = tune(graph, M4, progress=lambda done, _: rounds.append(done))
    assert rounds
    rounds.clear()
    warm = tune(graph, M4, progress=lambda done, _: rounds.append(done))
    assert not rounds
    assert write(warm) == write(cold)
    assert compile_graph(graph, M4, costs=warm).files == compile_graph(graph, M4, costs=cold).files
    for kept in own_cache.rglob("*.tsv"):
        kept.write_text("damaged")
    assert write(tune(graph, M4)) == write(cold)


def test_a_tuned_choice_takes_what_was_measured_of_its_layers() -> None:
    graph = small_convnet()
    known = tune(graph, M4, "speed")
    device = Device(compile_graph(graph, M4, objective="speed", costs=known), M4)
    assert prove(graph, device, random_samples(graph, 6)).mismatches == 0
    counted = {run.instructions for each in known.values() for run in each.runs.values()}
    assert any(layer.instructions in counted for layer in _taken(device).layers)


@pytest.mark.parametrize("objective", ["balanced", "speed"])
def test_a_tuned_build_is_no_dearer_than_an_untuned_one(objective: str) -> None:
    graph = small_convnet()
    tuned = compile_tuned(graph, M4, objective=objective)
    plain = compile_graph(graph, M4, objective=objective, costs={})
    device = Device(tuned, ample(M4))
    assert prove(graph, device, random_samples(graph, 6)).mismatches == 0
    after = _taken(device).modelled_cycles or 0
    before = _taken(Device(plain, ample(M4))).modelled_cycles or 0
    worth = objective_called(objective).flash_share_per_kb * min(before, after) / 1024
    assert after - before <= worth * (linked_bytes(plain, M4) - linked_bytes(tuned, M4))


def _taken(device: Device) -> Measurement:
    device.reset()
    return measure(device, random_samples(small_convnet(), 3)[2:])


def test_a_flash_budget_is_kept_and_buys_speed() -> None:
    graph = small_convnet()
    smallest = linked_bytes(compile_graph(graph, M4, objective="size", costs={}), M4)
    counts = []
    for budget in (smallest + 1200, smallest + 7000):
        artifact = compile_tuned(graph, M4, flash_budget_bytes=budget)
        assert linked_bytes(artifact, M4) <= budget
        device = Device(artifact, M4)
        assert prove(graph, device, random_samples(graph, 3)).mismatches == 0
        device.reset()
        counts.append(measure(device, random_samples(graph, 3)[2:]).modelled_cycles)
    assert counts[1] < counts[0]
    with pytest.raises(DoesNotFit, match="flash budget of 900 B"):
        compile_tuned(graph, M4, flash_budget_bytes=900)


def test_the_api_tunes() -> None:
    graph = small_convnet()
    tuned = smidgen.compile(graph, M4, tune=True)
    assert tuned.files == compile_tuned(graph, M4).files
    bounded = smidgen.compile(graph, M4, flash_budget_bytes=12_000)
    assert linked_bytes(bounded, M4) <= 12_000


def test_a_core_that_is_not_emulated_cannot_be_tuned_for() -> None:
    with pytest.raises(EmulationError, match="not emulated"):
        tune(small_convnet(), board("esp32-s3-devkitc-1"))


def test_every_way_has_every_style() -> None:
    known = tune(small_convnet(), board("raspberry-pi-pico"))
    assert known
    for measured in known.values():
        assert set(measured.runs) == set(Style)
        assert measured.runs[Style.OWN].shared_bytes == 0 < measured.runs[Style.SHARED].shared_bytes
