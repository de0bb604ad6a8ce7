"""Cortex-M7: two instructions a clock, in order. Arm publishes no table of clocks for it.

Sources: Cortex-M7 Technical Reference Manual (DDI 0489), "About the Cortex-M7 processor" (six
stages, in order, dual issue, a branch target cache), and the scheduling model that Arm gave to LLVM
(ARMScheduleM7.td: units, latencies, what is issued alone or first).

- There are two ALUs, one of them with a shifter, two load units, one store, one multiply, one
  floating-point, one SIMD and one branch unit.
- SIMD and extension instructions, bit field and count instructions go in the first slot only; LDM,
  STM, LDRD, STRD, divisions and double-precision loads start alone.
- The result of an ALU or of a word load can be used in the next clock, of byte and halfword loads
  and of multiplications one later; accumulators are needed a clock later than other operands,
  addresses and shifted operands a clock earlier.
- Loads and stores of N words take (N + 1) / 2 clocks; the data bus has 64 bits.
- Division takes 7 clocks, VDIV and VSQRT 16, and nothing starts meanwhile. Floating-point results
  take three clocks, multiply-accumulates six (three to the next accumulate).
- A jump that is taken is predicted and costs one clock; an indirect one three. (Assumed.)
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, after, straight_clocks

_MULTIPLE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop", "ldrd", "strd"})
_FP_MULTIPLE = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_MULTIPLY_PREFIXES = ("mul", "mla", "mls", "sml", "smu", "smm", "uml", "umu", "umaal")
_JUMPS = frozenset({"b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh"})
_FP_ACCUMULATE = ("vmla", "vmls", "vnml", "vfma", "vfms", "vfnm")
_SHIFTS = frozenset({"lsl", "lsr", "asr", "ror"})
_SLOW_SIMD = ("q", "uq", "ssat", "usat", "usad")
_SIMD = ("sxt", "uxt", "sadd", "ssub", "uadd", "usub", "shadd", "uhadd", "sel", "pkh", "rev",
         "rbit", "sbfx", "ubfx")  # fmt: skip
_FIRST_SLOT = frozenset({"bfi", "bfc", "clz"})


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=_taken(block[-1]))


def _taken(last: Instruction) -> int:
    if last.name in ("b", "bl", "cbz", "cbnz"):
        return 1
    return 3 if last.name in _JUMPS or "pc" in last.writes else 0


def _demand(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in _MULTIPLE or name in _FP_MULTIPLE:
        words = max(len(instruction.listed), 2)
        return Demand(latency=2, blocks=(words + 1) // 2, first=True, last=True)
    if name.startswith(("ldr", "vldr", "str", "vstr")):
        return _access(instruction)
    if name in ("sdiv", "udiv"):
        return Demand(latency=7, blocks=7, first=True, last=True)
    if name.startswith("v"):
        return _floating(name)
    if name.startswith(_MULTIPLY_PREFIXES):
        return Demand(("multiply",), latency=2, needed=after(1, _accumulators(instruction)))
    return Demand(("branch",)) if name in _JUMPS else _simple(instruction)


def _access(instruction: Instruction) -> Demand:
    name = instruction.name
    is_store = name.startswith(("str", "vstr"))
    is_narrow = name.endswith(("b", "h"))
    is_double = name.startswith("v") and instruction.operands.startswith("d")
    address = instruction.address_registers
    stored = instruction.reads - address if is_store else frozenset()
    return Demand(
        ("store" if is_store else "load",),
        latency=2 if is_narrow else 1,
        needed={**after(1, stored), **after(-1, address)},
        first=is_double,
        last=is_double,
    )


def _simple(instruction: Instruction) -> Demand:
    """Data processing, with or without a shift, and what the DSP extension does beside products."""
    name = instruction.name
    if name.startswith(_SLOW_SIMD):
        return Demand(("simd", "alu"), latency=2, first=True)
    if name.startswith(_SIMD) or name in _FIRST_SLOT:
        return Demand(("simd", "alu"), first=True)
    if instruction.shifted_registers:
        return Demand(("alu", "shift"), needed=after(-1, instruction.shifted_registers))
    return Demand(("alu", "shift") if name in _SHIFTS else ("alu",))


def _accumulators(instruction: Instruction) -> frozenset[str]:
    """The last operand of a multiply-accumulate; both results of a long one."""
    names = instruction.operands.split(", ")
    if "lal" in instruction.name or instruction.name == "umaal":
        return frozenset(names[:2])
    is_accumulate = instruction.name.startswith(("mla", "mls", "smla", "smls", "smml"))
    return frozenset(names[3:]) if is_accumulate else frozenset()


def _floating(name: str) -> Demand:
    if name in ("vdiv", "vsqrt"):
        return Demand(("float",), latency=16, blocks=16)
    return Demand(("float",), latency=6 if name.startswith(_FP_ACCUMULATE) else 3)


PIPELINE = Pipeline(width=2, demand=_demand, units={"alu": 2, "load": 2})
