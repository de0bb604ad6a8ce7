"""A debugger on emulated boards: a client of our own, and the real GDB where it is installed."""

from __future__ import annotations

import re
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import smidgen
from smidgen.emulate.gdb.machine import Killed
from smidgen.emulate.linked.firmware import Firmware, read_firmware
from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.live.lines import listen
from smidgen.targets.catalogue import board
from support.gdb_client import GdbClient, needs_gdb
from support.live import SECONDS, Ask, running, tcp_client
from support.qemu import needs_qemu, needs_qemu_user

M4, M0, RISCV = "nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3"
BOARDS = [M4, M0, "nucleo-f103rb", "lpc55s69-evk", "teensy-4.1", RISCV, "esp32-p4-function-ev"]
CORSTONE = "corstone-300"
ANYWHERE = [
    M4,
    pytest.param("raspberry-pi-4", marks=needs_qemu_user),
    pytest.param(CORSTONE, marks=needs_qemu),
]
LINUX = ["raspberry-pi-zero", "raspberry-pi-4", "sipeed-maix-bit"]
PC = {True: 15, False: 32}
ARGUMENT = {True: 0, False: 10}
RUN = "keywords_run"


class Desk:
    """A live device in this process, and the place where a debugger attaches to it."""

    def __init__(self, model: Path, board_name: str) -> None:
        self.board = board(board_name)
        artifact = smidgen.compile(smidgen.load(model), board_name)
        self.listener = listen(0)
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.device = LiveDevice(artifact, self.board, debugger=self.listener)
        self.plain = LiveDevice(artifact, self.board)
        self.firmware: Firmware = read_firmware(self.device.elf)
        self.pc, self.argument = PC[self.board.core.is_arm], ARGUMENT[self.board.core.is_arm]

    @property
    def breakpoint_bytes(self) -> int:
        """The `kind` by which GDB tells 16-bit Thumb breakpoints from others."""
        return 2 if "thumb" in self.board.core.features else 4

    def address(self, name: str) -> int:
        return self.firmware.symbols[name].address

    def debug(self, script: Callable[[GdbClient], object], *commands: bytes) -> list[bytes]:
        """Runs `script` beside the device, which is attached to and then told `commands`."""
        client = GdbClient(self.place)

        def attached() -> None:
            with client:
                script(client)

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(attached)
            self.device.attend()
            answers = [self.device.ask(command + b"%") for command in commands]
            while not done.done():
                self.idle()
            done.result()
        return answers

    def idle(self) -> None:
        """What a bench does while there is nothing to do."""
        select.select([self.device.debug_handle], [], [], self.device.attend_every_s or 0.01)
        self.device.attend()

    def close(self) -> None:
        self.device.close()
        self.plain.close()
        self.listener.close()


def window(seed: int = 3) -> bytes:
    draw = np.random.default_rng(seed).integers(-128, 128, 72)
    return draw.astype(np.int8).tobytes()


def loading() -> list[bytes]:
    raw = window()
    return [b"db load 72", b"db " + raw[:36].hex().encode(), b"db " + raw[36:].hex().encode()]


