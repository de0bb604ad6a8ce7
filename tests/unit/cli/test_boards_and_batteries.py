"""Boards of all kinds, a user's own board, and batteries, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from smidgen.cli.main import main

OWN = """
name = "my-board"
core = "cortex-m3"
clock_hz = 50_000_000
[[flash]]
name = "rom"
address = 0x0
bytes = 65_536
[[ram]]
name = "sram"
address = 0x20000000
bytes = 16_384
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def test_boards_say_which_are_not_verified(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "boards", "not-verified")
    assert "esp32-devkitc" in out and "not verified" in out and "nucleo" not in out
    _, emulated, _ = call(capsys, "boards", "--emulated")
    assert "esp32-devkitc" not in emulated and "esp32-c3" in emulated


def test_boards_name_their_emulator_and_whether_it_is_at_hand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for word, emulator in (("raspberry-pi-4", "qemu-user"), ("corstone-300", "qemu")):
        _, out, _ = call(capsys, "boards", word)
        assert f"{emulator}, not installed" in out
        _, notes, _ = call(capsys, "boards", word, "--notes")
        assert f"emulated by   {emulator}" in notes and "(package qemu-" in notes
    _, out, _ = call(capsys, "boards", "nucleo-l4")
    assert all(line.endswith("unicorn") for line in out.splitlines()[1:])
    _, notes, _ = call(capsys, "boards", "ek-ra8d1", "--notes")
    assert "run on QEMU's Cortex-M55" in notes


def test_boards_show_currents_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "boards", "--battery")
    names = {line.split()[0] for line in out.splitlines()[1:]}
    assert " 3.16" in out and "nrf52840-dk" in names and " ~2.6 " in out  # the nRF52833's
    assert "corstone-300" not in names
    _, notes, _ = call(capsys, "boards", "stm32l4", "--notes")
    assert "0x08000000" in notes and "DS12023" in notes and "5 wait states" in notes


def test_one_board_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    _, text, _ = call(capsys, "boards", "stm32l4r5zi")
    for fact in ("nucleo-l4r5zi (STMicroelectronics", "LQFP144", "dsp, fpu", "+-15 %",
                 "2,097,152 B at 0x08000000, 5 wait states", "256 B for data of flash",
                 "13.2 mA active at 120 MHz", "2.8 uA asleep", "sleep estimate: 2.8 uA",
                 "[RM0432"):  # fmt: skip
        assert fact in text, fact
    _, fpga, _ = call(capsys, "boards", "corstone-300")
    assert "not known " in fpga
    assert "nucleo-l476rg" not in text
    _, out, _ = call(capsys, "boards", "raspberry-pi-pico", "--json")
    (facts,) = json.loads(out)
    assert facts["name"] == "raspberry-pi-pico" and facts["core"] == "cortex-m0plus"
    assert facts["flash"][0]["wait_states"] > 0 and facts["verified"] is True
    _, text, _ = call(capsys, "boards", "raspberry-pi-zero-2-w")
    assert "350 mA active at 1000 MHz, 120000 uA idle, at 5 V (the whole board)" in text


def listed(capsys: pytest.CaptureFixture[str], *options: object) -> set[str]:
    _, out, _ = call(capsys, "boards", *options, "--json")
    return {facts["name"] for facts in json.loads(out)}


def test_boards_are_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nucleo-h743zi" in listed(capsys, "--core", "cortex-m7f")
    assert "nucleo-l4r5zi" not in listed(capsys, "--core", "cortex-m7f")
    assert listed(capsys, "--vendor", "adafruit") == {
        "adafruit-feather-m4", "adafruit-feather-nrf52840", "adafruit-feather-rp2040",
    }  # fmt: skip
    assert "corstone-300" in listed(capsys, "--emulator", "qemu")
    assert "bluepill" not in listed(capsys, "--ram", "64", "--emulator", "unicorn")
    assert "nucleo-g071rb" not in listed(capsys, "--flash", "256")
    assert "nucleo-l4r5zi" in listed(capsys, "--core", "m4")
    assert not listed(capsys, "--core", "z80")
    _, text, _ = call(capsys, "boards", "--core", "z80")
    assert "no board matches" in text


def test_boards_in_the_project_are_part_of_the_catalogue(
    small_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "boards").mkdir()
    path = tmp_path / "boards" / "mine.toml"
    path.write_text(OWN.replace("core =", 'aliases = ["our-thing"]\ncore =', 1))
    monkeypatch.chdir(tmp_path)
    assert "my-board" in listed(capsys)
    for name in ("my-board", "Our-Thing"):
        code, text, _ = call(capsys, "check", small_model, "--board", name)
        assert code == 0 and "my-board" in text
    code, _, problem = call(capsys, "check", small_model, "--board", "my-bord")
    assert code == 1 and "did you mean my-board" in problem
    path.write_text(OWN.replace("bytes = 65_536", "bytes = 0"))
    code, _, problem = call(capsys, "check", small_model, "--board", "my-board")
    assert code == 1 and "mine.toml" in problem and "at least 64" in problem
    assert "Traceback" not in problem


