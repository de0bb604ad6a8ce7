"""Cortex-M85: two instructions a clock, in order, with vectors of two beats. No table is public.

Sources: Cortex-M85 Technical Reference Manual (101924), "About the processor" (seven stages, in
order, superscalar, branch prediction, two beats a clock); the scheduling model that Arm gave to
LLVM (ARMScheduleM85.td of LLVM 19): units, latencies, what starts alone or ends a pair, and in
which stage each operand is read; and what jnk0le measured on an RA8D1 (repository jnk0le/random on
GitHub, "pipeline cycle test/doc/cortex_m85.md"), which goes first where they differ. Measured is:

- Additions, moves and comparisons are executed in EX1, EX2 or EX3, bitwise operations in EX2 or
  EX3, shifts and bit fields in EX1 or EX2: the first in which their operands are there. Pairs are
  in the same stage at the same time, so that the second may use what the first gives, and what a
  load of a word does. The last register of a 32-bit instruction passes the shifter, even where it
  is not shifted, and is needed a stage before; all such are done in EX2 or EX3.
- There are two shifters for operands. BFI, and what is executed in EX2 only, do not pair with each
  other. (By LLVM, the latter are extensions, SIMD, CLZ and REV.)
- Flags come from EX2 or EX3. What is executed under a condition waits for them, in EX2 at the
  soonest. IT takes neither a clock nor a place in a pair.
- A jump is predicted, and starts without its flags; if it is taken, it costs nothing. Mispredicted
  it costs four clocks inside another loop, six if its flags came from EX2 in the clock in which it
  starts, or from EX3 in the clock before, and seven if from EX3 in the same. LE is never
  mispredicted.
- No integer instruction starts in the clock behind a vector load or store, which is its second, and
  what is executed in EX2 only does not pair with a vector instruction.
- Gathers and scatters move two elements a clock and take two clocks at least, and nothing else
  starts meanwhile; their offsets are needed two clocks early.
- Double-precision arithmetic starts alone.

By LLVM's model:

- There are two load, two store and two arithmetic units, one multiplier, one SIMD unit.
- A loaded word is there at the end of EX2; a byte, a halfword and what a 16-bit instruction loads
  from the stack one clock later. Addresses are needed in EX1, what is stored in EX3, a vector that
  is stored a clock after.
- A vector instruction takes both halves of its pipe for two clocks and ends a pair: a scalar one in
  front of it may start with it. A core register that it reads is needed a clock late, one that it
  adds to two late; one that it writes can be used after four.

Where LLVM's model is too coarse for clocks, LDM and STM take a clock for two registers, and a
division, VDIV and VSQRT keep all else from starting until they are done. Assumed: a predictor says
of a jump what it does more often, which is too good for jumps without a pattern and too bad for
short ones with one; an indirect jump costs three clocks. Not modelled: jumps as the third of those
that start together, which was measured where enough 16-bit instructions are in front, and loaded
sums of a product, which wait a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.helium import (
    as_run,
    ends_loop,
    is_access,
    is_vector,
    scalars_of,
    stored_vectors,
    vectors_of,
)
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, Scoreboard, after

_DIRECT = frozenset({"b", "bl", "cbz", "cbnz"})
_INDIRECT_CLOCKS = 3
_MISPREDICTED, _LATE_FLAGS = 4, 1
_OFFSETS_EARLY = 2
_BEATS = 2
_RESOLVED = 2
"""A jump starts, predicted, so many clocks before it needs its flags at the latest."""
_DIVIDE, _FLOAT_DIVIDE = 7, 14
_UNITS = {
    "load": 2,
    "store": 2,
    "alu": 2,
    "port": 2,
    "a": 2,
    "b": 2,
    "c": 2,
    "shift": 2,
    "integer": 2,
}
_MULTIPLE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop"})
_FLOAT_MULTIPLE = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_JUMPS = _DIRECT | {"bx", "blx"}
_PRODUCTS = ("mul", "mla", "mls", "sml", "smu", "smm", "uml", "umu", "umaal")
_LONG_SHIFTS = ("lsll", "lsrl", "asrl", "sq", "uqr", "uqsh", "srsh", "ursh", "csel")
_SHIFTER_OPERANDS = frozenset(
    {"adc", "add", "and", "bic", "cmn", "cmp", "eor", "mvn", "orn", "orr", "rsb", "sbc", "sub",
     "teq", "tst"}
)  # fmt: skip
_FLAGS = "cpsr"
_COMPARISONS = frozenset({"cmp", "cmn", "tst", "teq"})
_BITWISE = frozenset({"and", "bic", "eor", "orn", "orr", "mvn", "teq", "tst"})
_SHIFTS = frozenset({"lsl", "lsr", "asr", "ror", "ubfx", "sbfx"})
_ANY_STAGE, _FIRST_TWO, _LAST_TWO = (-1, 1), (-1, 0), (0, 1)
"""The stages EX1 to EX3 in which an instruction can be executed, as clocks from EX2."""
_SIMD = ("sxt", "uxt", "sadd", "ssub", "sasx", "ssax", "uadd", "usub", "uasx", "usax", "shadd",
         "shsub", "uhadd", "uhsub", "sel")  # fmt: skip
_SIMD_LATE = ("qadd", "qsub", "qasx", "qsax", "uqadd", "uqsub", "uqasx", "uqsax", "usad")
_SIMD_SHIFTED = ("ssat", "usat", "qdadd", "qdsub")
_FIRST_SLOT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"bfi": ("shift",), "bfc": ("shift",), "clz": ()}
)
_SYSTEM = ("mrs", "msr", "dmb", "dsb", "isb", "hint")
# Pipe and latency of vector operations; all others: pipe a, one clock.
_KINDS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("vand", "vbic", "vcls", "vclz", "veor", "vmov", "vmvn", "vorn", "vorr", "vpsel",
             "vrev", "vmov_r_lane"),
            ("", 1),
        ),
        "vmov_lane_r": ("", 4),
        **dict.fromkeys(
            (
                "vqshl", "vqshlu", "vrshl", "vqrshl", "vabd.f", "vadd.f", "vsub.f", "vcadd.f",
                "vqmovn", "vqmovun", "vqshrn", "vqrshrn", "vqshrun", "vqrshrun", "vrshr", "vrshrn",
                "vddup", "vidup", "vdwdup", "viwdup", "vshlc",
            ),
            ("a", 2),
        ),
        **dict.fromkeys(
            ("vabav", "vaddv", *(f"v{which}{kind}{size}" for which in ("max", "min")
                                 for kind in ("v", "av") for size in (8, 16, 32))),
            ("a", 4),
        ),
        **dict.fromkeys(("vabs.f", "vneg.f", "vmaxnm", "vminnm", "vmaxnma", "vminnma"), ("b", 1)),
        **dict.fromkeys(("vcmul", "vmul.f"), ("b", 3)),
        **dict.fromkeys(
            ("vfma", "vfms", "vcmla", "vmaxnmv", "vminnmv", "vmaxnmav", "vminnmav", "vaddva",
             "vaddlv", "vaddlva"),
            ("b", 4),
        ),
        **dict.fromkeys(("vcmp", "vcmp.f", "vpt", "vpt.f"), ("c", 1)),
        **dict.fromkeys(("vctp", "vpnot", "vpst"), ("d", 1)),
    }
)  # fmt: skip
_SUMS = ("vmladav", "vmlsdav", "vmlaldav", "vmlsldav", "vrmlaldavh", "vrmlsldavh")
_VECTOR_PRODUCTS = ("vmul", "vrmulh", "vmla", "vqdm", "vqrdm", "vcvt", "vrint")
_LATE_OPERANDS = ("vfma", "vfms", "vcmla")
_SCALARS_LATE = {"vmla": 2, "vmlas": 2, "vmaxnmv": 1, "vminnmv": 1, "vmaxnmav": 1, "vminnmav": 1}
# Pipe and latency of scalar floating-point operations; of all others, pipe b and two clocks.
_FLOAT_KINDS: tuple[tuple[tuple[str, ...], tuple[str, int]], ...] = (
    (("vadd", "vsub"), ("a", 2)),
    (("vmaxnm", "vminnm"), ("a", 1)),
    (("vcmp",), ("c", 1)),
    (("vabs", "vneg", "vsel"), ("b", 1)),
    (("vmla", "vmls", "vnml"), ("b", 5)),
    (("vfm", "vfn"), ("b", 4)),
    (("vmul", "vnmul"), ("b", 3)),
)
_COUNTING = ("vddup", "vidup", "vdwdup", "viwdup", "vshlc")


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    board, run = Scoreboard(PIPELINE), tuple(as_flagged_run(block))
    straight = board.clocks_of(run)
    missed = _mispredicted(run[-1], board) if _is_conditional(block[-1]) else 0
    return BlockCost(straight=straight, taken=_taken(block[-1]), mispredicted=missed)


def as_flagged_run(block: Sequence[Instruction]) -> Iterator[Instruction]:
    """`block` as Helium's rules read it, and with the flags that instructions set and want."""
    conditional = 0
    for each in as_run(block):
        wants = {_FLAGS} if conditional or (each.name == "b" and _is_conditional(each)) else set()
        sets = {_FLAGS} if not conditional and _sets_flags(each) else set()
        yield replace(each, reads=each.reads | wants, writes=each.writes | sets)
        is_start = each.name == "it"
        conditional = len(each.mnemonic) - 1 if is_start else max(conditional - 1, 0)


