"""Whole arenas: generated C that runs inside them is exact, and they are as small as promised."""

from __future__ import annotations

import numpy as np
import pytest
from networks import mobilenet, random_network, samples

from smidgen.compiler.memory.planner import plan_memory
from smidgen.compiler.memory.storage import assign_storage
from smidgen.compiler.pipeline import optimise
from smidgen.compiler.program import build_program
from smidgen.frontends.tflite.convert import load_tflite
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.ops.kernel import KernelCall
from smidgen.ops.registry import candidates
from smidgen.targets.catalogue import core
from support.samples import DATA, needs_data
from support.threeway import CompiledModels


def portable_call(graph: Graph, node, target) -> KernelCall:
    """The call of the portable kernel of a node: the one that is listed for every core."""
    able = candidates(node.op, graph.signature(node), target)
    names = ("conv2d_s8", "depthwise_s8", "dense_s8")
    kernel = next((k for k in able if k.name in names), able[0])
    return kernel.lower(node.op, graph.signature(node), target)


def arena_bytes(graph: Graph) -> tuple[int, int]:
    """The arena with portable kernels, and the bound on it."""
    graph, target = optimise(graph), core("cortex-m0plus")
    schedule = [(node, portable_call(graph, node, target)) for node in graph.nodes]
    storage = assign_storage(graph, schedule)
    plan = plan_memory(storage.buffers, storage.allowances, 8)
    return plan.arena_bytes, plan.lower_bound_bytes


@pytest.mark.parametrize("spoil", [0.0, 0.5])
def test_layers_that_share_bytes_compute_what_the_reference_does(spoil):
    graphs = [random_network(seed, spoil, layers=8) for seed in range(12)]
    built = CompiledModels(graphs)
    for place, graph in enumerate(graphs):
        built.reset(place)
        reference = Reference(graph)
        for arrays in samples(graph):
            (found,), (expected,) = built.run(place, arrays), reference.run(arrays)
            np.testing.assert_array_equal(found, expected, err_msg=graph.name)


@pytest.mark.parametrize(
    ("colours", "micro_bytes", "share"), [(3, 100_708, 0.40), (1, 82_308, 0.50)]
)
def test_mobilenet_needs_less_than_half_of_what_micro_does(colours, micro_bytes, share):
    """MobileNetV1-0.25 for visual wake words and for person detection."""
    arena, bound = arena_bytes(mobilenet(colours))
    assert arena <= share * micro_bytes
    assert bound <= arena <= 1.05 * bound


@pytest.mark.parametrize(
    ("colours", "micro_bytes", "share"), [(3, 100_708, 0.40), (1, 82_308, 0.50)]
)
def test_fast_kernels_of_mobilenet_need_no_more(colours, micro_bytes, share):
    """Their planes are large: those at the peak give way to bands, the others stay quick."""
    program = build_program(optimise(mobilenet(colours)), core("cortex-m4f"))
    calls = [step.call for step in program.steps if step.call.kernel == "depthwise_s8_dsp"]
    in_bands = [call.function for call in calls if "_bands_" in call.function]
    assert program.arena_bytes <= share * micro_bytes
    assert 1 <= len(in_bands) <= 4 < len(calls)


@needs_data
@pytest.mark.parametrize(
    ("model", "micro_bytes", "share"),
    [
        ("kws_dscnn/kws_ref_model", 22_820, 0.45),
        ("imgc_resnet8/pretrainedResnet_quant", 54_996, 0.65),
    ],
)
def test_benchmark_models_fit_well_below_micro(model, micro_bytes, share):
    assert DATA is not None
    arena, bound = arena_bytes(load_tflite(DATA / "models" / "cfu_golden" / f"{model}.tflite"))
    assert arena <= share * micro_bytes
    assert arena == bound
