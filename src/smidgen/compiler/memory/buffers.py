"""What the arena planner is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Buffer:
    """`nbytes` that hold a value from step `first` to step `last`, both included."""

    name: str
    nbytes: int
    first: int
    last: int

    def meets(self, other: Buffer) -> bool:
        """Whether both hold a value at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Allowance:
    """`target` may overlap `source` if offset(target) - offset(source) <= ahead or >= behind.

    With `in_place`, a distance of exactly 0 is legal as well. The target begins at the step at
    which the source ends: one is an output, the other an input of that step's node.
    """

    target: str
    source: str
    ahead: int | None
    behind: int | None
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The offset of each buffer, the arena that holds them, and the least any plan could need.

    `lower_bound_bytes` is proven: where it equals `arena_bytes`, no better plan exists.
    """

    offsets: Mapping[str, int]
    arena_bytes: int
    lower_bound_bytes: int

    @property
    def gap_bytes(self) -> int:
        """How far the arena is from what is known to be needed; 0 for a plan proven best."""
        return self.arena_bytes - self.lower_bound_bytes