def is_measured(instruction: Instruction) -> bool:
    """Whether its rule is one that was measured, and other than LLVM's."""
    need = _demand(instruction)
    is_other = instruction.name == "it" or instruction.mnemonic.startswith("nop")
    is_gather = is_vector(instruction) and need.blocks > 0
    return is_other or is_gather or need.slides != (0, 0)


def _sets_flags(instruction: Instruction) -> bool:
    name = instruction.name
    return name in _COMPARISONS or instruction.mnemonic.removesuffix(".w") == f"{name}s"


def _is_conditional(last: Instruction) -> bool:
    """Whether it is a jump that may be taken or not."""
    is_always = last.mnemonic.removesuffix(".w") == "b"
    return last.name in ("cbz", "cbnz") or (last.name == "b" and not is_always)


def _mispredicted(last: Instruction, board: Scoreboard) -> int:
    """The clocks that it costs if `last`, which starts in the board's clock, was mispredicted."""
    late = max(board.ready.get(name, 0) for name in last.reads) - board.clock
    return _MISPREDICTED + (_LATE_FLAGS + late if late > 0 else 0)


def _taken(last: Instruction) -> int:
    is_predicted = last.name in _DIRECT or ends_loop(last)
    is_indirect = last.name in ("bx", "blx") or "pc" in last.writes
    return _INDIRECT_CLOCKS if is_indirect and not is_predicted else 0


