"""Builds for cores that nothing here emulates: compiled, run on this computer, called so."""

import platform
import re

import pytest

import smidgen
from smidgen.compiler.artifact import Artifact
from smidgen.core.errors import EmulationError
from smidgen.emulate.host import HostDevice
from smidgen.emulate.proof import prove, random_samples
from smidgen.emulate.unverified import examine_unverified, prove_on_host, unverified_text
from smidgen.targets.catalogue import board


@pytest.fixture(scope="module")
def graph(small_model):
    return smidgen.load(small_model)


@pytest.mark.parametrize(
    ("name", "how", "knows_flash"),
    [
        ("esp32-devkitc", "not compiled", False),
        ("raspberry-pi-zero", "compiled for linux", True),
        ("sipeed-maix-bit", "linked", True),
    ],
)
def test_it_is_compiled_as_far_as_that_goes(graph, name, how, knows_flash):
    artifact = smidgen.compile(graph, name)
    build = examine_unverified(artifact, board(name))
    assert how in build.how_compiled and (build.flash_bytes is not None) == knows_flash
    assert build.to_dict()["verified"] is False and "instructions" not in build.to_dict()
    proof = prove_on_host(graph, artifact, random_samples(graph, 3))
    assert proof is not None and proof.holds
    text = unverified_text(build, proof)
    assert "NOT VERIFIED" in text and "this computer" in text


@pytest.mark.parametrize(
    "name",
    [
        "ek-ra8d1",
        pytest.param(
            "raspberry-pi-4",
            marks=pytest.mark.skipif(
                platform.machine() in ("aarch64", "arm64"), reason="it is this computer's assembly"
            ),
        ),
    ],
)
def test_kernels_in_the_cores_own_assembly_are_not_run_here(graph, name):
    artifact = smidgen.compile(graph, name)
    assert prove_on_host(graph, artifact, random_samples(graph, 1)) is None
    build = examine_unverified(artifact, board(name))
    assert build.flash_bytes and "cannot run this C" in unverified_text(build, None)


def test_this_computer_finds_a_difference(graph):
    artifact = smidgen.compile(graph, "nucleo-f103rb")
    samples = random_samples(graph, 8)
    assert prove(graph, HostDevice(artifact), samples).holds
    name = f"{artifact.manifest.prefix}_weights.h"
    text = artifact.files[name]
    first_table = text.index("{", text.index("int8_t")) + 1
    damaged = text[:first_table] + re.sub(r"-?\b[1-9]\d*", "0", text[first_table:], count=40)
    changed = Artifact(artifact.manifest, {**artifact.files, name: damaged})
    assert not prove(graph, HostDevice(changed), samples).holds


def test_nothing_pretends_to_run_on_such_a_board(graph):
    artifact = smidgen.compile(graph, "esp32")
    with pytest.raises(EmulationError, match="xtensa-lx6 is not emulated"):
        smidgen.profile(artifact)
    with pytest.raises(EmulationError, match="not emulated"):
        smidgen.verify(graph, artifact)
