"""Finds every op family and its kernels, so that adding a folder is all it takes to add an op."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import smidgen.ops
from smidgen.core.errors import UnsupportedOp
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Kernel
from smidgen.ops.spaces import FLAT, Spaces
from smidgen.targets.catalogue import Core

AVR = "avr"
"""The feature of 8-bit AVR cores."""


@cache
def families() -> tuple[str, ...]:
    """The names of the op families: the packages below `smidgen.ops`."""
    return tuple(
        sorted(module.name for module in iter_modules(smidgen.ops.__path__) if module.ispkg)
    )


@cache
def kernels() -> Mapping[type[Op], tuple[Kernel, ...]]:
    """Every kernel, by the op class that it serves.

    A family lists its own in `KERNELS` of its module ``kernels``, or of each module of its package
    ``kernels``.
    """
    found: dict[type[Op], list[Kernel]] = {}
    for family in families():
        for module in _kernel_modules(f"smidgen.ops.{family}.kernels"):
            for kernel in module.KERNELS:
                found.setdefault(kernel.op, []).append(kernel)
    return {op: tuple(listed) for op, listed in found.items()}


def _kernel_modules(name: str) -> list[ModuleType]:
    if find_spec(name) is None:
        return []
    module = import_module(name)
    if not hasattr(module, "__path__"):
        return [module]
    return [import_module(f"{name}.{entry.name}") for entry in iter_modules(module.__path__)]


def candidates(op: Op, signature: Signature, core: Core) -> tuple[Kernel, ...]:
    """The kernels that can run `op` on `core`, in the order in which their family lists them.

    Where some are made for 8-bit AVR, no others: what these declare to cost holds for 32 bits.
    """
    found = tuple(
        kernel
        for kernel in kernels().get(type(op), ())
        if kernel.requires <= core.features and kernel.accepts(op, signature)
    )
    return tuple(kernel for kernel in found if AVR in kernel.requires) or found


def no_kernel(node: str, op: Op, signature: Signature) -> UnsupportedOp:
    """The error for a node that no kernel serves."""
    types = ", ".join(
        f"{tensor.dtype.label}{list(tensor.shape)}" if tensor else "-"
        for tensor in signature.inputs
    )
    served = "another type" if kernels().get(type(op)) else "another op"
    return UnsupportedOp(
        f"{node} ({op.kind})",
        f"no kernel takes inputs {types} and gives {signature.output.dtype.label}",
        f"quantise the model to int8, or express the layer with {served}",
    )


@cache
def headers() -> Mapping[str, str]:
    """The text of every C header of every family, by file name, with its marks of spaces."""
    texts: dict[str, str] = {}
    for family in families():
        for entry in files(f"smidgen.ops.{family}").iterdir():
            if entry.name.endswith(".h"):
                texts[entry.name] = entry.read_text(encoding="utf-8")
    return texts


def header_closure(wanted: Iterable[str], spaces: Spaces = FLAT) -> dict[str, str]:
    """`wanted` headers and those that they include, by file name, as they are for `spaces`."""
    found: dict[str, str] = {}
    queue = list(wanted)
    while queue:
        name = queue.pop(0)
        if name in found:
            continue
        found[name] = spaces.resolve(headers()[name])
        lines = found[name].splitlines()
        queue += [line.split('"')[1] for line in lines if line.startswith('#include "')]
    return dict(sorted(found.items()))


@cache
def marked_text(header: str) -> str:
    """`header` and those that it includes, one after the other, with their marks of spaces."""
    return "\n".join(headers()[name] for name in header_closure([header]))