def _demand(instruction: Instruction) -> Demand:
    if is_vector(instruction):
        return _vector_access(instruction) if is_access(instruction) else _operation(instruction)
    name = instruction.name
    if name in _FLOAT_MULTIPLE:
        return _multiple(instruction)
    if name.startswith(("vldr", "vstr")):
        return _access(instruction)
    if name.startswith("v"):
        return _floating(instruction)
    need = _integer(instruction)
    return replace(need, units=(*need.units, "integer"))


def _integer(instruction: Instruction) -> Demand:
    if instruction.name in _MULTIPLE:
        return _multiple(instruction)
    is_access = instruction.name.startswith(("ldr", "str"))
    return _access(instruction) if is_access else _scalar(instruction)


def _vector_access(instruction: Instruction) -> Demand:
    name = instruction.name
    is_store, is_gather = name.startswith("vst"), name.endswith("_q")
    unit = "store" if is_store else "load"
    addresses = scalars_of(instruction.reads)
    stored = stored_vectors(instruction)
    offsets = vectors_of(instruction.reads) - stored if is_gather else frozenset[str]()
    is_interleaved = name in ("vld2", "vld4")
    return Demand(
        (unit, unit, "port", "port", "slot"),
        holds={unit: _BEATS, "integer": _BEATS},
        blocks=_gather_clocks(instruction) if is_gather else 0,
        latency=4 if is_interleaved else 1,
        latencies=after(1, scalars_of(instruction.writes)),
        first=is_gather,
        last=True,
        needed={**after(2, stored), **after(-1, addresses), **after(-_OFFSETS_EARLY, offsets)},
    )


