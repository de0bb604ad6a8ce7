"""Runs kernel variants on single-op graphs, many cases to a compile, and compares with NumPy.

A `Case` is a graph with one node, the kernel to run it with, and the input arrays. The harness lays
inputs, output and scratch out in an arena with guard bytes between them (or output over an input at
a chosen distance), writes C for all cases at once, runs it on the host or on an emulated core, and
checks the output bytes, the guards, and the inputs that nothing overlaps.

    check(cases)                          on this computer, with UBSan, in a process of its own
    check(cases, board="nucleo-l4r5zi")   on the emulated board; returns instructions of each case
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.sharing import SharedFunctions
from smidgen.compiler.codegen.source import SourceWriter
from smidgen.compiler.program import Program, Step
from smidgen.compiler.sharing import Style
from smidgen.emulate.unicorn.machine import Machine
from smidgen.graph.graph import Graph
from smidgen.ops.kernel import Kernel, KernelCall
from smidgen.ops.registry import header_closure
from smidgen.ops.spaces import FLAT, Spaces
from smidgen.targets.catalogue import Board, Core, board, core
from smidgen.targets.toolchain import compile_firmware, compile_host_library

_GUARD_BYTES = 32
_GUARD = 0xC3
_RUNNER = Path(__file__).with_name("host_runner.py")


@dataclass(frozen=True)
class Case:
    """One node, the kernel that is to run it, and one array for each input of the graph.

    `distance` puts the output over input 0 of the node: address(output) - address(input).
    """

    graph: Graph
    kernel: Kernel
    inputs: tuple[np.ndarray, ...]
    distance: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Placed:
    """A case with its call, its arena and the bytes that the arena starts with."""

    case: Case
    call: KernelCall
    offsets: dict[str, int]
    scratch_offset: int
    arena: bytes
    changeable: tuple[tuple[int, int], ...] = field(default=())


def check(
    cases: Sequence[Case],
    board_name: str = "",
    *,
    core_name: str = "cortex-m4f",
    style: Style = Style.SHARED,
    optimise: str = "-O2",
) -> list[int]:
    """Run all cases and assert that each is exact; on a board, the instructions of each case."""
    target = roomy(board(board_name)) if board_name else None
    placed = [place(case, target.core if target else core(core_name)) for case in cases]
    sources = emit(placed, style)
    counts = [0] * len(placed)
    if target:
        arenas, counts = run_on_board(sources, placed, target, optimise)
    else:
        arenas = run_on_host(sources, placed)
    for each, after in zip(placed, arenas, strict=True):
        verify(each, after)
    return counts


def roomy(target: Board) -> Board:
    """`target` with memory enough for many cases at once."""
    flash, ram = (
        (replace(regions[0], bytes=1 << 20), *regions[1:]) for regions in (target.flash, target.ram)
    )
    return replace(target, flash=flash, ram=ram)


def place(case: Case, target: Core) -> Placed:
    """Lower the case's node, and lay out its arena."""
    node, graph = case.graph.nodes[0], case.graph
    signature = graph.signature(node)
    assert case.kernel.requires <= target.features, f"{case.kernel.name} is not for {target.name}"
    assert case.kernel.accepts(node.op, signature), f"{case.kernel.name} refuses {case.note}"
    call = case.kernel.lower(node.op, signature, target)
    offsets: dict[str, int] = {}
    at = _GUARD_BYTES + max(0, -(case.distance or 0))
    at += -at % 8
    for name in graph.inputs:
        offsets[name] = at
        at = _behind(at + graph.tensors[name].nbytes)
    result = node.outputs[0]
    span = graph.tensors[result].nbytes
    if case.distance is None:
        offsets[result] = at
    else:
        offsets[result] = offsets[graph.inputs[0]] + case.distance
    at = _behind(max(at, offsets[result] + span))
    size = _behind(at + call.scratch_bytes)
    changeable = ((offsets[result], span), (at, call.scratch_bytes))
    arena = _fill(case, offsets, size)
    return Placed(case, call, offsets, at, arena, changeable)


def _behind(at: int) -> int:
    at += _GUARD_BYTES
    return at + -at % 8


def _fill(case: Case, offsets: dict[str, int], size: int) -> bytes:
    arena = np.full(size, _GUARD, np.uint8)
    for name, values in zip(case.graph.inputs, case.inputs, strict=True):
        raw = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        arena[offsets[name] : offsets[name] + len(raw)] = raw
    return arena.tobytes()


