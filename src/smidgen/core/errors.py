"""The exception tree of smidgen, drawn once.

    SmidgenError                   everything we raise on purpose
    |-- InputError                 something the user handed us
    |   |-- ModelFileError         a model file that is missing, malformed or truncated
    |   |-- DatasetError           a recording, label or dataset folder
    |   |-- ArrayError             an input array of the wrong shape or type
    |   `-- ArtifactError          a build folder that is no build folder, or was changed
    |-- UnsupportedError           valid input that smidgen cannot take
    |   |-- UnsupportedOp
    |   `-- UnsupportedType
    |-- UnknownName                a board, core, command option: suggests the nearest names
    |-- DoesNotFit                 the build exceeds the board's flash or RAM
    |-- ToolchainError             the C compiler failed or is not there
    |-- EmulationError             the emulated core faulted, or ran away
    |-- MissingExtra               an optional dependency is not installed
    `-- GraphError                 a graph breaks a rule (ours to fix, unless you built it by hand)

Every message names the thing, the cause and the way out. The CLI prints it on one line and exits
non-zero; a library user catches ``SmidgenError`` or a branch of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SmidgenError(Exception):
    """Base of all errors: `thing` is what it is about, `why` the cause, `hint` the way out."""

    def __init__(self, thing: str, why: str, hint: str = "") -> None:
        self.thing = thing
        self.why = why
        self.hint = hint
        super().__init__(f"{thing}: {why}" + (f"; {hint}" if hint else ""))


class InputError(SmidgenError):
    """Something the user handed us is not what it should be."""


class ModelFileError(InputError):
    """A model file is missing, malformed or truncated."""


class DatasetError(InputError):
    """A recording, a label or a dataset folder cannot be used."""


class ArrayError(InputError):
    """An array has the wrong shape, type or values."""


class ArtifactError(InputError):
    """A build folder is missing, incomplete or was changed after it was written."""


class UnsupportedError(SmidgenError):
    """The input is valid, but smidgen cannot take it."""


class UnsupportedOp(UnsupportedError):
    """An operator, or one of its options, that no kernel serves."""


class UnsupportedType(UnsupportedError):
    """A data type, or a combination of them, that no kernel serves."""


class UnknownName(SmidgenError):
    """A name that is in no catalogue; the hint suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name.lower(), names, n=3, cutoff=0.4)
        way_out = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
        super().__init__(f"{kind} {name!r}", f"there is no such {kind}", way_out)


class DoesNotFit(SmidgenError):
    """The build needs more flash or RAM than the board has."""


class ToolchainError(SmidgenError):
    """The C compiler refused, failed or is not installed."""


class EmulationError(SmidgenError):
    """The emulated core faulted, ran away or was given something it cannot run."""


class MissingExtra(SmidgenError):
    """An optional dependency is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"package {package!r}",
            f"not installed, and {purpose} needs it",
            f"pip install 'smidgen[{extra}]'",
        )


class GraphError(SmidgenError):
    """A graph breaks one of the rules in `smidgen.graph.check`."""