@pytest.fixture
def desk(small_model: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(small_model, getattr(request, "param", M4))
    yield made
    made.close()


def without_time(answer: bytes) -> bytes:
    return re.sub(rb"m-lap-us-\d+", b"m-lap-us", answer)


def instructions(device: LiveDevice) -> int:
    """Without those that print the time, whose number depends on the digits."""
    return sum(f.instructions for f in device.counts().functions if f.name != "smg_put_time")


def is_block(firmware: Firmware, address: int) -> bool:
    """Whether an IT instruction (not a hint) stands at `address`."""
    first = int.from_bytes(firmware.code_bytes(address, 2), "little")
    return first & 0xFF00 == 0xBF00 and first & 0xF != 0


# -- a client of our own


@pytest.mark.parametrize("desk", BOARDS, indirect=True)
def test_stepping_changes_neither_results_nor_time(desk: Desk) -> None:
    seen: list[int] = []

    def script(client: GdbClient) -> None:
        client.ask(b"?")
        assert client.ask(b"Z1,%x,2" % desk.address(RUN)) == b"OK"
        client.send(b"c")
        assert client.receive().startswith(b"T05")
        assert client.number(desk.pc) == desk.address(RUN)
        assert client.ask(b"z1,%x,2" % desk.address(RUN)) == b"OK"
        for _ in range(1500):
            assert client.ask(b"vCont;s:1").startswith(b"T05")
            seen.append(client.number(desk.pc))
        inner = desk.firmware.function_at(seen[-1])
        assert inner
        span = (inner.address, inner.address + inner.bytes)
        assert client.ask(b"vCont;r%x,%x:1" % span).startswith(b"T05")
        assert not span[0] <= client.number(desk.pc) < span[1]
        client.ask(b"D")

    commands = (*loading(), b"infer 1 0")
    answers = desk.debug(script, *commands)
    plain = [desk.plain.ask(each + b"%") for each in commands]
    assert list(map(without_time, answers)) == list(map(without_time, plain))
    assert instructions(desk.device) == instructions(desk.plain)
    assert desk.device.time_us == pytest.approx(desk.plain.time_us, rel=0.03, abs=2)
    assert len(set(seen)) > 50
    if "thumb2" in desk.board.core.features:
        assert any(is_block(desk.firmware, address) for address in seen)


@pytest.mark.parametrize("desk", BOARDS, indirect=True)
def test_the_target_describes_itself(desk: Desk) -> None:
    features = desk.board.core.features

    def script(client: GdbClient) -> None:
        assert b"qXfer:features:read+" in client.ask(b"qSupported:multiprocess+;xmlRegisters=i386")
        target = ElementTree.fromstring(client.document(b"features:read:target.xml"))
        registers = target.findall("feature/reg")
        names = [each.attrib["name"] for each in registers]
        assert ("fpscr" in names or "fcsr" in names) == ("fpu" in features)
        total = sum(int(each.attrib["bitsize"]) // 8 for each in registers)
        everything = client.ask(b"g")
        assert len(everything) == 2 * total
        assert client.ask(b"G" + everything) == b"OK"
        assert client.ask(b"g") == everything
        for each in registers:
            number = int(each.attrib["regnum"])
            assert len(client.ask(b"p%x" % number)) == int(each.attrib["bitsize"]) // 4
        regions = ElementTree.fromstring(client.document(b"memory-map:read:")).findall("memory")
        mapped = [(int(each.attrib["start"], 16), each.attrib["type"]) for each in regions]
        board_regions = [(each.address, "flash") for each in desk.board.flash]
        board_regions += [(each.address, "ram") for each in desk.board.ram]
        assert mapped == board_regions
        client.ask(b"D")

    desk.debug(script)


def test_registers_and_memory_are_written(desk: Desk) -> None:
    ram = desk.board.ram[0].address

    def script(client: GdbClient) -> None:
        assert client.ask(b"P4=78563412") == b"OK"
        assert client.ask(b"p4") == b"78563412"
        assert client.ask(b"P1a=000000000000f03f") == b"OK"  # d0 = 1.0
        assert client.ask(b"p1a") == b"000000000000f03f"
        assert client.ask(b"M%x,4:01020304" % ram) == b"OK"
        assert client.ask(b"X%x,3:\x7d\x03\x00\x7d\x5d" % (ram + 1)) == b"OK"  # # 00 }
        assert client.read(ram, 4) == b"\x01#\x00}"
        assert client.ask(b"X%x,0:" % ram) == b"OK"
        flash = desk.board.flash[0].address
        assert client.ask(b"M%x,1:00" % flash) == b"E01"
        assert client.read(flash, 4) == desk.firmware.code_bytes(flash, 4)
        assert client.ask(b"m7f000000,4") == b"E01"
        client.ask(b"D")

    desk.debug(script)


@pytest.mark.parametrize("desk", [M4, M0, RISCV], indirect=True)
@pytest.mark.parametrize(("kind", "said"), [(2, "watch"), (3, "rwatch"), (4, "awatch")])
def test_watched_memory_stops_the_core_once_it_is_reached(desk: Desk, kind: int, said: str) -> None:
    status = desk.address("smg_uart_tx_count")

    def script(client: GdbClient) -> None:
        before = client.read(status, 4)
        assert client.ask(b"Z%d,%x,4" % (kind, status)) == b"OK"
        client.send(b"c")
        assert client.receive() == f"T05thread:1;{said}:{status:x};".encode()
        assert (client.read(status, 4) != before) == (said == "watch")
        found = desk.firmware.function_at(client.number(desk.pc))
        assert found and found.name.startswith(("smg_device", "smg_put"))
        assert client.ask(b"z%d,%x,4" % (kind, status)) == b"OK"
        client.send(b"c")

    answers = desk.debug(script, b"name")
    assert answers == [desk.plain.ask(b"name%")]


@pytest.mark.parametrize("desk", [M4, "lpc55s69-evk", M0, RISCV], indirect=True)
def test_watching_changes_neither_results_nor_time(desk: Desk) -> None:
    """All that the model reads of its input is watched, conditional instructions among it."""
    stops: list[bytes] = []

    def script(client: GdbClient) -> None:
        client.ask(b"?")
        arena, count = desk.firmware.symbols["arena"].address, desk.firmware.symbols["arena"].bytes
        assert client.ask(b"Z4,%x,%x" % (arena, count)) == b"OK"
        for _ in range(300):
            client.send(b"c")
            stops.append(client.receive())
            assert stops[-1].startswith(b"T05thread:1;awatch:"), stops
        assert client.ask(b"z4,%x,%x" % (arena, count)) == b"OK"
        client.ask(b"D")

    commands = (*loading(), b"infer 1 0")
    answers = desk.debug(script, *commands)
    plain = [desk.plain.ask(each + b"%") for each in commands]
    assert list(map(without_time, answers)) == list(map(without_time, plain))
    assert instructions(desk.device) == instructions(desk.plain)
    assert len(set(stops)) > 50


def test_what_cannot_be_watched_is_refused(desk: Desk) -> None:
    ram = desk.board.ram[0]

    def script(client: GdbClient) -> None:
        assert client.ask(b"Z5,%x,4" % ram.address) == b""
        assert client.ask(b"Z2,%x,0" % ram.address) == b"E.no bytes to watch"
        assert client.ask(b"Z3,f0000000,4") == b"E.0xf0000000 is no memory of this board"
        assert client.ask(b"Z4,%x,ffffffffffff" % ram.address).startswith(b"E.")
        for index in range(8):
            kind, count = 2 + index % 3, 1 << 2 * index
            assert client.ask(b"Z%d,%x,%x" % (kind, ram.address + index, count)) == b"OK"
        assert client.ask(b"Z2,%x,1" % ram.address) == b"OK"  # is watched
        full = client.ask(b"Z2,%x,1" % (ram.address + 9))
        assert full == b"E.8 places are watched, which is the most"
        assert client.ask(b"z2,%x,1" % ram.address) == b"OK"
        assert client.ask(b"Z2,%x,1" % (ram.address + 9)) == b"OK"
        assert "8 watched places" in client.monitor("help")
        client.ask(b"D")

    desk.debug(script)


@pytest.mark.parametrize("desk", ANYWHERE, indirect=True)
def test_a_long_inference_is_interrupted_and_goes_on(desk: Desk) -> None:
    def script(client: GdbClient) -> None:
        client.send(b"c")
        client.line.sendall(b"\x03")
        assert client.receive().startswith(b"T02thread:")
        assert client.ask(b"g")
        client.send(b"c")

    commands = (*loading(), b"infer 200 0", b"timestamp")
    answers = desk.debug(script, *commands)
    assert answers == [desk.plain.ask(each + b"%") for each in commands]


LAST_WORDS = {
    "while it is stopped": b"", "while it runs": b"$c#63", "within a packet": b"$m2000",
    "without a checksum": b"$g#", "after garbage": bytes(range(256)) * 20, "while it is to answer":
    b"$g#67" * 50, "at once": b"\x03\x03",
}  # fmt: skip


@pytest.mark.parametrize("last_words", LAST_WORDS)
@pytest.mark.parametrize("desk", ANYWHERE, indirect=True)
def test_a_debugger_that_vanishes_leaves_a_running_device(desk: Desk, last_words: str) -> None:
    def script(client: GdbClient) -> None:
        assert client.ask(b"Z0,%x,%x" % (desk.address(RUN), desk.breakpoint_bytes)) == b"OK"
        client.send(b"c")
        client.receive()
        client.line.sendall(LAST_WORDS[last_words])
        client.line.close()

    commands = (*loading(), b"infer 3 0")
    wanted = [desk.plain.ask(each + b"%") for each in commands]
    answers = desk.debug(script, *commands)
    assert list(map(without_time, answers)) == list(map(without_time, wanted))
    answers = desk.debug(lambda client: client.ask(b"?"), *commands)  # the next one
    assert list(map(without_time, answers)) == list(map(without_time, wanted))


@pytest.mark.parametrize("desk", ANYWHERE, indirect=True)
def test_the_second_debugger_waits_until_the_first_has_left(desk: Desk) -> None:
    seen: list[str] = []

    def first(client: GdbClient) -> None:
        client.ask(b"?")
        with GdbClient(desk.place) as second:
            second.send(b"?")
            assert not select.select([second.line], [], [], 0.2)[0]
            seen.append("first")
            client.line.close()
            assert second.receive().startswith(b"T")
            seen.append("second")

    desk.debug(first)
    assert seen == ["first", "second"]
    assert desk.device.ask(b"name%") == desk.plain.ask(b"name%")


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
        assert client.number(desk.pc) == desk.address("smg_device_boot")
        assert client.monitor("cycles") == "instructions 0\nmodelled cycles 0\n"
        client.ask(b"D")

    answers = desk.debug(script, *loading(), b"infer 1 0", b"infer 1 0")
    assert answers[3].endswith(b"m-init-done\r\nm-ready\r\n")
    assert answers[4] == b"e-[Input db has 0 bytes, expected 72]\r\nm-ready\r\n"


@pytest.mark.parametrize("desk", ANYWHERE, indirect=True)
@pytest.mark.parametrize("command", [b"k", b"vKill;1"])
def test_kill_ends_the_device(desk: Desk, command: bytes) -> None:
    def script(client: GdbClient) -> None:
        client.send(command)
        while client.line.recv(4096):
            pass

    with pytest.raises(Killed):
        desk.debug(script)
        desk.idle()


def test_a_fault_can_be_looked_at(desk: Desk) -> None:
    def script(client: GdbClient) -> None:
        client.ask(b"Z0,%x,2" % desk.address(RUN))
        client.send(b"c")
        client.receive()
        client.ask(b"P%x=00000000" % desk.argument)
        client.send(b"c")
        assert client.receive().startswith(b"T0b")
        assert desk.firmware.function_at(client.number(desk.pc))
        client.send(b"c")

    with pytest.raises(smidgen.SmidgenError, match=r"keywords_run|smg_device_infer"):
        desk.debug(script, *loading(), b"infer 1 0")


def noise() -> list[bytes]:
    rng = np.random.default_rng(7)
    heads = b"?gGpPmMXZzcsHTDqQvk$#+-\x03}"
    texts = [bytes(rng.integers(0, 256, 60).astype(np.uint8)) for _ in range(60)]
    return [
        b"$" * 70_000, b"$m0,ffffffffffffffff#7d", b"#" * 100, b"$#00", b"$p#70", b"$P1a#zz",
        *(bytes([heads[index % len(heads)]]) + text for index, text in enumerate(texts)),
    ]  # fmt: skip


@pytest.mark.parametrize("desk", [*ANYWHERE, RISCV], indirect=True)
def test_no_noise_harms_the_device(desk: Desk) -> None:
    packets = [
        b"m", b"m,", b"m0", b"m-1,4", b"m0x10,4", b"m 1,4", b"mffffffffffffffffff,4", b"M0,4:zz",
        b"M20000000,4:00", b"X20000000,9:00", b"p", b"pfff", b"P", b"P=", b"P1=", b"P1=zz", b"G",
        b"G00", b"Gzz", b"Z", b"Z9,0,0", b"Z0", b"Z0,zz,4", b"z2,1,1", b"z0,1,2", b"vCont;",
        b"vCont;x", b"vCont;r", b"vCont;r1", b"vCont;rzz,1", b"qXfer:features:read:target.xml:",
        b"qXfer:features:read:other.xml:0,10", b"qXfer:memory-map:read::fffffff,fff", b"qRcmd,",
        b"qRcmd,zz", b"qRcmd,ff", b"qCRC:0,4", b"vMustReplyEmpty", b"\x00", b"\xff" * 900, b"czz",
        b"szz", b"b", b"R00", b"!", b"m20000000,0",
    ]  # fmt: skip

    def script(client: GdbClient) -> None:
        for packet in packets:
            assert client.ask(b"?").startswith(b"T"), packet
            if not re.match(rb"vCont;r?$|vCont;x", packet):
                reply = client.ask(packet)
                while reply.startswith(b"O") and reply != b"OK":  # what a monitor prints
                    reply = client.receive()
                assert len(reply) < 0x4000, packet
        assert client.ask(b"vCont;x") == b"E01"
        for raw in noise():
            client.line.sendall(raw)
        client.line.sendall(b"#00")

    desk.debug(script, b"name")
    assert desk.device.ask(b"name%") == desk.plain.ask(b"name%")


# -- the whole process


def children(process: int) -> list[Path]:
    """The places under /proc of the processes that it has started."""
    said = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [Path("/proc", each) for each in said.split()]


def has_ended(process: Path) -> bool:
    try:
        return "State:\tZ" in (process / "status").read_text()
    except OSError:
        return True


@pytest.mark.skipif(
    not Path("/proc/self/task").exists() or shutil.which("setpriv") is None,
    reason="no /proc to find processes in, or no setpriv (util-linux)",
)
@pytest.mark.parametrize("name", ANYWHERE)
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("then", [b"", b"c"])
def test_nothing_stays_behind_when_the_device_ends(
    small_model: Path, tmp_path: Path, name: str, end: signal.Signals, then: bytes
) -> None:
    """Whether its debugger has stopped it or lets it run."""
    folder = tmp_path / "build"
    smidgen.compile(smidgen.load(small_model), name).write(folder)
    with running(folder, "--board", name, "--tcp", 0, "--gdb", 0) as (process, _):
        assert process.stdout
        place = process.stdout.readline().split()[-1].rstrip("'")
        started = children(process.pid)
        assert bool(started) == (name != M4)
        with GdbClient(place) as client:
            assert client.ask(b"?").startswith(b"T")
            if then:
                client.send(then)
            process.send_signal(end)
            assert process.wait(SECONDS) == (0 if end == signal.SIGINT else -end)
            deadline = time.monotonic() + SECONDS
            while not all(map(has_ended, started)):
                assert time.monotonic() < deadline, "QEMU stays behind"


# -- the real one


@needs_gdb
@pytest.mark.parametrize("name", [M4, M0, RISCV])
def test_gdb_watches_reads_and_changes(small_model: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "build"
    smidgen.compile(smidgen.load(small_model), name).write(folder)
    script = [
        "watch command_length", "continue", "delete", "rwatch loaded_bytes", "continue", "delete",
        "awatch smg_device_status", "continue", "delete", "detach",
    ]  # fmt: skip
    with attached_to(folder, name) as (process, ask):
        gdb, answers = gdb_beside(process, script, lambda: ask("db 00"))
    changed = r"^Hardware watchpoint 1: command_length\s+Old value = 0\s+New value = 1\n"
    assert re.search(changed, gdb.stdout, re.MULTILINE), gdb.stdout + gdb.stderr
    read = r"^Hardware read watchpoint 2: loaded_bytes\s+Value = 0\n"
    assert re.search(read, gdb.stdout, re.MULTILINE), gdb.stdout + gdb.stderr
    reached = r"^Hardware access \(read/write\) watchpoint 3: smg_device_status"
    assert re.search(reached, gdb.stdout, re.MULTILINE), gdb.stdout + gdb.stderr
    assert all(answer.startswith("e-[No bytes are expected") for answer in answers)


@needs_gdb
@pytest.mark.parametrize("name", [M4, M0, RISCV, "esp32-p4-function-ev"])
def test_gdb_shows_the_generated_source(small_model: Path, tmp_path: Path, name: str) -> None:
    debugged_by_gdb(small_model, tmp_path, name)


@needs_gdb
@needs_qemu_user
@pytest.mark.parametrize("name", LINUX)
def test_gdb_attaches_to_a_linux_board(small_model: Path, tmp_path: Path, name: str) -> None:
    debugged_by_gdb(small_model, tmp_path, name)


@needs_gdb
@needs_qemu
def test_gdb_attaches_to_qemu(small_model: Path, tmp_path: Path) -> None:
    debugged_by_gdb(small_model, tmp_path, "corstone-300")


@contextmanager
def attached_to(folder: Path, board_name: str) -> Iterator[tuple[subprocess.Popen[str], Ask]]:
    """A device that GDB may attach to, and its line."""
    arguments = ("--board", board_name, "--tcp", 0, "--gdb", 0)
    with running(folder, *arguments) as (process, places), tcp_client(places[0]) as ask:
        yield process, ask


def gdb_beside(
    process: subprocess.Popen[str], script: list[str], work: Callable[[], str]
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Runs GDB by the command that the device prints, and lets the device work until it is done."""
    assert process.stdout
    line = process.stdout.readline().strip()
    assert line.startswith("gdb: gdb-multiarch ")
    words = shlex.split(line.removeprefix("gdb: "))
    words[1:1] = ["-nx", "-batch"]
    words += [word for each in script for word in ("-ex", each)]
    with ThreadPoolExecutor(1) as pool:
        gdb = pool.submit(
            subprocess.run, words, capture_output=True, text=True, timeout=60, check=False
        )
        answers = [work()]
        while not gdb.done():  # it may have attached only after that
            answers.append(work())
    return gdb.result(), answers


def debugged_by_gdb(small_model: Path, tmp_path: Path, name: str) -> None:
    """Breaks at the model, lists and steps its source, prints, finishes; results stay the same."""
    artifact = smidgen.compile(smidgen.load(small_model), name)
    folder = tmp_path / "build"
    artifact.write(folder)
    script = [
        f"break {RUN}", "continue", "info args", "list", "step", "info registers pc sp",
        "backtrace", "finish", "stepi", "delete", "detach",
    ]  # fmt: skip
    with attached_to(folder, name) as (process, ask):
        for command in loading():
            ask(command.decode())
        wanted = ask("infer 1 0")
        gdb, answers = gdb_beside(process, script, lambda: ask("infer 1 0"))
    said = gdb.stdout
    source = artifact.files["keywords.c"].splitlines()
    first = next(i for i, text in enumerate(source) if text.startswith(f"void {RUN}("))
    assert f"Breakpoint 1, {RUN} (arena=0x" in said, said + gdb.stderr
    assert f"{first + 2}\t{source[first + 1]}" in said
    assert re.search(rf"^#1 .* in {RUN} \(arena=0x", said, re.MULTILINE), said
    assert "smg_device_infer () at smg_mlperf.c" in said
    assert re.search(r"^pc +0x[0-9a-f]+", said, re.MULTILINE)
    behind = said.rpartition("smg_device_infer () at smg_mlperf.c")[2]
    assert re.search(rf"{RUN} \(arena=0x\w+ <arena>\) at keywords.c", behind), said
    for answer in answers:
        assert re.findall("m-results.*", answer) == re.findall("m-results.*", wanted)