def emit(
    placed: Sequence[Placed], style: Style = Style.SHARED, spaces: Spaces = FLAT
) -> dict[str, str]:
    """One C file with a function ``case<i>_run(arena)`` for each case, and the headers it needs."""
    bodies, tables, wanted, shared = [], [], ["smg.h"], SharedFunctions()
    for index, each in enumerate(placed):
        step = Step(each.case.graph.nodes[0], each.call, each.scratch_offset, style)
        program = Program(
            graph=each.case.graph,
            steps=(step,),
            offsets=each.offsets,
            buffers=(),
            arena_bytes=len(each.arena),
            lower_bound_bytes=0,
        )
        writer = SourceWriter(program, Names(f"case{index}"), shared=shared, spaces=spaces)
        bodies.append(writer.body())
        tables.append(writer.tables.text())
        wanted += [name for name in writer.headers if name not in wanted]
    includes = "\n".join(f'#include "{name}"' for name in wanted)
    text = "\n".join([spaces.prologue, includes, *tables, shared.text(), *bodies])
    return {"cases.c": text, **header_closure(wanted, spaces)}


def run_on_host(sources: dict[str, str], placed: Sequence[Placed]) -> list[bytes]:
    """The arenas after each case, run with UBSan in a process of its own."""
    library = compile_host_library(sources, sanitize=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "arenas.bin")
        path.write_bytes(b"".join(each.arena for each in placed))
        sizes = json.dumps([len(each.arena) for each in placed])
        done = subprocess.run(
            [sys.executable, str(_RUNNER), str(library), str(path), sizes],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, f"the kernel stopped: {done.stderr.strip()[-2000:]}"
        after = path.read_bytes()
    return _split(after, placed)


def _split(raw: bytes, placed: Sequence[Placed]) -> list[bytes]:
    parts, at = [], 0
    for each in placed:
        parts.append(raw[at : at + len(each.arena)])
        at += len(each.arena)
    return parts


def run_on_board(
    sources: dict[str, str], placed: Sequence[Placed], target: Board, optimise: str = "-O2"
) -> tuple[list[bytes], list[int]]:
    """The arenas after each case, and the instructions that each took, on an emulated board."""
    machine = Machine(_firmware(sources, placed, target, optimise), target)
    address, _ = machine.symbol("arena")
    arenas, counts = [], []
    for index, each in enumerate(placed):
        machine.write(address, each.arena)
        machine.clear_counts()
        machine.call(f"case{index}_run", address)
        counts.append(sum(block.executions * block.instructions for block in machine.blocks()))
        arenas.append(machine.read(address, len(each.arena)))
    return arenas, counts


def _firmware(
    sources: dict[str, str], placed: Sequence[Placed], target: Board, optimise: str
) -> bytes:
    size = max(len(each.arena) for each in placed)
    entries = [f"case{index}_run" for index in range(len(placed))] + ["arena"]
    arena = f"#include <stdint.h>\nuint8_t arena[{size}] __attribute__((aligned(16)));\n"
    return compile_firmware(
        {**sources, "arena.c": arena}, target, optimise=optimise, entry_symbols=entries
    )


def verify(placed: Placed, after: bytes) -> None:
    """Assert that the output equals the reference, and that nothing else was written."""
    case = placed.case
    node = case.graph.nodes[0]
    signature = case.graph.signature(node)
    given = dict(zip(case.graph.inputs, case.inputs, strict=True))
    operands = [
        None if not name else given.get(name, case.graph.tensors[name].data) for name in node.inputs
    ]
    expected = node.op.evaluate(signature, operands)[0]
    at = placed.offsets[node.outputs[0]]
    found = np.frombuffer(after, expected.dtype, expected.size, at).reshape(expected.shape)
    wrong = np.argwhere(found != expected)
    assert not len(wrong), (
        f"{case.kernel.name} {case.note}: {len(wrong)} of {expected.size} differ, first at "
        f"{tuple(wrong[0])}: {found[tuple(wrong[0])]} for {expected[tuple(wrong[0])]}"
    )
    same = np.frombuffer(after, np.uint8) == np.frombuffer(placed.arena, np.uint8)
    for start, count in placed.changeable:
        same = np.concatenate([same[:start], np.ones(count, bool), same[start + count :]])
    assert same.all(), f"{case.kernel.name} {case.note}: wrote arena[{int(np.argmin(same))}]"