def _gather_clocks(instruction: Instruction) -> int:
    """Two elements a clock, and two clocks at least (DDI 0553, "VLDRB": size, in bits 8 and 7)."""
    is_by_scalar = not instruction.encoding[3] & 0x10
    size = (instruction.encoding[2] >> 7) | (instruction.encoding[3] & 1) << 1
    return max(8 >> size, _BEATS) if is_by_scalar else _BEATS


def _operation(instruction: Instruction) -> Demand:
    name = instruction.name
    pipe, latency = _kind(name)
    scalars = scalars_of(instruction.reads)
    sums = vectors_of(instruction.reads & instruction.writes)
    scalars_late = 2 if latency == 4 and scalars & instruction.writes else 1
    late = after(_SCALARS_LATE.get(name, scalars_late), scalars)
    return Demand(
        ((pipe,) * (1 if pipe == "d" else 2) if pipe else ()) + ("port", "port", "slot"),
        holds={pipe: 2} if pipe else {},
        latency=latency,
        latencies=after(2, scalars_of(instruction.writes)) if name in _COUNTING else {},
        last=True,
        needed={**late, **(after(2, sums) if name in _LATE_OPERANDS else {})},
    )


def _kind(name: str) -> tuple[str, int]:
    if name in _KINDS:
        return _KINDS[name]
    if name.startswith(_SUMS):
        return "b", 4
    return ("b", 2) if name.startswith(_VECTOR_PRODUCTS) and name != "vmullp" else ("a", 1)


