"""smidgen: machine learning in a smidgen of memory.

The public API is what this module names. The usual way from a model to a proof:

    import smidgen

    graph = smidgen.load("model.tflite")
    artifact = smidgen.compile(graph, board="nucleo-l4r5zi")
    outputs = smidgen.run(artifact, [array])
    print(smidgen.profile(artifact).instructions)

Everything raises a branch of `smidgen.SmidgenError`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smidgen.core.errors import SmidgenError

if TYPE_CHECKING:
    from smidgen.api import boards, compile, load, profile, run, verify
    from smidgen.compiler.artifact import Artifact
    from smidgen.emulate.measure import Measurement
    from smidgen.emulate.proof import Proof
    from smidgen.graph.graph import Graph
    from smidgen.targets.catalogue import Board

__version__ = "0.1.0"

__all__ = [
    "Artifact",
    "Board",
    "Graph",
    "Measurement",
    "Proof",
    "SmidgenError",
    "boards",
    "compile",
    "load",
    "profile",
    "run",
    "verify",
]

_HOMES = {
    "Artifact": "smidgen.compiler.artifact",
    "Board": "smidgen.targets.catalogue",
    "Graph": "smidgen.graph.graph",
    "Measurement": "smidgen.emulate.measure",
    "Proof": "smidgen.emulate.proof",
    **dict.fromkeys(("boards", "compile", "load", "profile", "run", "verify"), "smidgen.api"),
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for, so that `import smidgen` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'smidgen' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, "__version__"])
