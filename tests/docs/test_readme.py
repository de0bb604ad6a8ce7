"""The README's program, C and commands do what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import smidgen
from smidgen.cli.main import main
from smidgen.compiler.artifact import Artifact
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_firmware
from support.models import keyword_like_model

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language: str) -> str:
    """The README's first fenced block in `language`."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found.group(1)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README's commands name."""
    (tmp_path / "model.tflite").write_bytes(keyword_like_model())
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 6, 1), np.int8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_run(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [shlex.split(line, comments=True) for line in block("console").splitlines()]
    assert len(commands) >= 5
    for command in commands:
        assert command[0] == "smidgen"
        with pytest.raises(SystemExit) as ended:
            main(command[1:])
        assert not ended.value.code, (command, capsys.readouterr().err)


def test_the_python_program_runs(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "README.md", "exec"), {})
    assert capsys.readouterr().out.endswith("instructions\n")


def test_the_c_program_compiles_strictly(workplace: Path) -> None:
    artifact: Artifact = smidgen.compile(smidgen.load("model.tflite"), "nucleo-l4r5zi")
    declared = '#include "model.h"\nint classify(const int8_t *window);\n'
    sources = {**artifact.files, "main.c": declared + block("c")}
    assert compile_firmware(sources, board("nucleo-l4r5zi"), entry_symbols=("classify",))


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    root = Path(__file__).parents[2]
    for link in re.findall(r"\]\(([^)#:]+)\)", (root / page).read_text()):
        assert (root / link).exists(), link


def test_every_room_is_in_the_plan() -> None:
    root = Path(__file__).parents[2]
    plan = (root / "ARCHITECTURE.md").read_text()
    for room in (root / "src" / "smidgen").iterdir():
        if (room / "__init__.py").is_file():
            assert f"`{room.name}`" in plan, room.name