def _multiple(instruction: Instruction) -> Demand:
    words = sum(2 if name.startswith("d") else 1 for name in instruction.listed)
    is_store = instruction.name.startswith(("st", "vst", "push", "vpush"))
    unit = "store" if is_store else "load"
    return Demand((unit, unit), blocks=(words + 1) // 2, first=True, last=True)


def _access(instruction: Instruction) -> Demand:
    name = instruction.name
    is_store, is_float = name.startswith(("str", "vstr")), name.startswith("v")
    address = instruction.address_registers
    stored = instruction.reads - address if is_store else frozenset[str]()
    is_wide = name.endswith("d") or (is_float and instruction.operands.startswith("d"))
    units = ("store",) if is_store else ("load",)
    is_narrow = not is_float and name.endswith(("b", "h"))
    is_late = is_narrow or (instruction.bytes == 2 and "sp" in address)
    return Demand(
        (units + (("port",) if is_float else ())) * (2 if is_wide else 1),
        latency=2 if is_late or (is_store and not is_float) else 1,
        latencies=after(0, address & instruction.writes),
        needed={**after(2 if is_float else 1, stored), **after(-1, address)},
    )


def _scalar(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in ("sdiv", "udiv"):
        needed = after(-1, instruction.reads)
        return Demand(("alu",), latency=_DIVIDE, blocks=_DIVIDE, needed=needed)
    if name in ("tbb", "tbh"):
        needed = after(-1, instruction.reads)
        return Demand(("load",), first=True, last=True, needed=needed)
    if name.startswith(_LONG_SHIFTS) and "mve" in instruction.groups:
        operands = instruction.reads - {_FLAGS}
        return Demand(("long", "alu"), latency=2, needed=after(1, operands))
    if name.startswith(_PRODUCTS):
        return Demand(("multiply",), latency=2, needed=after(1, _accumulators(instruction)))
    return _control(instruction) or _arithmetic(instruction)


def _control(instruction: Instruction) -> Demand | None:
    """Of what computes nothing: jumps, IT, NOP and what keeps order."""
    name = instruction.name
    if name == "it":
        return Demand(folded=True)
    if name in _JUMPS:
        needed = after(_RESOLVED, instruction.reads) if name in _DIRECT else {}
        return Demand(("branch",), latency=2, needed=needed)
    if instruction.mnemonic.startswith("nop"):
        return Demand()
    return Demand(latency=3, first=True, last=True) if name in _SYSTEM else None


def _arithmetic(instruction: Instruction) -> Demand:
    """Data processing with and without a shift, and what DSP adds beside products."""
    name = instruction.name
    if name.startswith(_SIMD_SHIFTED):
        return _simd(2, instruction.reads, "shift")
    if name.startswith(("rev", "rbit")):
        return _simd(0, instruction.reads, "shift")
    if name.startswith(("pkh", "sxta", "uxta")):
        return _simd(1, instruction.shifted_registers, "shift")
    if name.startswith((*_SIMD, *_SIMD_LATE)):
        return _simd(2 if name.startswith(_SIMD_LATE) else 1)
    if name in _FIRST_SLOT:
        return Demand(("alu", "slot", *_FIRST_SLOT[name]))
    return _plain(instruction)


def _simd(latency: int, early: frozenset[str] = frozenset(), *more: str) -> Demand:
    return Demand(("simd", "alu", "slot", *more), latency=latency, needed=after(-1, early))


def _plain(instruction: Instruction) -> Demand:
    """What is executed in the first of its stages in which it can be."""
    shifted = instruction.shifted_registers or _unshifted_operand(instruction)
    is_conditional = _FLAGS in instruction.reads
    floors = {_FLAGS: 1, **(after(1, instruction.writes) if is_conditional else {})}
    if shifted:
        needed = after(-1, shifted)
        return Demand(("alu", "shift"), needed=needed, slides=_LAST_TWO, floors=floors)
    if "sp" in instruction.writes:
        return Demand(("alu",), needed=after(-1, instruction.reads), floors=floors)
    stages = _stages(instruction.name)
    if is_conditional:
        stages = (0, stages[1])
    return Demand(("alu",), slides=stages, floors=floors)


def _stages(name: str) -> tuple[int, int]:
    if name in _BITWISE:
        return _LAST_TWO
    return _FIRST_TWO if name in _SHIFTS else _ANY_STAGE


def _unshifted_operand(instruction: Instruction) -> frozenset[str]:
    """The last register of a 32-bit instruction that passes the shifter without a shift."""
    names = instruction.operands.split(", ")
    is_such = instruction.bytes == 4 and instruction.name in _SHIFTER_OPERANDS
    return frozenset(names[-1:]) & instruction.reads if is_such else frozenset()


def _accumulators(instruction: Instruction) -> frozenset[str]:
    """The last operand of a multiply-accumulate; both results of a long one."""
    names = instruction.operands.split(", ")
    if "lal" in instruction.name or instruction.name == "umaal":
        return frozenset(names[:2])
    is_accumulate = instruction.name.startswith(("mla", "mls", "smla", "smls", "smml"))
    return frozenset(names[3:]) if is_accumulate else frozenset()


def _floating(instruction: Instruction) -> Demand:
    """Scalar floats, which take half a pipe, or all of it if they are double."""
    name = instruction.name
    if name in ("vmrs", "vmsr"):
        return Demand(("port",), latency=2, first=True, last=True)
    pipe, latency = _float_kind(instruction)
    halves = 2 if instruction.operands.startswith("d") else 1
    blocks = _FLOAT_DIVIDE * halves if name in ("vdiv", "vsqrt") else 0
    needed = after(2, instruction.reads & instruction.writes) if name.startswith("vf") else {}
    core = frozenset(each for each in instruction.reads if each[:1] not in "sdq")
    units = ((pipe,) if pipe else ()) + ("port",)
    return Demand(
        units * halves + ("slot",),
        latency=max(latency, blocks),
        blocks=blocks,
        first=halves == 2 and bool(pipe),
        last=halves == 2 and bool(pipe),
        needed={**needed, **after(1, core)},
    )


def _float_kind(instruction: Instruction) -> tuple[str, int]:
    name = instruction.name
    if name.startswith("vmov"):
        return "", 1 if instruction.operands.startswith(("s", "d")) else 2
    return next((kind for prefixes, kind in _FLOAT_KINDS if name.startswith(prefixes)), ("b", 2))


PIPELINE = Pipeline(width=2, demand=_demand, units=_UNITS)
