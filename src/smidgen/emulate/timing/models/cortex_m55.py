"""Cortex-M55: the scalar pipeline of the Cortex-M33, and vectors of two beats. No table is public.

Source: the scheduling model that Arm gave to LLVM (ARMScheduleM55.td of LLVM 19), with its
latencies. Of its rules:

- A vector instruction takes one of three pipes (loads and stores, integers, multiplications and
  floats) for two clocks; the next one for another pipe starts a clock later, for the same pipe two.
- A result of one clock is there for the next instruction: its first beat follows the first beat.
  Products, sums over a vector and saturating shifts take two, narrowing shifts three. A vector that
  is stored is needed a clock later, unless it was narrowed.
- Addresses in a vector are needed four clocks early.
- Nothing starts together with a vector or floating-point instruction; scalar results are not
  forwarded to accumulators as on the Cortex-M33.

- A jump that is taken costs three clocks more, for refilling the pipeline, which has a stage more
  than that of the Cortex-M33 (LLVM's MispredictPenalty, and its comment on the stages). That only
  the end of a low-overhead loop is predicted is assumed.

Where LLVM's model is too coarse for clocks, the rules are those of `mainline`: LDM and STM take a
clock for each register, LDRD and STRD two, a division seven. Data are taken to be in tightly
coupled memory or the cache; what the board's memory adds is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from smidgen.emulate.timing.models.mainline import is_jump, scalar_demand
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, after, straight_clocks

BEATS = 2
_ALONE = Demand(first=True, last=True)
_GATHER_CLOCKS = 4
_LOAD, _INTEGER, _MULTIPLY, _CONTROL = "load", "integer", "multiply", "control"
_EITHER = {_INTEGER: BEATS, _MULTIPLY: BEATS}
# Pipe and latency of what is neither a load or store nor an integer operation of one clock.
_KINDS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("vctp", "vpnot", "vpst"), (_CONTROL, 1)),
        **dict.fromkeys(
            (
                "vabd.f", "vabs.f", "vadd.f", "vcadd.f", "vcmp", "vcmp.f", "vpt", "vpt.f",
                "vmaxnm", "vminnm", "vmaxnma", "vminnma", "vmaxnmv", "vminnmv", "vmaxnmav",
                "vminnmav", "vmov_lane_r", "vneg.f", "vsub.f",
            ),
            (_MULTIPLY, 1),
        ),
        **dict.fromkeys(
            (
                "vadc", "vsbc", "vmullp", "vqshl", "vqshlu", "vrshl", "vqrshl", "vrshr", "vmaxv32",
                "vminv32", "vmaxav32", "vminav32",
            ),
            (_INTEGER, 2),
        ),
        **dict.fromkeys(
            (
                "vabav", "vmaxv16", "vminv16", "vmaxav16", "vminav16", "vmovn", "vqmovn",
                "vqmovun", "vshrn", "vrshrn", "vqshrn", "vqrshrn", "vqshrun", "vqrshrun",
            ),
            (_INTEGER, 3),
        ),
        **dict.fromkeys(("vmaxv8", "vminv8", "vmaxav8", "vminav8"), (_INTEGER, 4)),
        "vcvt_narrow": (_MULTIPLY, 3),
    }
)  # fmt: skip
_PRODUCTS = ("vmul", "vml", "vrml", "vrmulh", "vqdml", "vqrdml", "vqdmul", "vqrdmul", "vfm", "vcm",
             "vcvt", "vrint", "vaddv", "vaddlv", "vmov")  # fmt: skip
_SCALAR_OPERAND = frozenset({"vadd.f", "vsub.f"})
"""Take a clock more where the second operand is a core register."""
_FLOAT_ACCUMULATES = ("vmla", "vmls", "vnml")
_FLOAT_FAST = ("vcmp", "vmov", "vmrs", "vmsr")
_FLOAT_MULTIPLE = ("vldm", "vstm", "vpush", "vpop")
_FLOAT_DIVIDE = 16
_REFILL = 3


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    taken = _REFILL if is_jump(block[-1]) and not ends_loop(block[-1]) else 0
    return BlockCost(straight=straight_clocks(tuple(as_run(block)), PIPELINE), taken=taken)


def _demand(instruction: Instruction) -> Demand:
    if is_vector(instruction):
        return _access(instruction) if is_access(instruction) else _operation(instruction)
    if instruction.name.startswith("v") and not instruction.name.startswith(_FLOAT_MULTIPLE):
        return _floating(instruction)
    if "mve" in instruction.groups:  # 64-bit shifts, conditional selects, starts of loops
        is_shift = instruction.name.startswith(("lsll", "lsrl", "asrl", "sq", "uq", "sr", "ur"))
        return replace(_ALONE, units=("main",), latency=2 if is_shift else 1)
    return replace(scalar_demand(instruction), needed={})


def _access(instruction: Instruction) -> Demand:
    """A vector load or store; the address may be in a vector too."""
    is_store = instruction.name.startswith("vst")
    is_gather = instruction.name.endswith("_q")
    stored = stored_vectors(instruction)
    offsets = vectors_of(instruction.reads) - stored if is_gather else frozenset[str]()
    return Demand(
        (_LOAD,),
        holds={_LOAD: BEATS},
        latency=2 if is_gather and not is_store else 1,
        latencies=after(1, scalars_of(instruction.writes)),
        first=True,
        last=True,
        needed=after(-_GATHER_CLOCKS, offsets),
        stores=stored if not is_gather else frozenset(),
    )


def _operation(instruction: Instruction) -> Demand:
    if instruction.name == "vmov_r_lane":
        return replace(_ALONE, one_of=(_INTEGER, _MULTIPLY), holds=_EITHER)
    pipe, latency = _kind(instruction)
    is_vector_result = bool(vectors_of(instruction.writes))
    return Demand(
        (pipe,),
        holds={pipe: 1 if pipe == _CONTROL else BEATS},
        latency=latency,
        stored_after=1 if latency == 2 and is_vector_result else None,
        first=True,
        last=True,
    )


def _kind(instruction: Instruction) -> tuple[str, int]:
    name = instruction.name
    if name in _SCALAR_OPERAND and scalars_of(instruction.reads):
        return _MULTIPLY, 2
    if name in _KINDS:
        return _KINDS[name]
    return (_MULTIPLY, 2) if name.startswith(_PRODUCTS) and name != "vmovl" else (_INTEGER, 1)


def _floating(instruction: Instruction) -> Demand:
    """Scalar floats, which go down the same pipes."""
    name = instruction.name
    if name in ("vldr", "vstr"):
        return Demand((_LOAD,), latency=2 if name == "vldr" else 1, first=True, last=True)
    if name in ("vdiv", "vsqrt"):
        return Demand((_MULTIPLY,), latency=_FLOAT_DIVIDE, first=True, last=True)
    latency = 4 if name.startswith(_FLOAT_ACCUMULATES) else 2
    from_core = name == "vmov" and any(each[:1] not in "sdq" for each in instruction.reads)
    if name.startswith(_FLOAT_FAST) and not from_core:
        latency = 1
    return Demand((_MULTIPLY,), latency=latency, first=True, last=True)


PIPELINE = Pipeline(width=2, demand=_demand)
