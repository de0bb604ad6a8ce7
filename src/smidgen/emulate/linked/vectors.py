"""What Armv8.1-M adds, by encoding, since the disassembler does not know it: vectors and loops.

The encodings are in `vectors.tsv`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

_TABLE = Path(__file__).with_name("vectors.tsv")
_CORE = (*(f"r{n}" for n in range(9)), "sb", "sl", "fp", "ip", "sp", "lr", "pc")
LOOP_ENDS = frozenset({"le", "letp"})


@dataclass(frozen=True, slots=True)
class Vector:
    """An instruction that Armv8.1-M adds: its name, and registers by name."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]


_Field = Callable[[int], Sequence[str]]


def _vectors(count: int) -> _Field:
    return lambda first: [f"q{first + n}" for n in range(count)]


def _core(number: int) -> Sequence[str]:
    return [_CORE[number]]


def _even(number: int) -> Sequence[str]:
    return [_CORE[2 * number]]


def _odd(number: int) -> Sequence[str]:
    return [_CORE[2 * number + 1]]


_FIELDS: Mapping[str, _Field] = MappingProxyType(
    {
        **dict.fromkeys("dabsnm", _vectors(1)),
        **dict.fromkeys("eg", _vectors(2)),
        **dict.fromkeys("fi", _vectors(4)),
        **dict.fromkeys("DEARSW", _core),
        **dict.fromkeys("Ll", _even),
        **dict.fromkeys("Hho", _odd),
    }
)
_READ, _WRITTEN = frozenset("absnmefgiARSWlho"), frozenset("dabefDEAWLHlh")


@dataclass(frozen=True, slots=True)
class _Encoding:
    name: str
    fixed: int
    value: int
    fields: tuple[tuple[str, int], ...]
    reads: frozenset[str]
    writes: frozenset[str]

    def decoded(self, word: int) -> Vector:
        found = [(letter, _FIELDS[letter](_bits(word, mask))) for letter, mask in self.fields]
        read = (name for letter, names in found if letter in _READ for name in names)
        written = (name for letter, names in found if letter in _WRITTEN for name in names)
        return Vector(self.name, self.reads.union(read), self.writes.union(written))


@lru_cache(maxsize=65536)
def decode(encoding: bytes) -> Vector | None:
    """The instruction with this encoding, if Armv8.1-M has added it."""
    if len(encoding) != 4:
        return None
    first, second = encoding[:2], encoding[2:]
    word = int.from_bytes(first, "little") << 16 | int.from_bytes(second, "little")
    matching = (each for each in _encodings() if word & each.fixed == each.value)
    found = next(matching, None)
    return found.decoded(word) if found else None


def predicated_by(encoding: bytes) -> int:
    """How many instructions behind VPST or VPT, if it is one of them, run under a predicate.

    The mask ends in its lowest set bit (DDI 0553, "VPT").
    """
    second = int.from_bytes(encoding[2:], "little")
    first = int.from_bytes(encoding[:2], "little")
    mask = (first >> 6 & 1) << 3 | second >> 13
    return next((4 - bit for bit in range(4) if mask >> bit & 1), 0)


@lru_cache(maxsize=1)
def _encodings() -> tuple[_Encoding, ...]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    return tuple(_encoding(line) for line in lines if not line.startswith("#"))


def _encoding(line: str) -> _Encoding:
    name, bits, reads, writes = (*line.split("\t"), "", "")[:4]
    return _Encoding(
        name=name,
        fixed=_mask(bits, "01"),
        value=_mask(bits, "1"),
        fields=tuple((letter, _mask(bits, letter)) for letter in _letters(bits)),
        reads=frozenset(reads.split()),
        writes=frozenset(writes.split()),
    )


def _letters(bits: str) -> Iterator[str]:
    yield from dict.fromkeys(bit for bit in bits if bit.isalpha())


def _mask(bits: str, wanted: str) -> int:
    return int("".join("1" if bit in wanted else "0" for bit in bits), 2)


def _bits(word: int, mask: int) -> int:
    """The field of `word` that `mask` covers in one piece."""
    lowest = mask & -mask
    return (word & mask) // lowest
