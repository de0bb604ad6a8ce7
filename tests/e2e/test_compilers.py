"""Other people's compilers take the generated C without a warning, and agree about what it does."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.emulate.proof import random_samples
from smidgen.graph.evaluate import Reference
from smidgen.targets.catalogue import board
from support.graphs import small_convnet

STRICT = [
    *("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"),
    "-ffp-contract=off",
]
CORES = {
    "nucleo-l4r5zi": ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "raspberry-pi-pico": ["-mcpu=cortex-m0plus", "-mthumb"],
    "nucleo-f103rb": ["-mcpu=cortex-m3", "-mthumb"],
}


def write_build(board_name: str, folder: Path) -> Artifact:
    artifact = compile_graph(small_convnet(), board(board_name), "net")
    artifact.write(folder)
    return artifact


def arm_gcc_is_whole() -> bool:
    """Whether Arm's gcc is here, with the headers of a C library."""
    if shutil.which("arm-none-eabi-gcc") is None:
        return False
    command = ["arm-none-eabi-gcc", "-E", "-"]
    found = subprocess.run(
        command, input="#include <string.h>", capture_output=True, text=True, check=False
    )
    return found.returncode == 0


@pytest.mark.skipif(not arm_gcc_is_whole(), reason="needs arm-none-eabi-gcc and its C library")
@pytest.mark.parametrize("name", CORES)
def test_arm_gcc_takes_it_without_a_warning(name: str, tmp_path: Path) -> None:
    write_build(name, tmp_path / "out")
    command = ["arm-none-eabi-gcc", *STRICT, *CORES[name], "-c", "net.c", "-o", "net.o"]
    result = subprocess.run(
        command, cwd=tmp_path / "out", capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(
    shutil.which("aarch64-linux-gnu-gcc") is None, reason="needs aarch64-linux-gnu-gcc"
)
@pytest.mark.parametrize(
    ("name", "cpu"), [("raspberry-pi-4", "cortex-a72"), ("raspberry-pi-5", "cortex-a76")]
)
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_gcc_takes_code_for_64_bit_arm_without_a_warning(
    name: str, cpu: str, level: str, tmp_path: Path
) -> None:
    write_build(name, tmp_path / "out")
    command = ["aarch64-linux-gnu-gcc", *STRICT, level, f"-mcpu={cpu}", "-S", "net.c"]
    result = subprocess.run(
        command, cwd=tmp_path / "out", capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc on this computer")
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_host_gcc_computes_the_same_bytes(level: str, tmp_path: Path) -> None:
    artifact = write_build("esp32-c3", tmp_path / "out")
    command = ["gcc", *STRICT, level, "-shared", "-fPIC", "net.c", "-o", "net.so"]
    result = subprocess.run(
        command, cwd=tmp_path / "out", capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    library = ctypes.CDLL(str(tmp_path / "out" / "net.so"))
    reference = Reference(small_convnet())
    for sample in random_samples(small_convnet(), 20):
        found = run_on_host(library, artifact, sample[0])
        assert np.array_equal(found, reference.run(sample)[0].reshape(-1))


def run_on_host(library: ctypes.CDLL, artifact: Artifact, x: np.ndarray) -> np.ndarray:
    manifest = artifact.manifest
    arena = (ctypes.c_uint64 * (manifest.arena_bytes // 8 + 1))()
    start = ctypes.addressof(arena)
    ctypes.memmove(start + manifest.inputs[0].offset, x.tobytes(), x.nbytes)
    library.net_run(arena)
    output = manifest.outputs[0]
    return np.frombuffer(ctypes.string_at(start + output.offset, output.nbytes), np.int8)
