"""What smidgen knows of cores and boards: one TOML file each, read into frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from smidgen.core.errors import UnknownName
from smidgen.targets.records import Record, read_toml

_HERE = Path(__file__).parent
_FETCHES = ("cache", "prefetch", "none")
NOT_EMULATED = "none"
_STACK_BYTES = 8192
_REGION_ALIGNMENT_BYTES = 256


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core.

    `features` are of: thumb, thumb2, compressed (16-bit encodings), div, umull (64-bit products),
    rv32m (RV32 with multiplication and all 31 registers), unaligned (plain loads and stores at any
    address), dsp, fpu (single precision), fpu-double, mve, atomic. `system` is "linux" where
    programs run under it, else ""; harvard (constants are read from RAM, because loads do not reach
    the flash). `zig_target` is "" where our own compiler does not serve the core; `gnu_compilers`
    are then the names of GNU compilers that do, to which `gnu_flags` name the core.

    `emulator` is "unicorn", "qemu", "qemu-user", "simavr" or "none", and then `not_emulated` says
    why; `emulator_model` is the emulator's name for the core; `emulator_note` says in what the
    emulation falls short of the core or its board ("": nothing is known). `cycle_model` names the
    table of cycles, whose figures may be off by `cycle_error_percent` either way (None without a
    table; docs/measuring.md derives it).
    """

    name: str
    isa: str
    features: frozenset[str]
    word_bytes: int
    endianness: str
    arena_alignment_bytes: int
    zig_target: str
    zig_mcpu: str
    emulator: str
    emulator_model: str
    cycle_model: str
    cycle_error_percent: int | None = None
    system: str = ""
    not_emulated: str = ""
    emulator_note: str = ""
    gnu_compilers: tuple[str, ...] = ()
    gnu_flags: tuple[str, ...] = ()

    @property
    def is_arm(self) -> bool:
        """Whether it runs Thumb code (otherwise RISC-V, as far as it is emulated)."""
        return "thumb" in self.features

    @property
    def is_emulated(self) -> bool:
        """Whether an emulator here runs it, so that builds for it are verified."""
        return self.emulator != NOT_EMULATED


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """A range of addresses; `wait_states` are clocks added to an access that goes there.

    `fetch` tells what stands before a flash: "cache", "prefetch" (a buffer that reads ahead) or
    "none".
    """

    name: str
    address: int
    bytes: int
    wait_states: int
    fetch: str = "cache"

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.bytes


@dataclass(frozen=True, slots=True)
class Currents:
    """Supply currents of the chip alone: running at `clock_hz`, and asleep with RAM retained.

    Light-emitting diodes, regulators and debuggers of a board come on top.
    """

    active_ma: float
    sleep_ua: float
    volts: float
    clock_hz: int
    source: str


