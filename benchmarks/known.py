"""Programs of others whose clocks were published for many chips, run on an emulated core.

CoreMark (EEMBC) and a program that counts primes (Bruce Hoult). Neither is part of this project:
their sources are read from where the caller has them. They are compiled by our own compiler or, as
most published figures were, by GCC, where one for the core is on PATH.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smidgen.emulate.emulators import EmulatedMachine, open_machine, why_not_at_hand
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.timing.cycles import Counts
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.ample import ample
from smidgen.targets.catalogue import Board, Core
from smidgen.targets.linker import linker_script

CLANG, GCC = "clang", "gcc"
_PORT = Path(__file__).with_name("coremark")
_PARTS = ("core_list_join.c", "core_main.c", "core_matrix.c", "core_state.c", "core_util.c",
          "coremark.h")  # fmt: skip
_COREMARK_ENTRIES = ("smg_coremark_run", "smg_coremark_prepare", "smg_coremark_crcs")
_CRCS = (0xE714, 0x1FD7, 0x8E3A)
"""Of lists, matrices and states in a 2K performance run, as CoreMark itself checks them."""
_ITERATIONS = 3
_PRIMES_FOUND = 3_713_160
_LIMIT = 10**12
_NO_WARNINGS = (
    '#pragma GCC diagnostic ignored "-Wunknown-warning-option"\n'
    '#pragma clang diagnostic ignored "-Weverything"\n'
)
_ARM, _RISCV = "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"
# By core: the compiler and how it is told of the core.
_GCC: Mapping[str, tuple[str, ...]] = {
    "cortex-m0": (_ARM, "-mthumb", "-mcpu=cortex-m0"),
    "cortex-m0plus": (_ARM, "-mthumb", "-mcpu=cortex-m0plus"),
    "cortex-m3": (_ARM, "-mthumb", "-mcpu=cortex-m3"),
    "cortex-m4f": (_ARM, "-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=hard"),
    "cortex-m7f": (_ARM, "-mthumb", "-mcpu=cortex-m7", "-mfloat-abi=hard"),
    "cortex-m33f": (_ARM, "-mthumb", "-mcpu=cortex-m33", "-mfloat-abi=hard"),
    "rv32imc": (_RISCV, "-march=rv32imc", "-mabi=ilp32"),
    "rv32imac": (_RISCV, "-march=rv32imac", "-mabi=ilp32"),
    "rv32imac-hazard3": (_RISCV, "-march=rv32imac", "-mabi=ilp32"),
    "rv32imafc": (_RISCV, "-march=rv32imafc", "-mabi=ilp32f"),
}
# What primes.txt wants of a C library, none of it inside of what is timed.
_PRIMES_HEADERS = {
    "stdio.h": "#define printf(...) ((void)0)\n#define getchar() ((void)0)\n",
    "time.h": "typedef long clock_t;\n#define clock() 0L\n#define CLOCKS_PER_SEC 1000\n",
    "stdint.h": "typedef __INT32_TYPE__ int32_t;\n",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of the timed part takes: instructions, and modelled clocks with the waits."""

    instructions: float
    clocks: float


def why_not(core: Core, compiler: str) -> str:
    """Why a program for `core` by `compiler` cannot be run here; "" where it can."""
    if compiler == GCC:
        wanted = _GCC[core.name][0]
        return "" if shutil.which(wanted) else f"{wanted} is not on PATH"
    return why_not_at_hand(core)


def coremark(folder: Path, board: Board, compiler: str, optimise: str, waits: bool) -> Ran:
    """One iteration of CoreMark, from its sources in `folder`; without `waits` on ample memory.

    Ends the program where a source is missing or the results are wrong.
    """
    on = board if waits else ample(board)
    sources = {name: _text(folder / name) for name in _PARTS}
    port = ("core_portme.h", "core_portme.c", *(["memory.c"] if compiler == GCC else []))
    sources |= {name: _text(_PORT / name) for name in port}
    if compiler == GCC:
        machine: EmulatedMachine = Machine(_gcc(sources, on, optimise, _COREMARK_ENTRIES), on)
    else:
        quiet = {name: _quiet(name, text) for name, text in sources.items()}
        machine = open_machine(FirmwareSources(quiet, _COREMARK_ENTRIES, optimise), on)
    machine.call("smg_coremark_prepare")
    counts = _last_of_calls(machine, "smg_coremark_run", _ITERATIONS)
    address, _ = machine.symbol("smg_coremark_crcs")
    crcs = struct.unpack("<4H", machine.read(address, 8))[:3]
    if crcs != _CRCS:
        sys.exit(f"CoreMark on {board.name}: CRCs {crcs}, and they must be {_CRCS}")
    return Ran(counts.instructions / _ITERATIONS, (counts.modelled_cycles or 0) / _ITERATIONS)


def primes(file: Path, board: Board) -> Ran:
    """The whole of countPrimes(), as its author wants it compiled (gcc -O1); takes minutes.

    Memory does not wait. Ends the program as `coremark` does.
    """
    on = ample(board)
    sources = {"primes.c": _text(file), **_PRIMES_HEADERS}
    elf = _gcc(sources, on, "-O1", ("countPrimes",))
    machine = Machine(elf, on, alignment_checked_calls=0)
    found = machine.call("countPrimes", instruction_limit=_LIMIT)
    if found != _PRIMES_FOUND:
        sys.exit(f"primes on {board.name}: {found} found, and there are {_PRIMES_FOUND}")
    counts = machine.counts()
    return Ran(counts.instructions, counts.modelled_cycles or 0)


def _last_of_calls(machine: EmulatedMachine, symbol: str, argument: int) -> Counts:
    """What the third call takes: the first two simulate the memory, the later ones take it over."""
    for _ in range(3):
        machine.clear_counts()
        machine.call(symbol, argument)
    return machine.counts()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        sys.exit(f"{path}: {problem.strerror}")


def _quiet(name: str, text: str) -> str:
    """C that was not written for our warnings."""
    return _NO_WARNINGS + text if name.endswith(".c") else text


def _gcc(
    sources: Mapping[str, str], board: Board, optimise: str, entries: tuple[str, ...]
) -> bytes:
    """The ELF file by the GNU compiler for the board's core."""
    compiler, *flags = _GCC[board.core.name]
    with tempfile.TemporaryDirectory(prefix="smidgen-") as name:
        folder = Path(name)
        script = linker_script(board, entries, board.stack_bytes)
        for file, text in {**sources, "link.ld": script}.items():
            (folder / file).write_text(text, encoding="utf-8")
        units = [file for file in sources if file.endswith(".c")]
        command = [
            compiler, *flags, "-std=gnu99", "-w", "-g", optimise, "-ffunction-sections",
            "-fdata-sections", "-I.", *units, "-nostdlib", "-lgcc", "-T", "link.ld",
            "-Wl,--gc-sections", f"-Wl,--entry={entries[0]}", "-o", "out.elf",
        ]  # fmt: skip
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            sys.exit(f"{compiler}: {result.stderr.strip()}")
        return (folder / "out.elf").read_bytes()
