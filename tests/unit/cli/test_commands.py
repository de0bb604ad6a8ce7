"""The command line as a user meets it: what it prints, what it writes, how it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click import Command, Context

from smidgen.cli.main import cli, main
from smidgen.frontends.load import load_model
from smidgen.graph.evaluate import Reference


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one call."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def refuse(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that a refused call prints."""
    code, _, problem = call(capsys, *arguments)
    assert code != 0
    assert problem.count("\n") == 1 and "Traceback" not in problem
    return problem


@pytest.fixture(scope="module")
def built(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build") / "out"
    with pytest.raises(SystemExit) as ended:
        main(["compile", str(small_model), "--board", "nucleo-l4r5zi", "-o", str(folder)])
    assert not ended.value.code
    return folder


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_and_option_has_help(name: str) -> None:
    command: Command = cli.commands[name]
    assert command.help
    for parameter in command.get_params(Context(command)):
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_is_documented(name: str) -> None:
    root = Path(__file__).parents[3]
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    assert any(f"smidgen {name}" in page.read_text() for page in pages)


def test_compile_leaves_c_and_report(built: Path) -> None:
    names = {path.name for path in built.iterdir()}
    assert {"keywords.c", "keywords.h", "report.txt", "report.json", "smidgen.json"} <= names
    report = json.loads((built / "report.json").read_text())
    assert report["proof"]["mismatches"] == 0 and report["proof"]["bytes_compared"] > 0
    assert report["instructions"] > report["macs"] > 0


def test_run_prints_the_reference_outputs(
    built: Path, small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(1).integers(-128, 128, (3, 12, 6, 1)).astype(np.int8)
    np.save(tmp_path / "x.npy", x)
    files = ("--input", tmp_path / "x.npy", "-o", tmp_path / "y.npy")
    code, out, _ = call(capsys, "run", built, *files)
    assert code == 0 and "classes" in out
    reference = Reference(load_model(small_model))
    expected = [reference.run([sample[None]])[0] for sample in x]
    assert np.array_equal(np.load(tmp_path / "y.npy"), np.stack(expected))


def test_run_quantises_real_numbers(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quanta = np.random.default_rng(2).integers(-128, 128, (1, 12, 6, 1))
    np.save(tmp_path / "q.npy", quanta.astype(np.int8))
    np.save(tmp_path / "x.npy", (quanta + 4) * 0.5)
    _, plain, _ = call(capsys, "run", built, "--input", tmp_path / "q.npy")
    _, real, _ = call(capsys, "run", built, "--input", tmp_path / "x.npy", "--quantize")
    assert real == plain


def test_profile_json_is_one_object_with_the_documented_fields(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "profile", small_model, "--board", "nucleo-l4r5zi", "--json")
    assert code == 0
    report = json.loads(out)
    for field in ("instructions", "modelled_cycles", "arena_bytes", "stack_bytes", "code_bytes"):
        assert isinstance(report[field], int) and report[field] > 0
    assert report["weight_bytes"] > 0 and report["macs"] > 0
    assert sum(layer["instructions"] for layer in report["layers"]) <= report["instructions"]
    assert sum(layer["macs"] for layer in report["layers"]) == report["macs"]


def test_profile_table_has_a_line_for_each_layer(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = call(capsys, "profile", small_model, "--board", "raspberry-pi-pico")
    for layer in ("conv2d_0", "depthwise_conv2d_0", "average_pool2d_0", "dense_0", "softmax_0"):
        assert layer in out


def test_boards_lists_and_filters(capsys: pytest.CaptureFixture[str]) -> None:
    _, everything, _ = call(capsys, "boards")
    for name in ("nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3"):
        assert name in everything
    _, some, _ = call(capsys, "boards", "esp32")
    assert "esp32-c3" in some and "nucleo" not in some


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    problem = refuse(capsys, "compile", tmp_path / "no.tflite", "--board", "esp32-c3", "-o", out)
    assert "no.tflite" in problem and not out.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_a_file_that_is_no_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    out = tmp_path / "out"
    problem = refuse(capsys, "compile", path, "--board", "esp32-c3", "-o", out)
    assert "x.tflite" in problem and not out.exists()


def test_a_truncated_model_is_refused(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(small_model.read_bytes()[:-900])
    assert "cut.tflite" in refuse(capsys, "profile", path, "--board", "esp32-c3")


def test_an_unknown_board_suggests_the_nearest(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = refuse(capsys, "profile", small_model, "--board", "nucleo-l4r5")
    assert "nucleo-l4r5zi" in problem


def test_a_model_that_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from support.tflite_writer import OperatorSpec, TensorSpec, write_model

    big = (1, 2000, 1000, 1)
    tensors = [TensorSpec(big, "int8", scale) for scale in (0.1, 0.1, 0.2)]
    path = tmp_path / "big.tflite"
    path.write_bytes(write_model(tensors, [OperatorSpec("ADD", [0, 1], [2], {})], [0, 1], [2]))
    out = tmp_path / "out"
    problem = refuse(capsys, "compile", path, "--board", "nucleo-l4r5zi", "-o", out)
    assert "RAM" in problem and "nucleo-l4r5zi" in problem and not out.exists()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((1, 12, 6, 1), np.float32),
        np.zeros((1, 11, 6, 1), np.int8),
        np.zeros((0, 12, 6, 1), np.int8),
        np.zeros((72,), np.int8),
    ],
)
def test_an_array_that_does_not_fit_is_refused(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], array: np.ndarray
) -> None:
    np.save(tmp_path / "x.npy", array)
    problem = refuse(capsys, "run", built, "--input", tmp_path / "x.npy")
    assert "x.npy" in problem and "int8[1, 12, 6, 1]" in problem


def test_an_array_file_that_is_none_is_refused(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.npy").write_bytes(b"\x80\x04not an array")
    assert "x.npy" in refuse(capsys, "run", built, "--input", tmp_path / "x.npy")
    assert "absent" in refuse(capsys, "run", built, "--input", tmp_path / "absent.npy")


def test_run_on_a_core_that_the_build_is_not_for_says_so(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 6, 1), np.int8))
    board = ("--board", "raspberry-pi-pico")
    problem = refuse(capsys, "run", built, "--input", tmp_path / "x.npy", *board)
    assert "cortex-m4f" in problem
    assert "compile the model anew with --board raspberry-pi-pico" in problem


def test_run_without_a_build_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "smidgen compile" in refuse(capsys, "run", tmp_path, "--input", "x.npy")


def test_inspect_lists_every_layer_and_draws_the_graph(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "graph.svg"
    code, out, _ = call(capsys, "inspect", small_model, "--svg", picture)
    assert code == 0
    for fact in ("conv2d_0", "1x12x6x1", "scale 0.5, zero point -4", "total"):
        assert fact in out
    drawing = ElementTree.parse(picture)
    texts = "".join(drawing.getroot().itertext())
    assert all(layer in texts for layer in ("conv2d_0", "dense_0", "softmax_0"))


def test_check_says_that_a_model_fits(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "check", small_model, "--board", "raspberry-pi-pico")
    assert code == 0 and "compiles and fits" in out


def test_check_lists_all_problems_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from support.tflite_writer import OperatorSpec, TensorSpec, write_model

    tensors = [TensorSpec((1, 4), "int8", 0.1) for _ in range(4)]
    operators = [
        OperatorSpec("HASHTABLE_FIND", [0], [1]),
        OperatorSpec("RELU", [1], [2]),
        OperatorSpec("NON_MAX_SUPPRESSION_V4", [2], [3]),
    ]
    path = tmp_path / "odd.tflite"
    path.write_bytes(write_model(tensors, operators, [0], [3]))
    code, out, _ = call(capsys, "check", path, "--board", "esp32-c3")
    assert code == 1
    assert "HASHTABLE_FIND" in out and "NON_MAX_SUPPRESSION_V4" in out and "2 problem" in out


def test_profile_page_stands_alone_and_names_every_layer(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "profile.html"
    code, _, _ = call(capsys, "profile", small_model, "--board", "esp32-c3", "--html", page)
    assert code == 0
    text = page.read_text()
    assert text.count("<svg") == text.count("</svg>") == 3
    assert "<script" not in text and "href=" not in text and "src=" not in text
    for layer in ("conv2d_0", "depthwise_conv2d_0", "softmax_0"):
        assert layer in text
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert all(ElementTree.fromstring(drawing) is not None for drawing in drawings)


def test_profile_adds_up_by_layer_and_by_function(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("profile", small_model, "--board", "nucleo-l4r5zi")
    _, out, _ = call(capsys, *command, "--json")
    report = json.loads(out)
    for rows in (report["functions"], report["shares"]):
        assert abs(sum(row["instructions"] for row in rows) - report["instructions"]) <= len(rows)
        assert sum(row["wait_cycles"] for row in rows) == pytest.approx(
            report["wait_cycles"], abs=len(rows)
        )
    assert sum(row["macs"] for row in report["functions"]) == report["macs"]
    by_layer = [layer["arena_bytes"] for layer in report["layers"]]
    assert max(by_layer) == report["arena_bytes"]
    assert 0 < sum(row["code_bytes"] for row in report["functions"]) <= report["code_bytes"]
    for number, layer in enumerate(report["layers"], start=1):
        own = [share for share in report["shares"] if share["layer"] == number]
        assert abs(sum(share["instructions"] for share in own) - layer["instructions"]) <= len(own)
    _, text, _ = call(capsys, *command, "--functions")
    assert all(row["name"] in text for row in report["functions"])


def test_compare_shows_both_builds(
    built: Path, small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    call(capsys, "compile", small_model, "--board", "nucleo-u575zi", "-o", other)
    code, out, _ = call(capsys, "compare", built, other)
    assert code == 0
    assert "nucleo-l4r5zi" in out and "nucleo-u575zi" in out
    assert "+-15 %" in out and "+-25 %" in out
    assert "report.json" in refuse(capsys, "compare", built, tmp_path)
