"""What AArch64 instructions ask of a core, by kind; each core says what the kinds take."""

from __future__ import annotations

from enum import Enum

from smidgen.emulate.linked.disassembly import Instruction

_JUMPS = ("b.", "cb", "tb", "br", "bl", "ret")
_WIDE = (".2d", ".4s", ".8h", ".16b")
_VECTOR_PRODUCTS = ("mul", "mla", "mls", "smul", "umul", "smla", "umla", "smls", "umls", "sqdm",
                    "sqrdm", "fmla", "fmls", "fmul", "fmadd", "fmsub", "fnm", "sdot", "udot",
                    "pmul")  # fmt: skip
_SUMS = ("mla", "mls", "smla", "umla", "smls", "umls", "sqdmla", "fmla", "fmls", "sdot", "udot",
         "saba", "uaba", "sada", "uada", "ssra", "usra")  # fmt: skip
_PRODUCTS = ("mul", "madd", "msub", "mneg", "smul", "umul", "smadd", "umadd", "smsub", "umsub",
             "smneg", "umneg")  # fmt: skip


class Kind(Enum):
    """Instructions that go the same way through a core."""

    INTEGER = "integer"
    SHIFTED = "shifted"
    PRODUCT = "product"
    DIVISION = "division"
    LOAD = "load"
    STORE = "store"
    JUMP = "jump"
    VECTOR = "vector"
    ELEMENT = "element of a vector"
    VECTOR_PRODUCT = "vector product"
    FLOAT_DIVISION = "float division"


def kind_of(instruction: Instruction) -> Kind:
    """The kind of `instruction`."""
    name = instruction.name
    if name == "b" or name.startswith(_JUMPS):
        return Kind.JUMP
    if name.startswith(("ld", "prf")):
        return Kind.LOAD
    if name.startswith("st"):
        return Kind.STORE
    return _vector_kind(instruction) if _is_vector(instruction) else _scalar_kind(instruction)


def _scalar_kind(instruction: Instruction) -> Kind:
    if instruction.name in ("sdiv", "udiv"):
        return Kind.DIVISION
    if instruction.name.startswith(_PRODUCTS):
        return Kind.PRODUCT
    return Kind.SHIFTED if _shifts(instruction) else Kind.INTEGER


def _vector_kind(instruction: Instruction) -> Kind:
    name = instruction.name
    if name in ("fdiv", "fsqrt"):
        return Kind.FLOAT_DIVISION
    if name.startswith(_VECTOR_PRODUCTS):
        return Kind.VECTOR_PRODUCT
    return Kind.ELEMENT if _moves_element(instruction) else Kind.VECTOR


def _moves_element(instruction: Instruction) -> bool:
    """Between vectors and the other registers, or to a place within a vector."""
    if instruction.name not in ("dup", "ins", "mov", "umov", "smov", "fmov"):
        return False
    return "[" in instruction.operands or any(name[0] == "x" for name in instruction.reads)


def _is_vector(instruction: Instruction) -> bool:
    return any(register.startswith("v") for register in instruction.reads | instruction.writes)


def _shifts(instruction: Instruction) -> bool:
    last = instruction.operands.rpartition(", ")[2]
    return last.startswith(("lsl #", "lsr #", "asr #", "ror #", "sxt", "uxt"))


def is_wide(instruction: Instruction) -> bool:
    """Whether its vectors have 128 bits."""
    text = instruction.operands
    return any(shape in text for shape in _WIDE) or text.startswith("q") or ", q" in text


def writes_back(instruction: Instruction) -> bool:
    """Whether a load or store also moves its base register."""
    return instruction.operands.endswith("!") or "], " in instruction.operands


def registers_moved(instruction: Instruction) -> int:
    """How many registers a load or store moves."""
    named = len(instruction.listed)
    return named or (2 if instruction.name in ("ldp", "stp", "ldpsw", "ldnp", "stnp") else 1)


def sums_of(instruction: Instruction) -> frozenset[str]:
    """The vector register that a product or difference is added to."""
    is_sum = _is_vector(instruction) and instruction.name.startswith(_SUMS)
    return instruction.writes if is_sum else frozenset()
