"""The table of measured costs, and what its entries are filed under."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import smidgen
from smidgen.compiler.choice import ways
from smidgen.compiler.costs import Measured, Run, definition, parse, shipped, write
from smidgen.compiler.objective import BALANCED
from smidgen.compiler.pipeline import optimise
from smidgen.compiler.sharing import Style
from smidgen.core.errors import InputError
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.registry import kernels
from smidgen.targets.catalogue import core
from support.graphs import small_convnet

M4 = core("cortex-m4f")
ENTRY = Measured(
    {Style.OWN: Run(1, 2, 3, 0), Style.SHARED: Run(4, None, 5, 6), Style.COMPACT: Run(7, 8, 9, 10)},
    {"smg_a": 11, "smg_b": 12},
)


def keys(graph: Graph, core_name: str = "cortex-m4f", objective=BALANCED) -> list[str]:
    return [
        way.key
        for node in graph.nodes
        for way in ways(graph, node, core(core_name), objective)
        if not way.call.is_free
    ]


def test_a_table_reads_back() -> None:
    table = {"b" * 16: ENTRY, "a" * 16: Measured(ENTRY.runs, {})}
    assert dict(parse(write(table))) == table
    assert write(table).splitlines()[0].startswith("a")


@pytest.mark.parametrize(
    "text", ["x", "a\t1,2\t3\t4\t", "\t\t\t\t", "k\t1,,2,3\t1,,2,3\t1,,2,3\tx"]
)
def test_a_damaged_table_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="damaged"):
        parse(text)


def test_the_shipped_table_is_in_order_and_small() -> None:
    text = write(shipped())
    assert dict(parse(text)) == dict(shipped())
    assert len(text) < 200_000


def test_the_key_tells_cores_flags_and_layers_apart() -> None:
    graph = optimise(small_convnet())
    here = keys(graph)
    assert set(here).isdisjoint(keys(graph, "cortex-m3"))
    assert set(here).isdisjoint(keys(graph, objective=replace(BALANCED, compiler_flag="-Os")))
    assert here == keys(graph)


def test_quantisation_does_not_count() -> None:
    graph = optimise(small_convnet())
    name = graph.nodes[0].inputs[0]
    finer = replace(graph.tensors[name], quantization=Quantization((0.0123,), (3,)))
    other = replace(graph, tensors={**graph.tensors, name: finer})
    same = [a == b for a, b in zip(keys(graph), keys(other), strict=True)]
    assert any(same[:2])


def test_no_key_depends_on_the_library_of_this_python() -> None:
    own = Path(smidgen.__file__).parent
    for kernel in (each for listed in kernels().values() for each in listed):
        assert definition(kernel).is_relative_to(own), kernel.name