def test_a_board_of_ones_own_works_like_the_others(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, out = tmp_path / "mine.toml", tmp_path / "out"
    own.write_text(OWN)
    code, text, _ = call(capsys, "compile", small_model, "--board", own, "-o", out)
    assert code == 0 and "my-board (cortex-m3, 50 MHz)" in text and "0 mismatches" in text
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 6, 1), np.int8))
    own.unlink()  # the build keeps what it needs
    code, text, _ = call(capsys, "run", out, "--input", tmp_path / "x.npy")
    assert code == 0 and "classes" in text
    own.write_text(OWN)
    for command in (["profile", small_model], ["check", small_model]):
        code, text, _ = call(capsys, *command, "--board", own)
        assert code == 0 and "my-board" in text
    _, listed, _ = call(capsys, "boards", own)
    assert "my-board" in listed and "nucleo" not in listed


def test_a_wrong_board_file_is_explained(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(OWN.replace("50_000_000", '"fast"'))
    code, _, problem = call(capsys, "profile", small_model, "--board", own)
    assert code == 1 and "mine.toml" in problem and "clock_hz" in problem


@pytest.mark.parametrize("name", ["esp32-s3", "esp32"])
def test_compile_for_a_core_that_is_not_emulated_says_so(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / "out"
    code, text, _ = call(capsys, "compile", small_model, "--board", name, "-o", out)
    assert code == 0 and "NOT VERIFIED" in text and "0 mismatches" in text
    report = json.loads((out / "report.json").read_text())
    assert report["verified"] is False and "instructions" not in report
    assert report["proof"]["bytes_compared"] == 32
    code, _, problem = call(capsys, "profile", small_model, "--board", name)
    assert code == 1 and "not emulated" in problem
    code, text, _ = call(capsys, "check", small_model, "--board", name)
    assert code == 0


@pytest.mark.parametrize(
    ("name", "package"),
    [("pi-5", "qemu-user"), ("k210", "qemu-user"), ("ra8d1", "qemu-system-arm")],
)
def test_without_its_emulator_a_build_is_not_verified_and_says_why(
    small_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    package: str,
) -> None:
    monkeypatch.setenv("PATH", "")
    out = tmp_path / "out"
    code, text, _ = call(capsys, "compile", small_model, "--board", name, "-o", out)
    assert code == 0 and "NOT VERIFIED" in text and f"(package {package} of Debian" in text
    assert json.loads((out / "report.json").read_text())["verified"] is False
    code, _, problem = call(capsys, "profile", small_model, "--board", name)
    assert code == 1 and f"install the package {package}" in problem


def test_profile_runs_as_many_inputs_as_asked_and_prints_bands(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text, _ = call(capsys, "profile", small_model, "--board", "pico", "--inputs", "7")
    assert "over 7 inputs" in text and "+-" in text and "by the call graph" in text
    _, out, _ = call(
        capsys, "profile", small_model, "--board", "nucleo-l4r5zi", "--inputs", "2", "--json"
    )
    report = json.loads(out)
    assert report["inferences"] == 2 and report["modelled_error_percent"] > 0
    assert report["stack_bound_bytes"] >= report["stack_bytes"] > 0
    assert 0 < report["wait_cycles"] < report["modelled_cycles"]
    assert report["zero_wait_cycles"] + report["wait_cycles"] == report["modelled_cycles"]
    code, _, _ = call(capsys, "profile", small_model, "--board", "pico", "--inputs", "0")
    assert code != 0


def test_battery_prints_months_and_every_assumption(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("battery", small_model, "--board", "nrf52840-dk")
    code, text, _ = call(capsys, *arguments, "--load", "sensor=0.4mA")
    assert code == 0
    for fact in ("CR2032", "days", "modelled", "3.3 mA", "3.16 uA", "sensor: 0.4 mA", "220 mAh",
                 "nRF52840 Product Specification", "1 % a year", "not counted"):  # fmt: skip
        assert fact in text, fact
    _, out, _ = call(capsys, *arguments, "--battery", "lipo-1000", "--period", "100ms", "--json")
    life = json.loads(out)
    assert life["months"] > 1 and life["battery"]["usable_mah"] == 800
    assert life["months_low"] <= life["months"] <= life["months_high"]


def test_battery_warns_of_a_peak_and_draws(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("battery", small_model, "--board", "nrf52840-dk")
    _, calm, _ = call(capsys, *arguments)
    assert "WARNING" not in calm
    _, text, _ = call(capsys, *arguments, "--load", "radio=15uA:12mA")
    assert "WARNING" in text and "15.3 mA" in text and "CR2032" in text
    picture = tmp_path / "life.svg"
    _, out, _ = call(capsys, *arguments, "--svg", picture, "--json")
    assert json.loads(out)["is_overloaded"] is False
    drawing = ElementTree.fromstring(picture.read_text())
    words = " ".join(drawing.itertext())
    assert "nrf52840-dk" in words and "1 day" in words and "months at one every 1 s" in words


def test_battery_says_what_it_lacks(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    code, _, problem = call(capsys, "battery", small_model, "--board", path)
    assert code == 1 and "pass --active-ma" in problem
    code, text, _ = call(
        capsys, "battery", small_model, "--board", path, "--active-ma", 20, "--sleep-ua", 800
    )
    assert code == 0 and "given by the user" in text
    code, _, problem = call(
        capsys, "battery", small_model, "--board", "nrf52840", "--battery", "CR2033"
    )
    assert code == 1 and "CR2032" in problem
    code, _, problem = call(
        capsys, "battery", small_model, "--board", "nrf52840", "--period", "1ns"
    )
    assert code == 1 and "period" in problem
