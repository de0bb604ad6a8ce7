"""Functions through which several layers run one copy of a kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from smidgen.compiler.codegen.calls import called
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.sharing import Style


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a C function: a pointer type, and its name."""

    type_name: str
    name: str


def numbered(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """`parameters`, those of one name told apart by numbers: x0, x1."""
    uses = Counter(each.name for each in parameters)
    seen: Counter[str] = Counter()
    told = []
    for each in parameters:
        name = each.name if uses[each.name] == 1 else f"{each.name}{seen[each.name]}"
        seen[each.name] += 1
        told.append(replace(each, name=name))
    return tuple(told)


@dataclass(slots=True)
class SharedFunctions:
    """One function for each kernel function and parameters that layers share.

    The kernels themselves are inlined wherever they are called: into a layer of their own, or here.
    """

    _definitions: list[str] = field(default_factory=list)
    _names: dict[tuple[str, tuple[Parameter, ...], Style], str] = field(default_factory=dict)

    def of(
        self, function: str, parameters: tuple[Parameter, ...], style: Style, names: Names
    ) -> str:
        """The name of the function that calls `function` with `parameters`."""
        key = (function, parameters, style)
        if key not in self._names:
            self._names[key] = names.fresh(style.value, function.removeprefix("smg_"))
            linkage = "SMG_COMPACT" if style is Style.COMPACT else "SMG_SHARED"
            self._definitions.append(_definition(linkage, self._names[key], function, parameters))
        return self._names[key]

    def text(self) -> str:
        """All of them as C."""
        if not self._definitions:
            return ""
        return "\n".join(
            [
                "/* Kernels that layers share, and small code for what takes little time. */",
                *self._definitions,
                "",
            ]
        )


def _definition(linkage: str, name: str, function: str, parameters: Sequence[Parameter]) -> str:
    declared = ",\n    ".join(f"{each.type_name}{each.name}" for each in parameters)
    call = called(function, [each.name for each in parameters])
    return f"{linkage} void {name}(\n    {declared}) {{\n{call}\n}}\n"
