"""Kernels: how an op becomes a call of a C function.

A `Kernel` says which ops, types and cores it serves, packs the constants as its C header wants
them, and states what the memory planner must know: scratch, and how far output and input may share
bytes. Kernels of a family are listed in the `KERNELS` tuple of its ``kernels`` module; the registry
finds them there, so that adding one touches nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.targets.catalogue import Core


@dataclass(frozen=True, slots=True, eq=False)
class CArray:
    """A constant table in flash, referred to from a parameter struct."""

    dtype: DType
    data: Array
    comment: str = ""


@dataclass(frozen=True, slots=True)
class CStruct:
    """A constant parameter struct: its C type and its fields in order."""

    type_name: str
    fields: tuple[tuple[str, CValue], ...]


CValue = int | float | CArray | CStruct | None


@dataclass(frozen=True, slots=True)
class InputArg:
    """The pointer to input `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class OutputArg:
    """The pointer to output `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class ScratchArg:
    """The pointer to the scratch memory of this call (`uint8_t *`, aligned to 8)."""


Argument = InputArg | OutputArg | ScratchArg


@dataclass(frozen=True, slots=True)
class Overlap:
    """Output `output` may share bytes with input `input` if it keeps its distance.

    With d = address(output) - address(input): legal iff d <= `ahead` (a kernel that walks
    forwards), or d >= `behind` (one that walks backwards). None rules that side out.
    """

    output: int
    input: int
    ahead: int | None = 0
    behind: int | None = None
    in_place: bool = False
    """Whether d = 0 is legal whatever the sides say: a kernel that goes channel by channel."""


@dataclass(frozen=True, slots=True)
class View:
    """A tensor that needs no copy: `inner` lies inside `outer`, `offset` bytes from its start."""

    inner: tuple[str, int]
    """("input" | "output", index) of the tensor that lies inside."""
    outer: tuple[str, int]
    offset: int = 0


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One node as C: `function(&params, arguments...)`, from `header`."""

    kernel: str
    header: str = ""
    function: str = ""
    params: CStruct | None = None
    arguments: tuple[Argument, ...] = ()
    scratch_bytes: int = 0
    overlaps: tuple[Overlap, ...] = ()
    views: tuple[View, ...] = ()
    offers: tuple[View, ...] = ()
    """Views that the memory plan may take, each for itself: the function then finds that part of
    its work done, by its pointers."""
    idle_if_taken: bool = False
    """Whether no code is needed where all offers are taken."""
    frugal: KernelCall | None = None
    """The same in less scratch and more time: for layers that would make the arena larger."""

    @property
    def is_free(self) -> bool:
        """Whether no code runs: every output is a view."""
        return not self.function


@dataclass(frozen=True, slots=True)
class Cost:
    """What a kernel is expected to take for one node; compared between candidates."""

    instructions: float
    flash_bytes: float = 0.0
    scratch_bytes: float = 0.0


class Kernel(ABC):
    """One way of running one kind of op on some cores."""

    name: ClassVar[str]
    op: ClassVar[type[Op]]
    requires: ClassVar[frozenset[str]] = frozenset()
    """Core features that its C uses, e.g. ``dsp``."""
    spends_flash: ClassVar[bool] = False
    """Whether it takes several times the flash of others for its speed: for "speed" alone."""

    @abstractmethod
    def accepts(self, op: Op, signature: Signature) -> bool:
        """Whether it serves this op on these types and shapes."""

    @abstractmethod
    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The call for a node that it accepts."""

    @abstractmethod
    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """The expected cost on `core` of a node that it accepts."""
