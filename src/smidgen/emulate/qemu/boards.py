"""The boards that QEMU emulates: one for each core, with room for any model.

Memory maps and counters are those of Arm's FPGA images AN385, AN386, AN500, AN505 and AN547
(Application Notes DAI 0385, 0386, 0500, 0505, DAI 0547: memory map; FPGA system control and I/O).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from smidgen.core.errors import EmulationError
from smidgen.targets.catalogue import Board, Core, MemoryRegion

_MEGABYTE = 1 << 20
_MONITOR_BYTES = 1 << 16
_COUNTERS_OFFSET = 0x14
"""CLK100HZ, and behind it COUNTER, in the FPGA's system control block."""
SLOW_HZ = 100


@dataclass(frozen=True, slots=True)
class QemuBoard:
    """One of QEMU's machines.

    Code goes to `code`, stack and data to `ram`. `spare` is memory of three times the size of `ram`
    for the monitor and for copies. The vector table lies at `vectors`; the counters are at
    `counters`, the fast one ticking at `fast_hz`.
    """

    machine: str
    code: MemoryRegion
    ram: MemoryRegion
    spare: MemoryRegion
    vectors: int
    counters: int
    fast_hz: int

    @property
    def copies(self) -> tuple[int, int]:
        """Addresses of two areas as large as `ram`."""
        return (self.spare.address + self.ram.bytes, self.spare.address + 2 * self.ram.bytes)

    def host_of(self, board: Board) -> Board:
        """`board`'s core with this machine's memory, to link for."""
        monitor = MemoryRegion("monitor", self.spare.address, _MONITOR_BYTES, 0)
        return replace(board, flash=(self.code,), ram=(self.ram, monitor))


def _board(
    machine: str, *, vectors: int, code: int, ram: int, spare: int, io: int, fast_hz: int
) -> QemuBoard:
    return QemuBoard(
        machine=machine,
        code=MemoryRegion("code", code, 2 * _MEGABYTE, 0),
        ram=MemoryRegion("ram", ram, 4 * _MEGABYTE, 0),
        spare=MemoryRegion("spare", spare, 12 * _MEGABYTE, 0),
        vectors=vectors,
        counters=io + _COUNTERS_OFFSET,
        fast_hz=fast_hz,
    )


def _mps2(machine: str, spare: int = 0x2100_0000) -> QemuBoard:
    return _board(
        machine,
        vectors=0,
        code=0x0001_0000,  # the linker puts the ELF header before the code, on a page of 64 KB
        ram=0x2000_0000,
        spare=spare,
        io=0x4002_8000,
        fast_hz=25_000_000,
    )


_AN505 = _board(
    "mps2-an505",
    vectors=0x1000_0000,
    code=0x1001_0000,
    ram=0x3800_0000,
    spare=0x8000_0000,
    io=0x4030_2000,
    fast_hz=20_000_000,
)
_AN547 = _board(
    "mps3-an547",
    vectors=0,
    code=0x0100_0000,
    ram=0x2100_0000,
    spare=0x6000_0000,
    io=0x4930_2000,
    fast_hz=20_000_000,
)
_BOARDS: Mapping[str, QemuBoard] = MappingProxyType(
    {
        "cortex-m3": _mps2("mps2-an385"),
        "cortex-m4f": _mps2("mps2-an386"),
        "cortex-m7f": _mps2("mps2-an500", spare=0x6000_0000),
        "cortex-m33f": _AN505,
        "cortex-m55": _AN547,
        # Armv8.1-M with Helium as the M55; QEMU has no M85, and code for it uses nothing more.
        "cortex-m85": _AN547,
    }
)


def qemu_board(core: Core) -> QemuBoard:
    """The machine that has `core`; raises EmulationError when QEMU has none."""
    if core.name not in _BOARDS:
        raise EmulationError(
            f"core {core.name!r}",
            "QEMU has no board with it that smidgen drives",
            f"cores on QEMU: {', '.join(sorted(_BOARDS))}",
        )
    return _BOARDS[core.name]
