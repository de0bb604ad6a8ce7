"""A debugger on an AVR: a client of our own, and avr-gdb where it is installed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import smidgen
from e2e.test_gdb import RUN, Desk, loading, without_time
from smidgen.emulate.gdb.machine import Killed
from support.avr import needs_avr
from support.gdb_client import GdbClient
from support.live import running, tcp_client

pytestmark = needs_avr
MEGA = "arduino-mega-2560"
STATUS, STACK_POINTER, PC = 32, 33, 34
needs_avr_gdb = pytest.mark.skipif(
    shutil.which("avr-gdb") is None, reason="avr-gdb is not installed (package gdb-avr)"
)


@pytest.fixture
def desk(small_model: Path) -> Iterator[Desk]:
    made = Desk(small_model, MEGA)
    yield made
    made.close()


def test_stepping_changes_neither_results_nor_time(desk: Desk) -> None:
    seen: list[int] = []

    def script(client: GdbClient) -> None:
        assert client.ask(b"Z0,%x,2" % desk.address(RUN)) == b"OK"
        client.send(b"c")
        assert client.receive().startswith(b"T05")
        assert client.number(PC) == desk.address(RUN)
        assert client.ask(b"z0,%x,2" % desk.address(RUN)) == b"OK"
        for _ in range(1500):
            assert client.ask(b"vCont;s:1").startswith(b"T05")
            seen.append(client.number(PC))
        inner = desk.firmware.function_at(seen[-1])
        assert inner
        span = (inner.address, inner.address + inner.bytes)
        assert client.ask(b"vCont;r%x,%x:1" % span).startswith(b"T05")
        assert not span[0] <= client.number(PC) < span[1]
        client.ask(b"D")

    commands = (*loading(), b"infer 1 0")
    answers = desk.debug(script, *commands)
    plain = [desk.plain.ask(each + b"%") for each in commands]
    assert list(map(without_time, answers)) == list(map(without_time, plain))
    assert desk.device.counts().instructions == desk.plain.counts().instructions
    assert desk.device.time_us == desk.plain.time_us
    assert len(set(seen)) > 50


def test_registers_flash_and_ram(desk: Desk) -> None:
    ram = desk.board.ram[0].address

    def script(client: GdbClient) -> None:
        everything = client.ask(b"g")
        assert len(everything) == 2 * (32 + 1 + 2 + 4)
        assert client.ask(b"G" + everything) == b"OK"
        assert client.ask(b"g") == everything
        for number, content in ((16, b"5a"), (STATUS, b"83"), (STACK_POINTER, b"0304")):
            assert client.ask(b"P%x=%s" % (number, content)) == b"OK"
            assert client.ask(b"p%x" % number) == content
        assert client.ask(b"G" + everything) == b"OK"
        assert client.ask(b"M%x,4:01020304" % ram) == b"OK"
        assert client.read(ram, 4) == bytes((1, 2, 3, 4))
        assert client.ask(b"M4,1:00") == b"E01"
        assert client.read(4, 4) == desk.firmware.code_bytes(4, 4)
        assert client.ask(b"m7f0000,4") == b"E01"
        assert client.ask(b"Z2,4,4") == b"E.0x4 is no RAM"
        assert client.ask(b"Z3,800100,1").startswith(b"E.simavr tells of changes only")
        assert "avr:6" in client.document(b"features:read:target.xml")
        client.ask(b"D")

    desk.debug(script)
    assert b"m-ready" in desk.device.ask(b"name%")


def test_watched_memory_stops_the_core_once_it_changes(desk: Desk) -> None:
    count = desk.address("smg_uart_tx_count")

    def script(client: GdbClient) -> None:
        assert client.ask(b"Z2,%x,4" % count) == b"OK"
        client.send(b"c")
        assert client.receive() == b"T05thread:1;watch:%x;" % count
        assert client.read(count, 4) != bytes(4)
        found = desk.firmware.function_at(client.number(PC))
        assert found and "smg_put" in found.name
        assert client.ask(b"z2,%x,4" % count) == b"OK"
        client.ask(b"D")

    (answer,) = desk.debug(script, b"name")
    assert answer.endswith(b"m-ready\r\n")


def test_reset_starts_the_device_anew_and_halted(desk: Desk) -> None:
    def script(client: GdbClient) -> None:
        client.ask(b"Z0,%x,2" % desk.address(RUN))
        client.send(b"c")
        client.receive()
        assert re.fullmatch(
            r"instructions [\d,]+\nmodelled cycles [\d,]+\n", client.monitor("cycles")
        )
        assert "reset" in client.monitor("help")
        assert "no such command" in client.monitor("fly")
        assert "anew" in client.monitor("reset")
        assert client.number(PC) == desk.address("smg_device_boot")
        assert client.monitor("cycles") == "instructions 0\nmodelled cycles 0\n"
        client.ask(b"D")

    answers = desk.debug(script, *loading(), b"infer 1 0", b"infer 1 0")
    assert answers[3].endswith(b"m-init-done\r\nm-ready\r\n")
    assert answers[4] == b"e-[Input db has 0 bytes, expected 72]\r\nm-ready\r\n"


def test_kill_ends_the_device(desk: Desk) -> None:
    with pytest.raises(Killed):
        desk.debug(lambda client: client.send(b"k"))


@needs_avr_gdb
def test_avr_gdb_shows_the_generated_source(small_model: Path, tmp_path: Path) -> None:
    artifact = smidgen.compile(smidgen.load(small_model), MEGA)
    folder = tmp_path / "build"
    artifact.write(folder)
    script = [f"break {RUN}", "continue", "next", "list", "backtrace", "finish", "detach"]
    with running(folder, "--board", MEGA, "--tcp", 0, "--gdb", 0) as (process, places):
        assert process.stdout
        line = process.stdout.readline().strip()
        assert line.startswith("gdb: avr-gdb ")
        words = shlex.split(line.removeprefix("gdb: "))
        words[1:1] = ["-nx", "-batch"]
        words += [word for each in script for word in ("-ex", each)]
        with tcp_client(places[0]) as ask, ThreadPoolExecutor(1) as pool:
            for command in loading():
                ask(command.decode())
            wanted = ask("infer 1 0")
            gdb = pool.submit(
                subprocess.run, words, capture_output=True, text=True, timeout=60, check=False
            )
            answers = [ask("infer 1 0")]
            while not gdb.done():  # it may have attached only after that
                answers.append(ask("infer 1 0"))
    said = gdb.result().stdout
    source = artifact.files["keywords.c"].splitlines()
    first = next(i for i, text in enumerate(source) if text.startswith(f"void {RUN}("))
    assert f"Breakpoint 1, {RUN} (arena=0x" in said, said + gdb.result().stderr
    assert f"{first + 2}\t{source[first + 1]}" in said
    assert re.search(r"^#1 .* in smg_device_infer \(\) at smg_mlperf.c", said, re.MULTILINE), said
    assert re.search(r"^#2 .* in smg_device_idle \(\) at smg_idle.c", said, re.MULTILINE)
    for answer in answers:
        assert re.findall("m-results.*", answer) == re.findall("m-results.*", wanted)
