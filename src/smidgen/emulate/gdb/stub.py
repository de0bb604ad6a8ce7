"""The answers of a core to GDB: "Debugging with GDB", appendix E, GDB Remote Serial Protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from smidgen.core.errors import EmulationError
from smidgen.emulate.gdb.control import Go, Reason, Stop, Stops, Watched
from smidgen.emulate.gdb.registers import Register
from smidgen.emulate.remote.packets import PACKET_BYTES

_HEX = re.compile(rb"[0-9a-fA-F]{1,16}")
_ADDRESS_MASK = 0xFFFF_FFFF
_OK, _ERROR, _UNKNOWN = b"OK", b"E01", b""
_FEATURES = (
    f"PacketSize={PACKET_BYTES:x};qXfer:features:read+;qXfer:memory-map:read+;"
    "QStartNoAckMode+;swbreak+;hwbreak+;vContSupported+"
).encode()
# Signals as GDB numbers them (include/gdb/signals.def).
_SIGNALS = {Reason.INTERRUPTED: 2, Reason.UNDEFINED: 4, Reason.FAULT: 11}
_TRAP_SIGNAL = 5
_CODE_STOPS = (0, 1)
_WATCHES: Mapping[int, Watched] = MappingProxyType(
    {2: Watched.CHANGES, 3: Watched.LOADS, 4: Watched.ACCESSES}
)
_WATCH_WORDS: Mapping[Watched, bytes] = MappingProxyType(
    {Watched.CHANGES: b"watch", Watched.LOADS: b"rwatch", Watched.ACCESSES: b"awatch"}
)


class Target(Protocol):
    """What a debugger reaches of a machine."""

    registers: tuple[Register, ...]
    description: str
    memory_map: str

    @property
    def control(self) -> Stops:
        """Where the core is to stop."""

    def read_register(self, register: Register) -> bytes:
        """Its content, little-endian."""

    def write_register(self, register: Register, content: bytes) -> None:
        """Sets it."""

    def read_memory(self, address: int, count: int) -> bytes:
        """At most `count` bytes, at least one; raises EmulationError where there are none."""

    def write_memory(self, address: int, content: bytes) -> None:
        """Raises EmulationError for what is no RAM."""

    def code_address(self, address: int) -> int:
        """`address` without the bit that marks Thumb code."""

    def monitor(self, command: str) -> str | None:
        """What a `monitor` command prints; None for an unknown one."""


class Ending(Enum):
    """What else than going on a debugger may want."""

    DETACH = "let the device go on without a debugger"
    KILL = "end the device"
    RESET = "power the device up again, and stop it at its first instruction"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply (None: none yet), and what then happens to the core (None: it stays stopped)."""

    reply: bytes | None
    then: Go | Ending | None = None


