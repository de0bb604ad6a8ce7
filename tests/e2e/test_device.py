"""Live devices: the MLPerf Tiny device protocol, spoken by firmware on emulated cores."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

import smidgen
from smidgen.cli.main import main
from smidgen.compiler.artifact import Artifact
from smidgen.core.errors import UnsupportedType
from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.live.tasks import OWN, TASKS
from smidgen.frontends.load import load_model
from smidgen.graph.evaluate import Reference
from smidgen.targets.catalogue import board
from support.live import READY, SECONDS, Ask, running, tcp_client, until_ready
from support.models import read_goldens
from support.qemu import needs_qemu, needs_qemu_user
from support.samples import DATA, needs_data
from support.tflite_writer import OperatorSpec, TensorSpec, write_model

BOARD = "nucleo-l4r5zi"
LINUX = ["raspberry-pi-zero", "raspberry-pi-3", "raspberry-pi-4", "raspberry-pi-5", "k210"]
BYTES_A_COMMAND = 31


@pytest.fixture(scope="module")
def artifact(small_model: Path) -> Artifact:
    return smidgen.compile(smidgen.load(small_model), BOARD)


@pytest.fixture(scope="module")
def folder(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("live") / "build"
    artifact.write(place)
    return place


@pytest.fixture
def ask(artifact: Artifact) -> Ask:
    return asker(LiveDevice(artifact, board(BOARD)))


def asker(device: LiveDevice) -> Ask:
    return lambda command: device.ask(command.encode("latin-1") + b"%").decode()


def load(ask: Ask, raw: bytes) -> str:
    """Loads `raw` as a runner does, some bytes a command; the last answer."""
    assert ask(f"db load {len(raw)}") == f"m-[Expecting {len(raw)} bytes]\r\nm-ready\r\n"
    chunks = [raw[at : at + BYTES_A_COMMAND] for at in range(0, len(raw), BYTES_A_COMMAND)]
    answers = [ask(f"db {chunk.hex()}") for chunk in chunks]
    assert set(answers[:-1]) <= {"m-ready\r\n"}
    return answers[-1]


def results(answer: str) -> list[float]:
    found = re.search(r"^m-results-\[(.*)\]\r$", answer, re.MULTILINE)
    assert found, answer
    return [float(number) for number in found.group(1).split(",")]


def laps(answer: str) -> list[int]:
    return [int(us) for us in re.findall(r"^m-lap-us-(\d+)\r$", answer, re.MULTILINE)]


def windows(count: int) -> list[np.ndarray]:
    draw = np.random.default_rng(3).integers(-128, 128, (count, 1, 12, 6, 1))
    return list(draw.astype(np.int8))


def expected(small_model: Path, window: np.ndarray) -> np.ndarray:
    quanta = Reference(load_model(small_model)).run([window])[0]
    return (quanta.reshape(-1).astype(np.float64) + 128) / 256


# -- what the firmware answers


def test_it_introduces_itself(artifact: Artifact) -> None:
    device = LiveDevice(artifact, board(BOARD))
    assert device.power_on() == (
        b"m-timestamp-mode-performance\r\nm-lap-us-0\r\nm-init-done\r\nm-ready\r\n"
    )
    ask = asker(device)
    assert ask("name") == f"m-name-dut-[smidgen emulated {BOARD}]\r\nm-ready\r\n"
    assert ask("profile") == (
        "m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[keywords]\r\nm-ready\r\n"
    )
    assert {"name", "timestamp", "db load", "infer", "results"} <= set(
        re.findall(r"^(\w+(?: load)?)\b", ask("help"), re.MULTILINE)
    )


@pytest.mark.parametrize(
    "name",
    [
        BOARD, "raspberry-pi-pico", "nucleo-f103rb", "esp32-c3",
        *(pytest.param(each, marks=needs_qemu_user) for each in LINUX),
    ],
)  # fmt: skip
def test_inferences_equal_the_reference_on_each_core(small_model: Path, name: str) -> None:
    made = smidgen.compile(smidgen.load(small_model), name)
    ask = asker(LiveDevice(made, board(name)))
    for window in windows(3):
        assert load(ask, window.tobytes()) == "m-load-done\r\nm-ready\r\n"
        answer = ask("infer 1 0")
        assert results(answer) == pytest.approx(expected(small_model, window), abs=1e-5)
        assert results(ask("results")) == results(answer)


@needs_qemu
def test_a_core_without_a_cycle_model_counts_instructions(small_model: Path) -> None:
    made = smidgen.compile(smidgen.load(small_model), "corstone-300")
    ask = asker(LiveDevice(made, board("corstone-300")))
    window = windows(1)[0]
    load(ask, window.tobytes())
    answer = ask("infer 50 0")
    assert results(answer) == pytest.approx(expected(small_model, window), abs=1e-5)
    started, ended = laps(answer)
    assert ended > started


def test_an_inference_is_told_in_the_order_that_runners_expect(ask: Ask) -> None:
    load(ask, windows(1)[0].tobytes())
    lines = [re.sub(r"m-lap-us-\d+|\[.*", "*", line) for line in ask("infer 3 2").splitlines()]
    assert lines == [
        "m-warmup-start-2", "m-warmup-done", "m-infer-start-3", "*", "*", "m-infer-done",
        "m-results-*", "m-ready",
    ]  # fmt: skip
    assert ask("infer").startswith("m-warmup-start-10\r\nm-warmup-done\r\nm-infer-start-1\r\n")


def test_the_timer_follows_the_modelled_cycles(ask: Ask, artifact: Artifact) -> None:
    load(ask, windows(1)[0].tobytes())
    started, ended = laps(ask("infer 20 0"))
    cycles = smidgen.profile(artifact).modelled_cycles
    assert cycles is not None
    wanted_us = 20 * cycles / board(BOARD).clock_hz * 1e6
    assert ended - started == pytest.approx(wanted_us, rel=0.05, abs=5)
    assert laps(ask("timestamp"))[0] >= ended


def test_a_single_inference_takes_as_long_as_one_of_many(ask: Ask, artifact: Artifact) -> None:
    """As in accuracy runs, where the device never makes two inferences in a row.

    The first one finds empty caches.
    """
    cycles = smidgen.profile(artifact).modelled_cycles
    assert cycles is not None
    wanted_us = cycles / board(BOARD).clock_hz * 1e6
    for window in windows(3):
        load(ask, window.tobytes())
        started, ended = laps(ask("infer 1 0"))
        assert 0.99 * wanted_us <= ended - started <= 1.1 * wanted_us


def test_what_a_device_did_before_does_not_move_its_clock(ask: Ask) -> None:
    """The memory is simulated now and then, also when thousands of commands have been obeyed."""
    took: list[int] = []
    for seed in range(40):
        load(ask, windows(40)[seed].tobytes())
        ask("help")
        started, ended = laps(ask("infer 1 0"))
        took.append(ended - started)
    assert max(took[1:]) - min(took[1:]) <= 0.03 * min(took)


def test_a_device_starts_anew_after_it_has_rehearsed(artifact: Artifact) -> None:
    devices = [LiveDevice(artifact, board(BOARD)) for _ in range(2)]
    devices[0].rehearse()
    rehearsed, plain = map(asker, devices)
    assert rehearsed("infer 1 0") == plain("infer 1 0")
    assert "e-[Input db has 0 bytes, expected 72]" in plain("infer 1 0")
    for ask in (rehearsed, plain):
        load(ask, windows(1)[0].tobytes())
    assert results(rehearsed("infer 1 0")) == results(plain("infer 1 0"))
    started, ended = laps(rehearsed("infer 2 0"))
    assert ended - started == pytest.approx(np.ptp(laps(plain("infer 2 0"))), rel=0.03)


def test_loaded_bytes_can_be_read_back(ask: Ask) -> None:
    ask("db load 11")
    assert ask("db 000102030405060708090aFFFF") == "m-load-done\r\nm-ready\r\n"
    printed = "m-buffer-00-01-02-03-04-05-06-07\r\nm-buffer-08-09-0a\r\nm-ready\r\n"
    assert ask("db print") == printed


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("", "Unknown command: "),
        ("   ", "Unknown command: "),
        ("nonsense 1 2", "Unknown command: nonsense"),
        ("names", "Unknown command: names"),
        ("nam", "Unknown command: nam"),
        ("\x00\xff", "Unknown command: ??"),
        ("db", "Command 'db' requires a subcommand"),
        ("db load", "Command 'db load' requires the # of bytes"),
        ("db load 0", "Command 'db load' must be >0 bytes"),
        ("db load x", "Command 'db load' must be >0 bytes"),
        ("db load 73", "Supplied buffer size 73 exceeds maximum of 72"),
        ("db load 99999999999", "Supplied buffer size 2147483647 exceeds maximum of 72"),
        ("db 00", "No bytes are expected: use 'db load'"),
        ("infer 0", "Inference iterations must be >0"),
        ("infer -3", "Inference iterations must be >0"),
        ("infer 1 -1", "Inference warmup must be >=0"),
        ("infer 1 0", "Input db has 0 bytes, expected 72"),
        ("db " + "00" * 39, "Command is longer than 80 characters"),
        ("x" * 5000, "Command is longer than 80 characters"),
    ],
)
def test_wrong_commands_are_refused_and_the_device_lives_on(
    ask: Ask, command: str, problem: str
) -> None:
    assert ask(command) == f"e-[{problem}]\r\nm-ready\r\n"
    assert ask("name").startswith("m-name-dut-")


def test_wrong_digits_are_refused(ask: Ask) -> None:
    ask("db load 4")
    assert ask("db 001") == "e-[Insufficent number of hex digits]\r\nm-ready\r\n"
    assert ask("db 0g") == "e-[Invalid hex digit '0g']\r\nm-ready\r\n"
    assert ask("db 00112233") == "m-load-done\r\nm-ready\r\n"
    assert ask("db 44").startswith("e-[No bytes are expected")
    assert ask("db print") == "m-buffer-00-11-22-33\r\nm-ready\r\n"


def test_no_noise_stops_the_device(artifact: Artifact) -> None:
    device = LiveDevice(artifact, board(BOARD))
    rng = np.random.default_rng(0)
    words = [b"db", b"load", b"print", b"name", b"results", b"7", b"-1", b"0g", b"zz", b"%", b" "]
    for _ in range(60):
        device.ask(rng.integers(0, 256, 300).astype(np.uint8).tobytes().replace(b"infer", b""))
        device.ask(b"".join(words[pick] for pick in rng.integers(0, len(words), 60)))
    assert device.ask(b"%name%").endswith(
        b"m-name-dut-[smidgen emulated nucleo-l4r5zi]\r\nm-ready\r\n"
    )


def test_a_task_decides_model_name_and_pixels(small_model: Path, artifact: Artifact) -> None:
    window = windows(1)[0]
    pixels = (window.astype(np.int16) + 128).astype(np.uint8)
    for task, raw in ((OWN, window), (TASKS["kws01"], window), (TASKS["vww01"], pixels)):
        ask = asker(LiveDevice(artifact, board(BOARD), task))
        assert f"m-model-[{task.name or 'keywords'}]" in ask("profile")
        load(ask, raw.tobytes())
        answer = ask("infer 2 0")
        assert results(answer) == pytest.approx(expected(small_model, window), abs=1e-5)


def autoencoder(element: str) -> bytes:
    """Ten numbers to four and back, in int8 or float32."""
    rng = np.random.default_rng(5)

    def dense(rows: int, columns: int) -> TensorSpec:
        if element == "float32":
            return TensorSpec(
                (rows, columns), "float32", data=rng.normal(size=(rows, columns)).astype("f4")
            )
        data = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
        return TensorSpec((rows, columns), "int8", 0.01, 0, data=data)

    def values(count: int, scale: float, zero_point: int) -> TensorSpec:
        if element == "float32":
            return TensorSpec((1, count), "float32")
        return TensorSpec((1, count), "int8", scale, zero_point)

    tensors = [
        values(10, 0.25, 3), dense(4, 10), values(4, 0.5, 0), dense(10, 4), values(10, 0.3, -7)
    ]  # fmt: skip
    layers = [([0, 1, -1], [2]), ([2, 3, -1], [4])]
    operators = [OperatorSpec("FULLY_CONNECTED", inputs, outputs, {}) for inputs, outputs in layers]
    return write_model(tensors, operators, [0], [4])


@pytest.mark.parametrize("name", [BOARD, "raspberry-pi-pico", "esp32-c3"])
def test_an_anomaly_is_scored_on_the_device(tmp_path: Path, name: str) -> None:
    path = tmp_path / "autoencoder.tflite"
    path.write_bytes(autoencoder("int8"))
    graph = smidgen.load(path)
    made = smidgen.compile(graph, name)
    ask = asker(LiveDevice(made, board(name), TASKS["ad01"]))
    for seed in range(4):
        features = np.random.default_rng(seed).normal(0, 20, 10).astype(np.float32)
        ratio = features.astype(np.float64) / 0.25
        rounded = np.copysign(np.floor(np.abs(ratio) + 0.5), ratio)
        quanta = np.clip(rounded + 3, -128, 127).astype(np.int8)
        output = Reference(graph).run([quanta[None]])[0].reshape(-1).astype(np.float64)
        load(ask, features.tobytes())
        wanted = np.mean(((output + 7) * 0.3 - features) ** 2)
        assert results(ask("infer 1 0")) == [pytest.approx(wanted, rel=1e-4)]


def test_an_anomaly_is_scored_for_a_model_of_floats(tmp_path: Path) -> None:
    path = tmp_path / "autoencoder.tflite"
    path.write_bytes(autoencoder("float32"))
    graph = smidgen.load(path)
    ask = asker(LiveDevice(smidgen.compile(graph, BOARD), board(BOARD), TASKS["ad01"]))
    for seed in range(3):
        features = np.random.default_rng(seed).normal(0, 20, (1, 10)).astype(np.float32)
        load(ask, features.tobytes())
        wanted = np.mean((Reference(graph).run([features])[0] - features).astype(np.float64) ** 2)
        assert results(ask("infer 1 0")) == [pytest.approx(wanted, rel=1e-4)]


def test_numbers_that_are_none_are_survived(tmp_path: Path) -> None:
    path = tmp_path / "autoencoder.tflite"
    path.write_bytes(autoencoder("int8"))
    ask = asker(LiveDevice(smidgen.compile(smidgen.load(path), BOARD), board(BOARD), TASKS["ad01"]))
    load(ask, np.array([np.nan, np.inf, -np.inf, 1e38, -1e38, 0, 1, 2, 3, 4], "f4").tobytes())
    assert np.isnan(results(ask("infer 1 0"))[0])


def test_a_float_model_answers_in_floats(tmp_path: Path) -> None:
    path = tmp_path / "autoencoder.tflite"
    path.write_bytes(autoencoder("float32"))
    graph = smidgen.load(path)
    ask = asker(LiveDevice(smidgen.compile(graph, BOARD), board(BOARD)))
    features = np.random.default_rng(1).normal(0, 20, (1, 10)).astype(np.float32)
    load(ask, features.tobytes())
    wanted = Reference(graph).run([features])[0].reshape(-1)
    assert results(ask("infer 1 0")) == pytest.approx(wanted.tolist(), rel=1e-5)


def test_a_classifier_is_no_anomaly_detector(artifact: Artifact) -> None:
    with pytest.raises(UnsupportedType, match="has the size of its input"):
        LiveDevice(artifact, board(BOARD), TASKS["ad01"])


@needs_data
def test_published_goldens_over_the_protocol() -> None:
    assert DATA is not None
    place = DATA / "models" / "cfu_golden" / "kws_dscnn"
    made = smidgen.compile(smidgen.load(place / "kws_ref_model.tflite"), BOARD)
    ask = asker(LiveDevice(made, board(BOARD), TASKS["kws01"]))
    for x, quanta in read_goldens(place, (1, 49, 10, 1))[:3]:
        load(ask, x.tobytes())
        assert results(ask("infer 1 0")) == pytest.approx((quanta + 128.0) / 256, abs=1e-5)


# -- the command: lines, several devices, errors


@contextmanager
def pty_client(place: str) -> Iterator[Ask]:
    handle = os.open(place, os.O_RDWR | os.O_NOCTTY)

    def receive() -> bytes:
        assert select.select([handle], [], [], SECONDS)[0], "the device does not answer"
        return os.read(handle, 4096)

    def ask(command: str) -> str:
        os.write(handle, command.encode() + b"%")
        return until_ready(receive)

    try:
        yield ask
    finally:
        os.close(handle)


@pytest.mark.parametrize("client", [tcp_client, pty_client])
def test_a_tool_on_a_line_gets_the_reference_results(
    folder: Path, small_model: Path, client: Callable[[str], AbstractContextManager[Ask]]
) -> None:
    window = windows(1)[0]
    line = ("--tcp", 0) if client is tcp_client else ("--pty",)
    with running(folder, *line) as (_, places):
        for _ in range(2):  # a second tool finds the device as the first one left it
            with client(places[0]) as ask:
                assert ask("name").startswith("m-name-dut-[smidgen")
                assert "m-model-[keywords]" in ask("profile")
                assert load(ask, window.tobytes()).startswith("m-load-done")
                answer = ask("infer 1 0")
                assert results(answer) == pytest.approx(expected(small_model, window), abs=1e-5)
                assert ask("db 0g").startswith("e-[")


@pytest.fixture(scope="module")
def slow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dense layer of 256 x 256 for a board of 32 MHz, which any computer outruns."""
    place = tmp_path_factory.mktemp("slow")
    weights = np.random.default_rng(2).integers(-127, 128, (256, 256)).astype(np.int8)
    tensors = [
        TensorSpec((1, 256), "int8", 0.1, 0),
        TensorSpec((256, 256), "int8", 0.01, 0, data=weights),
        TensorSpec((1, 256), "int8", 1.0, 0),
    ]
    dense = OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2], {})
    (place / "dense.tflite").write_bytes(write_model(tensors, [dense], [0], [2]))
    made = smidgen.compile(smidgen.load(place / "dense.tflite"), "nucleo-l073rz")
    made.write(place / "build")
    return place / "build"


