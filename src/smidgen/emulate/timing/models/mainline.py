"""The scalar pipeline that Cortex-M33 and Cortex-M55 share; the rules are in `cortex_m33`.

One of two instructions that start together must be of the few simple kinds: the other kinds share
one unit, called "main".
"""

from __future__ import annotations

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.scoreboard import Demand, after

_MULTIPLE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop"})
_FP_MULTIPLE = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_PRODUCTS = ("mul", "mla", "mls", "sml", "smu", "smm", "uml", "umu", "umaal")
_ACCUMULATES = ("mla", "mls", "smla", "smls", "smml", "umla", "umaal")
_LATE = ("q", "uq", "sadd", "ssub", "uadd", "usub", "ssat", "usat", "usad", "sbfx", "ubfx", "clz",
         "shadd", "uhadd", "pkh", "sxta", "uxta", "sxtb16", "uxtb16")  # fmt: skip
_JOINING = frozenset({"mov", "movs", "add", "adds", "sub", "subs", "uxtb", "uxth", "sxtb", "sxth"})
_JUMPS = frozenset({"b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh"})
_FP_ACCUMULATES = ("vmla", "vmls", "vnml", "vfma", "vfms", "vfnm")
_REFILL = 2
_DIVIDE, _FP_DIVIDE = 7, 14


def is_jump(last: Instruction) -> bool:
    """Whether what follows may be elsewhere."""
    return last.name in _JUMPS or "pc" in last.writes


def jump_refill(last: Instruction) -> int:
    """The clocks that a jump by `last` adds on a Cortex-M33; 0 where it is no jump."""
    return _REFILL if is_jump(last) else 0


def scalar_demand(instruction: Instruction) -> Demand:
    """What a scalar instruction needs."""
    return _stalling(instruction) or _single(instruction)


def _stalling(instruction: Instruction) -> Demand | None:
    """Of instructions that keep all others from starting."""
    name = instruction.name
    if name in _MULTIPLE or name in _FP_MULTIPLE:
        return _occupying(2, max(_words(instruction), 1))
    if name in ("ldrd", "strd"):
        return _occupying(2, 2)
    if name in ("sdiv", "udiv"):
        return _occupying(_DIVIDE, _DIVIDE)
    if name in ("vdiv", "vsqrt"):
        return _occupying(_FP_DIVIDE, _FP_DIVIDE)
    return None


def _occupying(latency: int, clocks: int) -> Demand:
    return Demand(("main",), latency=latency, blocks=clocks, first=True, last=True)


def _single(instruction: Instruction) -> Demand:
    name, is_long = instruction.name, instruction.bytes == 4
    if name.startswith("v"):
        latency = 3 if name.startswith(_FP_ACCUMULATES) else 2
        return Demand(("main",), latency=latency, first=True, last=True)
    if name.startswith(_PRODUCTS):
        needed = after(1, _sums(instruction))
        return Demand(("main",), latency=2, first=is_long, last=is_long, needed=needed)
    if _can_join(instruction):
        return Demand()
    is_late = name.startswith(("ldr", *_LATE)) or bool(instruction.shifted_registers)
    return Demand(("main",), latency=2 if is_late else 1, first=is_long, last=is_long)


def _can_join(instruction: Instruction) -> bool:
    """Of 16 bits, and simple: it takes no unit of its own."""
    if instruction.bytes == 4:
        return False
    if instruction.name in ("add", "sub"):
        return "#" in instruction.operands
    return instruction.name in _JOINING or instruction.name in _JUMPS or instruction.name == "it"


def _sums(instruction: Instruction) -> frozenset[str]:
    """The registers that a multiply-accumulate adds to."""
    if not instruction.name.startswith(_ACCUMULATES):
        return frozenset()
    names = instruction.operands.split(", ")
    is_long = "lal" in instruction.name or instruction.name == "umaal"
    return frozenset(names[:2] if is_long else names[3:])


def _words(instruction: Instruction) -> int:
    return sum(2 if name.startswith("d") else 1 for name in instruction.listed)