@dataclass(frozen=True, slots=True)
class Board:
    """A board that one can buy; code goes to the first flash region, data to the first RAM."""

    name: str
    aliases: tuple[str, ...]
    vendor: str
    mcu: str
    core: Core
    clock_hz: int
    flash: tuple[MemoryRegion, ...]
    ram: tuple[MemoryRegion, ...]
    currents: Currents | None
    source: str
    notes: str

    @property
    def flash_bytes(self) -> int:
        """All flash together."""
        return sum(region.bytes for region in self.flash)

    @property
    def stack_bytes(self) -> int:
        """What is set apart for the stack in the first RAM, unless told otherwise."""
        return min(_STACK_BYTES, self.ram[0].bytes // 4)

    @property
    def ram_bytes(self) -> int:
        """All RAM together."""
        return sum(region.bytes for region in self.ram)


def core(name: str) -> Core:
    """The core called `name`; raises UnknownName."""
    known = _cores()
    if name.lower() not in known:
        raise UnknownName("core", name, known)
    return known[name.lower()]


def cores() -> tuple[Core, ...]:
    """All cores, by name."""
    return tuple(_cores().values())


def board(name: str) -> Board:
    """The board called `name`, or one of whose aliases it is, or that the file `name` describes.

    A name that ends in ".toml" is a file's. Raises UnknownName, and InputError for a wrong file.
    """
    if is_board_file(name):
        return load_board(name)
    known = _boards_by_name()
    if name.lower() not in known:
        raise UnknownName("board", name, known)
    return known[name.lower()]


def is_board_file(name: str) -> bool:
    """Whether `name` means a board file of the user's own."""
    return name.lower().endswith(".toml")


def boards() -> tuple[Board, ...]:
    """All boards, by name."""
    return _boards()


def load_board(path: str | Path) -> Board:
    """A board of the user's own, from a TOML file like those in `boards/`.

    Raises:
        InputError: the file is unreadable, a field is missing, unknown or wrong, or it names a core
            that smidgen does not know.
    """
    fields = read_toml(Path(path)).only(
        "name", "aliases", "vendor", "mcu", "core", "clock_hz", "source", "notes", "flash", "ram",
        "currents",
    )  # fmt: skip
    on = _core_of(fields)
    return Board(
        name=fields.text("name").lower(),
        aliases=tuple(alias.lower() for alias in fields.names("aliases")),
        vendor=fields.text("vendor", ""),
        mcu=fields.text("mcu", ""),
        core=on,
        clock_hz=fields.integer("clock_hz", minimum=1),
        **_memories(fields, on.system == "linux"),
        currents=_currents(fields.table("currents")) if "currents" in fields.fields else None,
        source=fields.text("source", ""),
        notes=fields.text("notes", ""),
    )


def _core_of(fields: Record) -> Core:
    try:
        return core(fields.text("core"))
    except UnknownName as problem:
        raise fields.problem("core", str(problem)) from problem


def _memories(fields: Record, has_system: bool) -> dict[str, tuple[MemoryRegion, ...]]:
    """The regions; what runs under an operating system need not name its flash."""
    wanted = [key for key in ("flash", "ram") if key in fields.fields or not has_system]
    memories: dict[str, tuple[MemoryRegion, ...]] = {"flash": (), "ram": ()}
    memories.update((key, tuple(map(_region, fields.tables(key)))) for key in wanted)
    for one, other in combinations(memories["flash"] + memories["ram"], 2):
        if one.name == other.name:
            raise fields.problem("flash, ram", f"has two regions called {one.name!r}")
        if one.address < other.end and other.address < one.end:
            raise fields.problem("flash, ram", f"regions {one.name} and {other.name} overlap")
    return memories


def _region(fields: Record) -> MemoryRegion:
    fields.only("name", "address", "bytes", "wait_states", "fetch")
    region = MemoryRegion(
        name=fields.text("name"),
        address=fields.integer("address"),
        bytes=fields.integer("bytes", minimum=64),
        wait_states=fields.integer("wait_states", 0),
        fetch=fields.text("fetch", "cache"),
    )
    if region.fetch not in _FETCHES:
        raise fields.problem("fetch", f"is {region.fetch!r}", f"known: {', '.join(_FETCHES)}")
    if not region.name.isidentifier():
        raise fields.problem("name", f"is {region.name!r}, and must be letters, digits and _")
    if region.end > 1 << 32 or region.address % _REGION_ALIGNMENT_BYTES:
        why = f"must be a multiple of {_REGION_ALIGNMENT_BYTES} inside 32-bit memory"
        raise fields.problem("address", why)
    return region


def _currents(fields: Record) -> Currents:
    fields.only("active_ma", "sleep_ua", "volts", "clock_hz", "source")
    return Currents(
        active_ma=fields.number("active_ma"),
        sleep_ua=fields.number("sleep_ua"),
        volts=fields.number("volts"),
        clock_hz=fields.integer("clock_hz", minimum=1),
        source=fields.text("source"),
    )


def _load_core(path: Path) -> Core:
    fields = read_toml(path)
    zig, emulator = fields.table("zig"), fields.table("emulator")
    kind = emulator.text("kind")
    error = emulator.integer("cycle_error_percent") if emulator.text("cycles", "") else None
    return Core(
        name=fields.text("name"),
        isa=fields.text("isa"),
        features=frozenset(fields.names("features")),
        word_bytes=fields.integer("word_bytes"),
        endianness=fields.text("endianness"),
        arena_alignment_bytes=fields.integer("arena_alignment_bytes", minimum=1),
        zig_target=zig.text("target"),
        zig_mcpu=zig.text("mcpu"),
        emulator=kind,
        emulator_model=emulator.text("model", ""),
        cycle_model=emulator.text("cycles", ""),
        cycle_error_percent=error,
        system=fields.text("system", ""),
        not_emulated=emulator.text("why") if kind == NOT_EMULATED else "",
        emulator_note=emulator.text("note", ""),
        gnu_compilers=fields.names("gnu_compilers"),
        gnu_flags=fields.names("gnu_flags"),
    )


@lru_cache(maxsize=1)
def _cores() -> Mapping[str, Core]:
    return _by_name(_load_core(path) for path in sorted((_HERE / "cores").glob("*.toml")))


@lru_cache(maxsize=1)
def _boards() -> tuple[Board, ...]:
    return tuple(load_board(path) for path in sorted((_HERE / "boards").glob("*.toml")))


@lru_cache(maxsize=1)
def _boards_by_name() -> Mapping[str, Board]:
    names = {each.name: each for each in _boards()}
    names.update((alias, each) for each in _boards() for alias in each.aliases)
    return MappingProxyType(names)


def _by_name(items: Iterable[Core]) -> Mapping[str, Core]:
    return MappingProxyType({item.name: item for item in items})
