"""What kernels were measured to take for layers, and the table of it that is shipped.

A measurement is known by what it was made from: core, compiler flag, op, types and shapes, kernel,
and the text of the kernel's Python and C. What was measured of another version of a kernel is
therefore never found, and quantisation does not matter but where it decides which C function runs.

`measured.tsv` beside this file holds the layers of common models; ``make tune`` writes it anew. A
layer that is not in it is chosen by the costs that its kernels declare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import getfile
from pathlib import Path
from types import MappingProxyType

from smidgen.compiler.sharing import Style
from smidgen.core.errors import InputError
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Kernel, KernelCall
from smidgen.ops.registry import header_closure
from smidgen.targets.cache import fingerprint
from smidgen.targets.catalogue import Core

_SHIPPED = Path(__file__).with_name("measured.tsv")
_KEY_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Run:
    """A layer in one style: its time, its own code and parameters, and the function that it shares.

    Tables of weights come on top.
    """

    instructions: int
    modelled_cycles: int | None
    layer_bytes: int
    shared_bytes: int

    @property
    def time(self) -> int:
        """Modelled cycles where the core has a model of them, otherwise instructions."""
        return self.instructions if self.modelled_cycles is None else self.modelled_cycles


@dataclass(frozen=True, slots=True)
class Measured:
    """One kernel for one layer, in every style; `support` are the functions that it calls."""

    runs: Mapping[Style, Run]
    support: Mapping[str, int]


CostTable = Mapping[str, Measured]
"""Measurements by `layer_key`."""


def layer_key(
    core: Core, optimise: str, op: Op, signature: Signature, kernel: Kernel, call: KernelCall
) -> str:
    """What a measurement is filed under: 16 hexadecimal digits."""
    types = [tensor and (tensor.type, tensor.is_constant) for tensor in signature.inputs]
    results = [tensor.type for tensor in signature.outputs]
    parts = (core.name, optimise, op, types, results, kernel.name, call.function)
    return fingerprint(*parts, _source(kernel, call.header))[:_KEY_LETTERS]


@cache
def _source(kernel: Kernel, header: str) -> str:
    python = definition(kernel).read_text(encoding="utf-8")
    return fingerprint(python, sorted(_headers(header).items()))


def definition(kernel: Kernel) -> Path:
    """The file of the kernel's class, or of its base where the class was made by `type`.

    Python takes such a class to be defined in a module of its own library, which differs from one
    version of Python to the next.
    """
    own = next(each for each in type(kernel).__mro__ if each.__module__.startswith("smidgen."))
    return Path(getfile(own))


def _headers(header: str) -> Mapping[str, str]:
    """`header` ("" for a call without code) and all that it includes."""
    return header_closure(name for name in ("smg.h", header) if name)


@cache
def support_functions(header: str) -> frozenset[str]:
    """The names of C functions that may be in `header` and those that it includes."""
    return frozenset(
        name for text in _headers(header).values() for name in re.findall(r"\b(smg_\w+)\(", text)
    )


@cache
def shipped() -> CostTable:
    """The table that comes with smidgen."""
    return parse(_SHIPPED.read_text(encoding="utf-8")) if _SHIPPED.exists() else {}


def parse(text: str) -> CostTable:
    """The table that `write` made; raises InputError for anything else."""
    try:
        return MappingProxyType(dict(_parse(line) for line in text.splitlines() if line))
    except (ValueError, IndexError) as problem:
        raise InputError(
            "table of costs", f"is damaged: {problem}", "write it anew: smidgen tune --table"
        ) from problem


def write(table: CostTable) -> str:
    """The table as text, one line a measurement, in order of their keys."""
    return "".join(f"{_line(key, table[key])}\n" for key in sorted(table))


def _line(key: str, measured: Measured) -> str:
    runs = [_fields(measured.runs[style]) for style in Style]
    support = ",".join(f"{name}:{size}" for name, size in sorted(measured.support.items()))
    return "\t".join([key, *runs, support])


def _fields(run: Run) -> str:
    cycles = "" if run.modelled_cycles is None else run.modelled_cycles
    return f"{run.instructions},{cycles},{run.layer_bytes},{run.shared_bytes}"


def _parse(line: str) -> tuple[str, Measured]:
    key, *runs, support = line.split("\t")
    pairs: Iterable[list[str]] = (item.split(":") for item in support.split(",") if item)
    named = {name: int(size) for name, size in pairs}
    return key, Measured(dict(zip(Style, map(_run, runs), strict=True)), named)


def _run(text: str) -> Run:
    instructions, cycles, layer, shared = text.split(",")
    return Run(int(instructions), int(cycles) if cycles else None, int(layer), int(shared))
