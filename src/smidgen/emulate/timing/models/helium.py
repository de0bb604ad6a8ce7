"""What Cortex-M55 and Cortex-M85 share: how code with vectors is read to count its clocks.

- The end of a low-overhead loop costs nothing, for its jump is known after the first round.
- A vector register, its two double and its four single registers are the same: who writes one has
  written what overlaps it.
- Instructions behind VPST and VPT read the predicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.linked.vectors import LOOP_ENDS, predicated_by

PREDICATE = "vpr"
_PREDICATORS = frozenset({"vpst", "vpt", "vpt.f"})


def is_vector(instruction: Instruction) -> bool:
    """Whether it is one of MVE, not of the scalar floating-point unit."""
    return "mve" in instruction.groups and instruction.name.startswith("v")


def ends_loop(instruction: Instruction) -> bool:
    """Whether it is the end of a low-overhead loop."""
    return instruction.name in LOOP_ENDS


def is_access(instruction: Instruction) -> bool:
    """Whether it is a vector load or store."""
    return instruction.name.startswith(("vld", "vst"))


def stored_vectors(instruction: Instruction) -> frozenset[str]:
    """The vectors that a store writes to memory; their number is Qd (DDI 0553, "VSTRB")."""
    if not instruction.name.startswith("vst"):
        return frozenset()
    if instruction.name.endswith("_q"):
        return frozenset({f"q{instruction.encoding[3] >> 5}"})
    return vectors_of(instruction.reads)


def vectors_of(registers: frozenset[str]) -> frozenset[str]:
    """Those that are vectors."""
    return frozenset(name for name in registers if name.startswith("q"))


def scalars_of(registers: frozenset[str]) -> frozenset[str]:
    """Those that are core registers."""
    return registers - vectors_of(registers) - {PREDICATE, "carry"}


def as_run(block: Sequence[Instruction]) -> Iterator[Instruction]:
    """`block` with all registers that its instructions truly read and write."""
    predicated = 0
    for each in block:
        if ends_loop(each):
            continue
        added = {PREDICATE} if predicated and is_vector(each) else set()
        writes = frozenset(name for written in each.writes for name in _overlapping(written))
        yield replace(each, reads=each.reads | added, writes=writes)
        is_start = each.name in _PREDICATORS
        predicated = predicated_by(each.encoding) if is_start else max(predicated - 1, 0)


def _overlapping(register: str) -> tuple[str, ...]:
    kind, number = register[:1], register[1:]
    if kind not in "qds" or not number.isdecimal():
        return (register,)
    first = int(number) * {"q": 4, "d": 2, "s": 1}[kind]
    last = first + {"q": 3, "d": 1, "s": 0}[kind]
    singles = (f"s{n}" for n in range(first, last + 1))
    doubles = (f"d{n}" for n in range(first // 2, last // 2 + 1))
    return (f"q{first // 4}", *doubles, *singles)
