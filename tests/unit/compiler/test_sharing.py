"""Which layers share a kernel's code, and how the C says it."""

from __future__ import annotations

import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.compiler.objective import OBJECTIVES
from smidgen.compiler.sharing import Style, styles
from smidgen.graph.graph import Node
from smidgen.ops.kernel import KernelCall
from smidgen.ops.shape.ops import Reshape
from smidgen.targets.catalogue import board
from support.graphs import small_convnet


def styles_of(functions: dict[str, str], instructions: dict[str, float], objective: str):
    """The styles of nodes that run `functions`."""
    chosen = [
        (Node(name, Reshape((1,)), (), ()), KernelCall("kernel", function=function))
        for name, function in functions.items()
    ]
    return styles(chosen, instructions, OBJECTIVES[objective])


def test_layers_of_one_kernel_share_it_unless_speed_is_all() -> None:
    functions, taken = {"a": "f", "b": "f", "c": "g"}, {"a": 100.0, "b": 100.0, "c": 100.0}
    shared = {"a": Style.SHARED, "b": Style.SHARED, "c": Style.OWN}
    assert styles_of(functions, taken, "balanced") == shared
    assert styles_of(functions, taken, "size") == shared
    assert set(styles_of(functions, taken, "speed").values()) == {Style.OWN}


def test_what_takes_little_time_is_compact() -> None:
    found = styles_of({"hot": "f", "cold": "g"}, {"hot": 1000.0, "cold": 5.0}, "balanced")
    assert found == {"hot": Style.OWN, "cold": Style.COMPACT}


@pytest.mark.parametrize(("objective", "copies"), [("balanced", 1), ("speed", 0)])
def test_generated_code_has_one_function_for_those_that_share(objective: str, copies: int) -> None:
    artifact = compile_graph(small_convnet(), board("nucleo-l4r5zi"), objective=objective)
    text = next(content for name, content in artifact.files.items() if name.endswith("net.c"))
    functions = [line for line in text.splitlines() if line.startswith(("SMG_SHARED", "SMG_COMP"))]
    assert len(functions) >= copies if copies else not functions
    assert len(functions) == len(set(functions))
