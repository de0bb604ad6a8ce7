"""`smidgen quantize`, and the options about quantisation of other commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from smidgen.cli.main import main

onnx = pytest.importorskip("onnx", reason="needs onnx to write a model")
from support.onnx_nets import net, node  # noqa: E402


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A float model that int8 spoils, and samples for it."""
    folder, random = tmp_path_factory.mktemp("float"), np.random.default_rng(0)
    factor = np.logspace(0, -4, 16)
    constants = {
        "a": (random.normal(size=(16, 16)) * factor).astype(np.float32),
        "b": (random.normal(size=(16, 8)) / factor[:, None]).astype(np.float32),
    }
    nodes = [node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"])]
    model = net(nodes, {"x": (1, 16)}, constants)
    (folder / "uneven.onnx").write_bytes(model.SerializeToString())
    np.save(folder / "x.npy", random.normal(size=(32, 16)).astype(np.float32))
    return folder / "uneven.onnx", folder / "x.npy"


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def test_report_names_every_layer(uneven, capsys) -> None:
    model, samples = uneven
    code, out, _ = call(capsys, "quantize", model, "--calibrate", samples, "--report")
    assert code == 0
    assert out.splitlines()[0].startswith("uneven: output SQNR")
    assert "layers: 2 int8; constants 1,536 B -> 384 B" in out
    assert sum("dense" in line for line in out.splitlines()) == 2
    assert "<- worst" in out


def test_json_is_one_object_with_numbers(uneven, capsys) -> None:
    model, samples = uneven
    arguments = ("quantize", model, "--calibrate", samples, "--report", "--json")
    int8 = json.loads(call(capsys, *arguments)[1])
    int16 = json.loads(call(capsys, *arguments, "--activations", "int16")[1])
    assert [layer["op"] for layer in int8["layers"]] == ["dense", "dense"]
    assert int8["output"]["sqnr_db"] < int16["output"]["sqnr_db"]


def test_a_budget_promotes_and_says_how_to_repeat_it(uneven, capsys, tmp_path) -> None:
    model, samples = uneven
    arguments = ("quantize", model, "--calibrate", samples, "--min-sqnr", "30")
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "budget met" in out
    kept = out.rpartition("the same for other commands: ")[2].split()
    assert kept[0] == "--keep"
    found = json.loads(call(capsys, *arguments, "--json")[1])
    assert found["budget"]["met"]
    assert len(found["budget"]["promotions"]) == kept.count("--keep")
    folder = tmp_path / "out"
    compiled = ("compile", model, "--board", "nucleo-l4r5zi", "-o", folder, "--calibrate", samples)
    code, out, err = call(capsys, *compiled, *kept)
    assert (code, err) == (0, "")
    assert (folder / "report.json").is_file()


def test_refusals(uneven, capsys) -> None:
    model, samples = uneven
    assert "add --calibrate" in call(capsys, "quantize", model)[2]
    wrong = call(capsys, "quantize", model, "--calibrate", samples, "--keep", "dense")
    assert wrong[0] != 0 and "LAYER=TYPE" in wrong[2]
    unknown = call(capsys, "quantize", model, "--calibrate", samples, "--keep", "dens=float")
    assert unknown[0] == 1 and "did you mean dense" in unknown[2]
