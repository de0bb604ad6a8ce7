"""Our tables of clocks beside LLVM's, as llvm-mca counts them, for the blocks that a model runs.

    python benchmarks/compare_mca.py MODEL [--cores cortex-m55,...] [--blocks N] [--verbose]

Compared are the clocks from the start of a block's first instruction until after the start of its
last, jumps at its end left out; on cores that run out of order, a hundredth of a hundred rounds.
Needs llvm-mca and llvm-mc of LLVM 19 or later on PATH, or the
folder that holds them in LLVM_BIN (Debian: package llvm-19, /usr/lib/llvm-19/bin).

llvm-mca has in-order cores give results in the order of the instructions, which the schedulers of
LLVM do not ask for, nor do we. Equal are counted with that rule in both ("ordered"); the clocks are
then summed without it in ours.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import smidgen
from smidgen.core.table import render
from smidgen.emulate.device import Device
from smidgen.emulate.linked.disassembly import Instruction, disassemble
from smidgen.emulate.linux.machine import LinuxMachine
from smidgen.emulate.proof import random_samples
from smidgen.emulate.qemu.machine import QemuMachine
from smidgen.emulate.timing.models import (
    cortex_a53,
    cortex_a72,
    cortex_m4,
    cortex_m7,
    cortex_m33,
    cortex_m55,
    cortex_m85,
    rv32,
)
from smidgen.emulate.timing.models.helium import as_run, ends_loop
from smidgen.emulate.timing.models.scoreboard import Demand, Scoreboard
from smidgen.emulate.unicorn.machine import Machine
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Core
from smidgen.targets.catalogue import board as find_board

THUMB, RISCV, AARCH64 = "thumbv8.1m.main-none-eabi", "riscv32", "aarch64"
# Our core: a board with it, the processor and the triple for LLVM.
CORES = {
    "cortex-m4f": ("nucleo-l4r5zi", "cortex-m4", THUMB),
    "cortex-m7f": ("nucleo-h743zi", "cortex-m7", THUMB),
    "cortex-m33f": ("nucleo-u575zi", "cortex-m33", THUMB),
    "cortex-m55": ("corstone-300", "cortex-m55", THUMB),
    "cortex-m85": ("ek-ra8d1", "cortex-m85", THUMB),
    "rv32imc": ("esp32-c3", "sifive-e31", RISCV),
    "cortex-a53": ("raspberry-pi-3", "cortex-a53", AARCH64),
    "cortex-a72": ("raspberry-pi-4", "cortex-a72", AARCH64),
}
PIPELINES = {
    "cortex-m7f": cortex_m7.PIPELINE,
    "cortex-m33f": cortex_m33.PIPELINE,
    "cortex-m55": cortex_m55.PIPELINE,
    "cortex-m85": cortex_m85.PIPELINE,
    "rv32imc": rv32.PIPELINE,
    "cortex-a53": cortex_a53.PIPELINE,
}
OUT_OF_ORDER = {"cortex-a72": cortex_a72.ENGINE}
ROUNDS = 100
# Where our rules are others on purpose: LLVM lets loads and stores of many registers, and division,
# take a clock, and 32-bit instructions of Cortex-M33 and M55 pair as if they had 16 bits. On
# Cortex-M85 it executes arithmetic in one stage, where measurements show up to three, and lets
# integer instructions run beside the second half of a vector load.
COARSE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop", "ldrd", "strd", "sdiv", "udiv",
                    "vldmia", "vstmia", "vpush", "vpop", "vdiv", "vsqrt"})  # fmt: skip
JUMPS = frozenset({"b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh", "tbz", "tbnz", "br", "blr",
                   *rv32.JUMPS})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """Straight-line code without a jump at its end, and how often it ran."""

    address: int
    code: tuple[Instruction, ...]
    executions: int

    @property
    def encoding(self) -> bytes:
        """The machine code."""
        return b"".join(each.encoding for each in self.code)


@dataclass(frozen=True, slots=True)
class Compared:
    """A body, as LLVM prints it, and its clocks by llvm-mca and by us with and without its rule."""

    body: Body
    text: str
    theirs: int
    ordered: int
    ours: int


def bodies(graph: Graph, core_name: str, most: int) -> list[Body]:
    """The blocks of a model that take the most instructions."""
    on = find_board(CORES[core_name][0])
    device = Device(smidgen.compile(graph, on.name), on)
    device.run(random_samples(graph, 1)[0])
    machine = device.machine
    assert isinstance(machine, Machine | QemuMachine | LinuxMachine)
    firmware = machine.own_firmware if isinstance(machine, QemuMachine) else machine.firmware
    counted: Counter[tuple[int, int]] = Counter()
    for block in machine.blocks():
        counted[block.address, block.bytes] += block.executions
    found = []
    for (address, count), executions in counted.items():
        code = tuple(disassemble(on.core, firmware.code_bytes(address, count), address))
        ends = code and (code[-1].name in JUMPS or ends_loop(code[-1]) or "pc" in code[-1].writes)
        body = Body(address, code[:-1] if ends else code, executions)
        if len(body.code) > 1 and executions > 0 and not _is_cut(body):
            found.append(body)
    return sorted(found, key=lambda each: -each.executions * len(each.code))[:most]


def _is_cut(body: Body) -> bool:
    """Whether an IT block goes on in what was left out."""
    last = [each.name for each in body.code[-4:]]
    return "it" in last


def texts(found: Sequence[Body], core: Core, tools: Path | None) -> list[str]:
    """Each body as assembly, by LLVM's own disassembler; "" where it does not know a part."""
    _, cpu, triple = CORES[core.name]
    answers = []
    for body in found:
        octets = " ".join(f"{byte:#04x}" for byte in body.encoding)
        ran = subprocess.run(
            [_tool("llvm-mc", tools), "--disassemble", f"-triple={triple}", f"-mcpu={cpu}"],
            input=octets, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = [line.strip() for line in ran.stdout.splitlines() if line.startswith("\t")]
        lines = [line for line in lines if not line.startswith(".text")]
        is_whole = "invalid instruction encoding" not in ran.stderr
        answers.append("\n".join(lines) if is_whole and len(lines) == len(body.code) else "")
    return answers


def clocks_by_mca(assembly: Sequence[str], core: Core, tools: Path | None) -> list[int | None]:
    """The clocks of each text; None where llvm-mca does not know an instruction."""
    _, cpu, triple = CORES[core.name]
    regions = [
        f"# LLVM-MCA-BEGIN r{number}\n{text}\n# LLVM-MCA-END\n"
        for number, text in enumerate(assembly)
        if text
    ]
    comment = "@" if triple == THUMB else "#"
    rounds = ROUNDS if core.name in OUT_OF_ORDER else 1
    ran = subprocess.run(
        [
            _tool("llvm-mca", tools), f"-mtriple={triple}", f"-mcpu={cpu}",
            f"-iterations={rounds}",
            "-json", "-timeline", "-timeline-max-cycles=0",
            "-skip-unsupported-instructions=any",
        ],
        input="".join(regions).replace("# LLVM", f"{comment} LLVM"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        sys.exit(f"llvm-mca: {ran.stderr[:600]}")
    found: list[int | None] = [None] * len(assembly)
    for region in json.loads(ran.stdout)["CodeRegions"]:
        number = int(region["Name"][1:])
        timeline = region["TimelineView"]["TimelineInfo"]
        if rounds > 1:
            found[number] = round(region["SummaryView"]["TotalCycles"] / rounds)
        elif len(timeline) == len(assembly[number].splitlines()):
            found[number] = max(each["CycleDispatched"] for each in timeline) + 1
    return found


class Ordered(Scoreboard):
    """With the rule of llvm-mca's in-order cores: no result comes before those of the instructions
    in front. It takes the flags that a 16-bit instruction sets beside its result to come at once.
    """

    due = 0

    def earliest(self, instruction: Instruction, need: Demand) -> int:
        """As ever, but not before the results in front."""
        first = min((need.latency_of(name) for name in instruction.writes), default=need.latency)
        if instruction.bytes == 2 and instruction.mnemonic.endswith("s"):
            first = 0
        return max(super().earliest(instruction, need), self.due - min(first, need.latency))

    def _note_results(self, instruction: Instruction, need: Demand) -> None:
        super()._note_results(instruction, need)
        self.due = max(self.due, self.clock + need.latency)


def clocks_by_us(body: Body, core: Core, scoreboard: type[Scoreboard]) -> int:
    """The clocks of `body` by our table."""
    if core.name in OUT_OF_ORDER:
        return round(OUT_OF_ORDER[core.name].clocks(body.code))
    if core.name not in PIPELINES:
        return round(cortex_m4.block_cost(body.code).straight)
    if core.name == "cortex-m85":
        code: Iterable[Instruction] = cortex_m85.as_flagged_run(body.code)
    else:
        code = as_run(body.code) if "mve" in core.features else body.code
    return scoreboard(PIPELINES[core.name]).clocks_of(tuple(code))


def compare(graph: Graph, core_name: str, most: int, tools: Path | None) -> list[Compared]:
    """The costliest blocks of a model on the core, as far as LLVM knows them."""
    core = find_board(CORES[core_name][0]).core
    found = bodies(graph, core_name, most)
    assembly = texts(found, core, tools)
    theirs = clocks_by_mca(assembly, core, tools)
    return [
        Compared(
            body,
            text,
            clocks,
            clocks_by_us(body, core, Ordered),
            clocks_by_us(body, core, Scoreboard),
        )
        for body, text, clocks in zip(found, assembly, theirs, strict=True)
        if clocks is not None
    ]


HEADER = ("core", "llvm-mca", "blocks", "within one", "alike", "equal", "ordered", "ours")


def is_alike(body: Body, core_name: str) -> bool:
    """Whether LLVM and we mean to have the same rules for all of `body`."""
    if CORES[core_name][2] == AARCH64:
        return False  # ours are by kinds of instructions, LLVM's by each
    if core_name == "cortex-m85" and any(map(cortex_m85.is_measured, body.code)):
        return False
    pairs_less = core_name in ("cortex-m33f", "cortex-m55")
    return not any(
        each.name in COARSE
        or (
            pairs_less
            and each.bytes == 4
            and not each.name.startswith("v")
            and "mve" not in each.groups
        )
        for each in body.code
    )


def row(core: str, found: Sequence[Compared]) -> list[str]:
    """What `HEADER` names: all blocks, those that differ by a clock at most, those that are alike,
    and how many of these are equal; then by how much our clocks of all runs differ from theirs.
    """
    within = sum(abs(each.theirs - each.ordered) <= 1 for each in found)
    alike = [each for each in found if is_alike(each.body, core)]
    equal = sum(each.theirs == each.ordered for each in alike)
    theirs = sum(each.theirs * each.body.executions for each in found)
    ordered = sum(each.ordered * each.body.executions for each in found)
    ours = sum(each.ours * each.body.executions for each in found)
    return [
        core, CORES[core][1], *map(str, (len(found), within, len(alike), equal)),
        f"{ordered / theirs - 1:+.0%}", f"{ours / theirs - 1:+.0%}",
    ]  # fmt: skip


def _tool(name: str, folder: Path | None) -> str:
    found = shutil.which(name, path=str(folder)) if folder else shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not there: install LLVM 19 or later, or name its folder in LLVM_BIN")
    return found


def main() -> None:
    """Prints a row for each core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--cores", default=",".join(CORES))
    parser.add_argument("--blocks", type=int, default=400)
    parser.add_argument("--verbose", action="store_true", help="print the blocks that differ")
    options = parser.parse_args()
    tools = Path(os.environ["LLVM_BIN"]) if "LLVM_BIN" in os.environ else None
    rows = []
    for core in options.cores.split(","):
        found = compare(smidgen.load(options.model), core, options.blocks, tools)
        rows.append(row(core, found))
        for each in found if options.verbose else ():
            if each.theirs != each.ordered:
                text = re.sub(r"\s+", " ", each.text.replace("\n", "; "))
                clocks = f"{each.theirs} {each.ordered} {each.ours}"
                print(f"{core} {clocks} x{each.body.executions}: {text}")
    print(render(HEADER, rows))


if __name__ == "__main__":
    main()
