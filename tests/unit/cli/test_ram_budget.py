"""--ram-budget of compile, profile and check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smidgen.cli.main import main
from support.models import keyword_like_model


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.tflite"
    path.write_bytes(keyword_like_model())
    return str(path)


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


BOARD = ("--board", "nucleo-l4r5zi")


def test_compile_keeps_the_budget_and_says_how(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run("compile", model, *BOARD, "-o", str(tmp_path / "o"), "--ram-budget", "400")
    shown = capsys.readouterr().out
    assert "in bands            conv2d_0 to" in shown and "0 mismatches" in shown
    report = json.loads((tmp_path / "o" / "report.json").read_text())
    assert report["arena_bytes"] <= 400 and report["bands"][0]["layers"][0] == "conv2d_0"


def test_profile_and_check_take_it_too(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run("profile", model, *BOARD, "--ram-budget", "400", "--json")
    assert json.loads(capsys.readouterr().out)["arena_bytes"] <= 400
    assert not run("check", model, *BOARD, "--ram-budget", "400")


@pytest.mark.parametrize("command", ["compile", "profile", "check"])
def test_a_budget_that_cannot_be_kept_is_one_line(
    command: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("-o", str(tmp_path / "o")) if command == "compile" else ()
    assert run(command, model, *BOARD, "--ram-budget", "50", *more)
    shown = capsys.readouterr()
    assert "RAM budget of 50 B: the least arena that was found has" in shown.out + shown.err
    assert not (tmp_path / "o").exists()