@pytest.mark.parametrize("line", [("--tcp", 0), ("--pty",)])
def test_in_real_time_an_answer_comes_no_sooner_than_the_board_gives_it(
    slow_folder: Path, line: tuple[object, ...]
) -> None:
    client = tcp_client if "--tcp" in line else pty_client
    with running(slow_folder, "--real-time", *line) as (_, places), client(places[0]) as ask:
        load(ask, bytes(256))
        began_s = time.monotonic()
        answer = ask("infer 60 30")
        took_s = time.monotonic() - began_s
        started, ended = laps(answer)
        assert took_s >= 1.45 * (ended - started) * 1e-6
        assert ask("infer 0") == "e-[Inference iterations must be >0]\r\nm-ready\r\n"


@needs_qemu_user
@pytest.mark.parametrize("name", ["raspberry-pi-zero", "raspberry-pi-4", "k210"])
@pytest.mark.parametrize("client", [tcp_client, pty_client])
def test_a_linux_board_is_a_device_like_any_other(
    small_model: Path,
    tmp_path: Path,
    name: str,
    client: Callable[[str], AbstractContextManager[Ask]],
) -> None:
    place = tmp_path / "build"
    artifact = smidgen.compile(smidgen.load(small_model), name)
    artifact.write(place)
    window = windows(1)[0]
    line = ("--tcp", 0) if client is tcp_client else ("--pty",)
    with running(place, *line) as (process, places):
        with client(places[0]) as ask:
            assert ask("name").startswith(f"m-name-dut-[smidgen emulated {board(name).name}]")
            assert load(ask, window.tobytes()).startswith("m-load-done")
            answer = ask("infer 200 0")
        assert results(answer) == pytest.approx(expected(small_model, window), abs=1e-5)
        started, ended = laps(answer)
        cycles = smidgen.profile(artifact).modelled_cycles
        assert cycles is not None
        wanted_us = 200 * cycles / board(name).clock_hz * 1e6
        assert ended - started == pytest.approx(wanted_us, rel=0.05, abs=5)
        process.send_signal(signal.SIGINT)
        _, problems = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert re.fullmatch(r"timer: modelled cycles at \d+ MHz, \+-50 %\nstopped\n", problems)


