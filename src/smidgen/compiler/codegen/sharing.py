"""Functions through which several layers run one copy of a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from smidgen.compiler.codegen.names import Names
from smidgen.compiler.sharing import Style


@dataclass(slots=True)
class SharedFunctions:
    """One function for each kernel function and types of its arguments that layers share.

    The kernels themselves are inlined wherever they are called: into a layer of their own, or here.
    """

    _definitions: list[str] = field(default_factory=list)
    _names: dict[tuple[str, tuple[str, ...], Style], str] = field(default_factory=dict)

    def of(self, function: str, types: tuple[str, ...], style: Style, names: Names) -> str:
        """The name of the function that calls `function` with arguments of the C types `types`."""
        key = (function, types, style)
        if key not in self._names:
            self._names[key] = names.fresh(style.value, function.removeprefix("smg_"))
            linkage = "SMG_COMPACT" if style is Style.COMPACT else "SMG_SHARED"
            self._definitions.append(_definition(linkage, self._names[key], function, types))
        return self._names[key]

    def text(self) -> str:
        """All of them as C."""
        return "".join(f"{definition}\n" for definition in self._definitions)


def _definition(linkage: str, name: str, function: str, types: Sequence[str]) -> str:
    letters = [chr(ord("a") + index) for index in range(len(types))]
    head = f"{linkage} void {name}("
    inner = ", ".join(f"{kind}{letter}" for kind, letter in zip(types, letters, strict=True))
    return f"{head}{inner}) {{\n    {function}({', '.join(letters)});\n}}\n"
