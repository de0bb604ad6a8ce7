"""What smidgen knows of cores and boards: one TOML file each, read into frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from smidgen.core.errors import UnknownName
from smidgen.targets.records import Record, read_toml

_HERE = Path(__file__).parent
_SERVES = ("code", "data", "both")
NOT_EMULATED = "none"
OWN_FOLDER = "boards"
ACTIVE_CURRENT, SLEEP_CURRENT, FLASH_WAITS = "active current", "sleep current", "flash wait states"
_UNKNOWN = (ACTIVE_CURRENT, SLEEP_CURRENT, FLASH_WAITS)
_STACK_BYTES = 8192
_REGION_ALIGNMENT_BYTES = 256


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core.

    `features` are of: thumb, thumb2, compressed (16-bit encodings), div, umull (64-bit products),
    rv32m (RV32 with multiplication and all 31 registers), unaligned (plain loads and stores at any
    address), dsp, fpu (single precision), fpu-double, mve, neon (Advanced SIMD of AArch64), dotprod
    (its dot products), atomic, avr (8 bits, with MULS), harvard (plain loads do not reach the
    flash). `system` is "linux" where programs run under it, else "". `zig_target` is "" where our
    own compiler does not serve the core; `gnu_compilers` are then the names of GNU compilers that
    do, to which `gnu_flags` name the core.

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
        """Whether it runs Thumb code."""
        return "thumb" in self.features

    @property
    def is_aarch64(self) -> bool:
        """Whether it runs the 64-bit code of Arm cores."""
        return self.isa.startswith("armv8") and self.word_bytes == 8

    @property
    def is_riscv(self) -> bool:
        """Whether it runs RISC-V code, of any width."""
        return self.isa.startswith("rv")

    @property
    def is_emulated(self) -> bool:
        """Whether an emulator here runs it, so that builds for it are verified."""
        return self.emulator != NOT_EMULATED


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """A range of addresses; `wait_states` are clocks of the core added to a read that goes there.

    One read brings `read_bytes`. With `prefetch` code is read ahead while it runs straight on.
    """

    name: str
    address: int
    bytes: int
    wait_states: int
    read_bytes: int = 4
    prefetch: bool = False
    source: str = ""

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.bytes


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache, or a buffer of a flash, before the memory regions named `regions`.

    It serves "code", "data" (loads and stores) or "both", and is filled by lines. `ways` is 0 where
    a line may go anywhere.
    """

    serves: str
    regions: tuple[str, ...]
    bytes: int
    line_bytes: int
    ways: int
    source: str = ""

    @property
    def ways_in_set(self) -> int:
        """Places that a line may go to."""
        return self.ways or self.bytes // self.line_bytes

    @property
    def sets(self) -> int:
        """Groups of places, chosen by address."""
        return self.bytes // self.line_bytes // self.ways_in_set


@dataclass(frozen=True, slots=True)
class Currents:
    """Supply currents of the chip alone: running at `clock_hz`, and asleep with RAM retained.

    Light-emitting diodes, regulators and debuggers of a board come on top. Boards that run Linux
    have those of the whole board, running and idle. None is not known. `estimated` says of which of
    "active" and "sleep" no public document was found to state it; `source` says how it came about.
    """

    active_ma: float | None
    sleep_ua: float | None
    volts: float
    clock_hz: int
    source: str
    estimated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A board that one can buy; code goes to the first flash region, data to the first RAM.

    `unknown` names the facts that no public document was found for: "active current", "sleep
    current" or "flash wait states", which are then taken to be none. `cycles_source` is where the
    clocks of its `core` are from if not those of other chips with that core ("").
    """

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
    caches: tuple[Cache, ...] = ()
    package: str = ""
    unknown: tuple[str, ...] = ()
    cycles_source: str = ""

    @property
    def waits_for_memory(self) -> bool:
        """Whether any of its memory has wait states."""
        return any(region.wait_states for region in (*self.flash, *self.ram))

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

    A name that ends in ".toml" is a file's. Boards of the user's own (`own_boards`) come before
    those of the catalogue. Raises UnknownName, and InputError for a wrong file.
    """
    if is_board_file(name):
        return load_board(name)
    known = {**_boards_by_name(), **_by_every_name(own_boards())}
    if name.lower() not in known:
        raise UnknownName("board", name, known)
    return known[name.lower()]


def is_board_file(name: str) -> bool:
    """Whether `name` means a board file of the user's own."""
    return name.lower().endswith(".toml")


def boards() -> tuple[Board, ...]:
    """All boards, by name: the user's own, then the catalogue."""
    own = own_boards()
    names = {each.name for each in own}
    return (*own, *(each for each in _boards() if each.name not in names))


def own_boards() -> tuple[Board, ...]:
    """The boards that files in the folder "boards" of the working folder describe.

    Raises InputError for a wrong file.
    """
    return tuple(load_board(path) for path in sorted(Path(OWN_FOLDER).glob("*.toml")))