def test_commands_sent_at_once_and_hung_up_on_are_all_answered(folder: Path) -> None:
    with running(folder, "--tcp", 0) as (_, places):
        host, _, port = places[0].partition(":")
        with socket.create_connection((host, int(port)), SECONDS) as line:
            line.sendall(b"name%\r\n" * 2000 + b"timestamp%")
            line.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: line.recv(4096), b""))
    assert said.count(b"m-name-dut-") == 2000
    assert said.count(READY) == 2001


def test_devices_side_by_side_have_states_of_their_own(folder: Path) -> None:
    with running(folder, "--tcp", 0, "--count", 3) as (_, places):
        assert len(set(places)) == 3
        with tcp_client(places[0]) as first, tcp_client(places[2]) as last:
            load(first, windows(1)[0].tobytes())
            assert "e-[Input db has 0 bytes, expected 72]" in last("infer 1 0")
            assert len(results(first("infer 1 0"))) == 4
            assert laps(first("timestamp")) > laps(last("timestamp"))


def test_an_interrupt_ends_it_well(folder: Path) -> None:
    with running(folder, "--tcp", 0) as (process, places):
        with tcp_client(places[0]) as ask:
            ask("name")
        process.send_signal(signal.SIGINT)
        _, problems = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert problems == "timer: modelled cycles at 120 MHz, +-15 %\nstopped\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["missing-folder"], "is no build folder"),
        (["BUILD", "--board", "esp32-devkitc"], "is not emulated"),
        (["BUILD", "--board", "nucleo-l4r5"], "did you mean nucleo-l4r5zi"),
        (["BUILD", "--task", "kws1"], "did you mean kws01"),
        (["BUILD", "--tcp", "70000"], "is not between 0 and 65535"),
        (["BUILD", "--tcp", "PORT"], "is in use; choose another"),
        (["BUILD", "--gdb", "PORT"], "is in use; choose another"),
        (["BUILD", "--gdb", "0", "--count", "2"], "serves one device; leave out --count"),
    ],
)
def test_problems_take_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {"BUILD": str(folder), "PORT": str(taken.getsockname()[1])}
        with pytest.raises(SystemExit) as ended:
            main(["device", *(given.get(each, each) for each in arguments)])
    said = capsys.readouterr()
    assert ended.value.code == 1 and not said.out
    assert problem in said.err and said.err.count("\n") == 1