class Stub:
    """Answers GDB's packets while the core is stopped. Nothing that is asked raises an error."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._by_number = {each.number: each for each in target.registers}
        self.stop = Stop(Reason.INTERRUPTED)

    def answer(self, packet: bytes) -> Answer:
        """The answer to `packet`; an empty reply tells GDB that it is not known here."""
        prefix = next((prefix for prefix in _ANSWERS if packet.startswith(prefix)), None)
        if prefix is None:
            return Answer(_UNKNOWN)
        answer = _ANSWERS[prefix]
        if isinstance(answer, Answer):
            return answer
        try:
            found = answer(self, packet[len(prefix) :])
        except (ValueError, EmulationError):
            return Answer(_ERROR)
        return found if isinstance(found, Answer) else Answer(found)

    def stop_reply(self) -> bytes:
        """What tells GDB why the core stands still."""
        signal = b"T%02xthread:1;" % _SIGNALS.get(self.stop.reason, _TRAP_SIGNAL)
        if self.stop.reason is Reason.BREAKPOINT:
            return signal + b"hwbreak:;"
        if self.stop.reason is Reason.WATCHED:
            return signal + b"%s:%x;" % (_WATCH_WORDS[self.stop.watched], self.stop.address)
        return signal

    # -- registers and memory

    def _read_registers(self, rest: bytes) -> bytes:
        del rest
        return b"".join(map(self._target.read_register, self._target.registers)).hex().encode()

    def _write_registers(self, rest: bytes) -> bytes:
        content, at = _bytes(rest), 0
        if len(content) != sum(each.bytes for each in self._target.registers):
            raise ValueError
        for register in self._target.registers:
            self._target.write_register(register, content[at : at + register.bytes])
            at += register.bytes
        return _OK

    def _read_register(self, rest: bytes) -> bytes:
        return self._target.read_register(self._register(rest)).hex().encode()

    def _write_register(self, rest: bytes) -> bytes:
        number, _, digits = rest.partition(b"=")
        register, content = self._register(number), _bytes(digits)
        if len(content) != register.bytes:
            raise ValueError
        self._target.write_register(register, content)
        return _OK

    def _register(self, digits: bytes) -> Register:
        found = self._by_number.get(_number(digits))
        if found is None:
            raise ValueError
        return found

    def _read_memory(self, rest: bytes) -> bytes:
        address, count = _span(rest)
        if count == 0:
            return _UNKNOWN
        most = min(count, PACKET_BYTES // 2)
        return self._target.read_memory(address, most).hex().encode()

    def _write_memory(self, rest: bytes) -> bytes:
        return self._write(rest, _bytes)

    def _write_binary(self, rest: bytes) -> bytes:
        return self._write(rest, bytes)

    def _write(self, rest: bytes, decode: Callable[[bytes], bytes]) -> bytes:
        place, _, raw = rest.partition(b":")
        address, count = _span(place)
        content = decode(raw)
        if len(content) != count:
            raise ValueError
        if content:
            self._target.write_memory(address, content)
        return _OK

    # -- stops

    def _insert(self, rest: bytes) -> bytes:
        kind, address, count = _stop_request(rest)
        if kind in _CODE_STOPS:
            self._target.control.add_breakpoint(self._target.code_address(address))
            return _OK
        if kind in _WATCHES:
            return self._watch(_WATCHES[kind], address, count)
        return _UNKNOWN

    def _watch(self, what: Watched, address: int, count: int) -> bytes:
        if count == 0:
            return _error("no bytes to watch")
        for end in (address, address + count - 1):
            if not self._has_memory(end):
                return _error(f"{end:#x} is no memory of this board")
        refusal = self._target.control.watch(what, address, count)
        return _error(refusal) if refusal else _OK

    def _has_memory(self, address: int) -> bool:
        try:
            return bool(self._target.read_memory(address, 1))
        except EmulationError:
            return False

    def _remove(self, rest: bytes) -> bytes:
        kind, address, count = _stop_request(rest)
        if kind in _CODE_STOPS:
            self._target.control.remove_breakpoint(self._target.code_address(address))
            return _OK
        if kind in _WATCHES:
            self._target.control.unwatch(_WATCHES[kind], address, count)
            return _OK
        return _UNKNOWN

    # -- going on

    def _continue(self, rest: bytes) -> Answer:
        self._jump(rest)
        return Answer(None, Go())

    def _step(self, rest: bytes) -> Answer:
        self._jump(rest)
        return Answer(None, Go(is_step=True))

    def _jump(self, digits: bytes) -> None:
        if digits:
            pc = next(each for each in self._target.registers if each.name == "pc")
            address = _number(digits) & _ADDRESS_MASK
            self._target.write_register(pc, address.to_bytes(pc.bytes, "little"))

    def _resume(self, rest: bytes) -> Answer:
        """There is one thread, so the first action is its own; signals are not delivered."""
        action = rest.lstrip(b";").split(b";")[0].split(b":")[0]
        if action[:1] in (b"c", b"C"):
            return Answer(None, Go())
        if action[:1] in (b"s", b"S"):
            return Answer(None, Go(is_step=True))
        if action[:1] == b"r":
            start, end = (_number(each) & _ADDRESS_MASK for each in action[1:].split(b","))
            return Answer(None, Go(is_step=True, span=range(start, end)))
        return Answer(_ERROR)

    # -- questions

    def _why(self, rest: bytes) -> bytes:
        del rest
        return self.stop_reply()

    def _description(self, rest: bytes) -> bytes:
        return _part(self._target.description, rest)

    def _memory_map(self, rest: bytes) -> bytes:
        return _part(self._target.memory_map, rest)

    def _monitor(self, rest: bytes) -> Answer:
        command = _bytes(rest).decode("ascii", "replace").strip()
        if command == "reset":
            return Answer(_text("the device starts anew\n"), Ending.RESET)
        said = self._target.monitor(command)
        return Answer(_text(said if said is not None else f"no such command: {command}\n"))


def _error(why: str) -> bytes:
    """An error in words, which newer versions of GDB print."""
    return b"E." + why.encode("ascii")


def _number(digits: bytes) -> int:
    """Hexadecimal digits and nothing else; raises ValueError."""
    if not _HEX.fullmatch(digits):
        raise ValueError("not hexadecimal")
    return int(digits, 16)


def _span(text: bytes) -> tuple[int, int]:
    address, count = (_number(part) for part in text.split(b","))
    return address, count


def _bytes(digits: bytes) -> bytes:
    return bytes.fromhex(digits.decode("ascii"))


def _stop_request(rest: bytes) -> tuple[int, int, int]:
    """Kind, address and bytes; conditions behind them are not offered, so none should come."""
    kind, address, count = (_number(part) for part in rest.split(b";")[0].split(b","))
    return kind, address, count


def _part(document: str, rest: bytes) -> bytes:
    """`offset,length` of a document: "m" before a part, "l" before the last one."""
    offset, length = _span(rest)
    raw = document.encode()
    piece = raw[offset : offset + min(length, PACKET_BYTES // 2)]
    return (b"l" if offset + len(piece) >= len(raw) else b"m") + piece


def _text(said: str) -> bytes:
    return said.encode("ascii", "replace")[: PACKET_BYTES // 2].hex().encode()


# The longest prefixes first.
_ANSWERS: Mapping[bytes, Answer | Callable[[Stub, bytes], bytes | Answer]] = MappingProxyType({
    b"qXfer:features:read:target.xml:": Stub._description,
    b"qXfer:memory-map:read::": Stub._memory_map,
    b"qSupported": Answer(_FEATURES),
    b"QStartNoAckMode": Answer(_OK),
    b"qfThreadInfo": Answer(b"m1"),
    b"qsThreadInfo": Answer(b"l"),
    b"qAttached": Answer(b"1"),
    b"qSymbol": Answer(_OK),
    b"qRcmd,": Stub._monitor,
    b"qCRC:": Answer(_UNKNOWN),
    b"qC": Answer(b"QC1"),
    b"vCont?": Answer(b"vCont;c;C;s;S;r"),
    b"vCont": Stub._resume,
    b"vKill": Answer(_OK, Ending.KILL),
    b"?": Stub._why,
    b"g": Stub._read_registers,
    b"G": Stub._write_registers,
    b"p": Stub._read_register,
    b"P": Stub._write_register,
    b"m": Stub._read_memory,
    b"M": Stub._write_memory,
    b"X": Stub._write_binary,
    b"Z": Stub._insert,
    b"z": Stub._remove,
    b"c": Stub._continue,
    b"s": Stub._step,
    b"H": Answer(_OK),
    b"T": Answer(_OK),
    b"D": Answer(_OK, Ending.DETACH),
    b"k": Answer(None, Ending.KILL),
})  # fmt: skip