def load_board(path: str | Path) -> Board:
    """A board of the user's own, from a TOML file like those in `boards/`.

    Raises:
        InputError: the file is unreadable, a field is missing, unknown or wrong, or it names a core
            that smidgen does not know.
    """
    fields = read_toml(Path(path)).only(
        "name", "aliases", "vendor", "mcu", "package", "core", "clock_hz", "source", "notes",
        "unknown", "flash", "ram", "cache", "currents", "cycles",
    )  # fmt: skip
    on, cycles_source = _core_of(fields)
    memories = _memories(fields, on.system == "linux")
    return Board(
        name=fields.text("name").lower(),
        aliases=tuple(alias.lower() for alias in fields.names("aliases")),
        vendor=fields.text("vendor", ""),
        mcu=fields.text("mcu", ""),
        core=on,
        clock_hz=fields.integer("clock_hz", minimum=1),
        **memories,
        caches=_caches(fields, [each.name for each in (*memories["flash"], *memories["ram"])]),
        currents=_currents(fields.table("currents")) if "currents" in fields.fields else None,
        source=fields.text("source", ""),
        notes=fields.text("notes", ""),
        package=fields.text("package", ""),
        unknown=_unknown(fields),
        cycles_source=cycles_source,
    )


def _unknown(fields: Record) -> tuple[str, ...]:
    names = fields.names("unknown")
    for name in names:
        if name not in _UNKNOWN:
            raise fields.problem("unknown", f"names {name!r}", f"known: {', '.join(_UNKNOWN)}")
    return names


def _core_of(fields: Record) -> tuple[Core, str]:
    """The core, with the clocks of the board's own chip where it has them, and their source."""
    try:
        found = core(fields.text("core"))
    except UnknownName as problem:
        raise fields.problem("core", str(problem)) from problem
    if "cycles" not in fields.fields:
        return found, ""
    own = fields.table("cycles").only("model", "error_percent", "source")
    error = own.integer("error_percent", minimum=1)
    timed = replace(found, cycle_model=own.text("model"), cycle_error_percent=error)
    return timed, own.text("source")


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
    fields.only(
        "name", "address", "bytes", "wait_states", "read_bytes", "prefetch", "source"
    )  # fmt: skip
    region = MemoryRegion(
        name=fields.text("name"),
        address=fields.integer("address"),
        bytes=fields.integer("bytes", minimum=64),
        wait_states=fields.integer("wait_states", 0),
        read_bytes=fields.integer("read_bytes", 4, minimum=1),
        prefetch=fields.flag("prefetch"),
        source=fields.text("source", ""),
    )
    if not region.name.isidentifier():
        raise fields.problem("name", f"is {region.name!r}, and must be letters, digits and _")
    if region.end > 1 << 32 or region.address % _REGION_ALIGNMENT_BYTES:
        why = f"must be a multiple of {_REGION_ALIGNMENT_BYTES} inside 32-bit memory"
        raise fields.problem("address", why)
    return region


def _caches(fields: Record, regions: list[str]) -> tuple[Cache, ...]:
    if "cache" not in fields.fields:
        return ()
    return tuple(_cache(each, regions) for each in fields.tables("cache"))


def _cache(fields: Record, regions: list[str]) -> Cache:
    fields.only("serves", "regions", "bytes", "line_bytes", "ways", "source")
    cache = Cache(
        serves=fields.text("serves"),
        regions=fields.names("regions"),
        bytes=fields.integer("bytes", minimum=4),
        line_bytes=fields.integer("line_bytes", minimum=4),
        ways=fields.integer("ways", 0),
        source=fields.text("source", ""),
    )
    if cache.serves not in _SERVES:
        raise fields.problem("serves", f"is {cache.serves!r}", f"known: {', '.join(_SERVES)}")
    unknown = [name for name in cache.regions if name not in regions]
    if unknown or not cache.regions:
        known = f"the regions are {', '.join(regions)}"
        raise fields.problem("regions", f"names {unknown or 'none'}", known)
    if cache.bytes % (cache.line_bytes * (cache.ways or 1)):
        raise fields.problem("bytes", "is no whole number of lines in each way")
    return cache


def _currents(fields: Record) -> Currents:
    fields.only("active_ma", "sleep_ua", "estimated", "volts", "clock_hz", "source")
    return Currents(
        active_ma=_optional(fields, "active_ma"),
        sleep_ua=_optional(fields, "sleep_ua"),
        volts=fields.number("volts"),
        clock_hz=fields.integer("clock_hz", minimum=1),
        source=fields.text("source"),
        estimated=_estimated(fields),
    )


def _estimated(fields: Record) -> tuple[str, ...]:
    named = fields.names("estimated") if "estimated" in fields.fields else ()
    for name in named:
        if name not in ("active", "sleep"):
            raise fields.problem("estimated", f"names {name!r}", "known: active, sleep")
    return named


def _optional(fields: Record, key: str) -> float | None:
    return fields.number(key) if key in fields.fields else None


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
    return MappingProxyType(_by_every_name(_boards()))


def _by_every_name(found: Iterable[Board]) -> dict[str, Board]:
    """Names come before aliases."""
    every = tuple(found)
    names = {alias: each for each in every for alias in each.aliases}
    return {**names, **{each.name: each for each in every}}


def _by_name(items: Iterable[Core]) -> Mapping[str, Core]:
    return MappingProxyType({item.name: item for item in items})
