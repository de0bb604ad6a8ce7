"""State, initialisers and control flow: reference, TensorFlow Lite Micro and C over many runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flatbuffers import flexbuffers

from kernels.small_models import constant, random_values, tensor
from smidgen.core.errors import SmidgenError, UnsupportedOp
from smidgen.graph.evaluate import Reference
from support.oracle import MicroOracle
from support.samples import DATA, needs_data
from support.tflite_writer import OperatorSpec, SubgraphSpec, TensorSpec, write_model
from support.threeway import CompiledModels, Model, check, graph_of

HANDLE = TensorSpec([], "resource")


def handle(name: str, output: int) -> OperatorSpec:
    return OperatorSpec("VAR_HANDLE", [], [output], {"shared_name": name, "container": ""})


def initialiser(values: np.ndarray, spec: TensorSpec, name: str = "window") -> SubgraphSpec:
    """A subgraph that assigns `values` to the variable `name`."""
    first = replace(spec, data=values)
    operators = [handle(name, 0), OperatorSpec("ASSIGN_VARIABLE", [0, 1], [])]
    return SubgraphSpec([HANDLE, first], operators, [], [], "init")


def window_model(
    dtype: str, *, fill: int | None = 7, late: bool = False, slots: int = 4, step: int = 1
) -> Model:
    """A window of `slots` rows that `step` new ones are shifted into; outputs all rows and the sum.

    With `late`, the state is assigned before the joined rows are read for the last time.
    """
    zero = -5 if dtype == "int8" else 0
    kept, new, all_rows = (
        tensor((1, rows, 2), dtype, zero) for rows in (slots, step, slots + step)
    )
    tensors = [
        HANDLE,
        new,
        kept,
        all_rows,
        constant([0, step, 0]),
        constant([0, 0, 0]),
        constant([1, 1, 1]),
        kept,
        constant([1]),
        replace(tensor((1, 2), dtype, zero), scale=kept.scale),
    ]
    masks = {"begin_mask": 5, "end_mask": 7}
    assign = OperatorSpec("ASSIGN_VARIABLE", [0, 7], [])
    total = OperatorSpec("MEAN", [3, 8], [9], {})
    operators = [
        handle("window", 0),
        OperatorSpec("READ_VARIABLE", [0], [2]),
        OperatorSpec("CONCATENATION", [2, 1], [3], {"axis": 1}),
        OperatorSpec("STRIDED_SLICE", [3, 4, 5, 6], [7], masks),
        *((assign, total) if late else (total, assign)),
    ]
    more = []
    if fill is not None:
        operators.insert(0, OperatorSpec("CALL_ONCE", [], [], {"init_subgraph_index": 1}))
        more = [initialiser(np.full(kept.shape, fill, dtype), kept)]
    data = write_model(tensors, operators, [1], [3, 9], more=more)
    rng = np.random.default_rng(5)
    runs = [[random_values(rng, new)] for _ in range(12)]
    return Model(f"window {dtype} {fill} {late} {slots} {step}", data, runs)


def test_windows_slide_as_in_micro() -> None:
    check(
        [
            window_model(dtype, fill=fill, late=late, slots=slots, step=step)
            for dtype in ("int8", "int16", "float32")
            for fill in (7, None)
            for late in (False, True)
            for slots, step in ((4, 1), (3, 2), (2, 5))
        ]
    )


def test_reset_restores_what_the_initialiser_left() -> None:
    model = window_model("int8")
    graph = graph_of(model)
    reference, built = Reference(graph), CompiledModels([graph])
    for _ in range(2):
        reference.reset()
        built.reset(0)
        for run in model.runs:
            for mine, right in zip(built.run(0, run), reference.run(run), strict=True):
                np.testing.assert_array_equal(mine, right)


def test_a_state_read_before_and_after_its_assignment() -> None:
    x = tensor((3,))
    tensors = [HANDLE, x, x, x]
    operators = [
        handle("v", 0),
        OperatorSpec("READ_VARIABLE", [0], [2]),
        OperatorSpec("ASSIGN_VARIABLE", [0, 1], []),
        OperatorSpec("READ_VARIABLE", [0], [3]),
    ]
    data = write_model(tensors, operators, [1], [2, 3])
    rng = np.random.default_rng(6)
    check([Model("twice", data, [[random_values(rng, x)] for _ in range(5)])])


def test_two_states_swapped_every_run() -> None:
    x = tensor((3,))
    tensors = [HANDLE, HANDLE, x, x, x]
    operators = [
        OperatorSpec("CALL_ONCE", [], [], {"init_subgraph_index": 1}),
        handle("a", 0),
        handle("b", 1),
        OperatorSpec("READ_VARIABLE", [0], [2]),
        OperatorSpec("READ_VARIABLE", [1], [3]),
        OperatorSpec("ASSIGN_VARIABLE", [0, 3], []),
        OperatorSpec("ASSIGN_VARIABLE", [1, 4], []),
    ]
    more = [initialiser(np.array([1, 2, 3], np.int8), x, "a")]
    data = write_model(tensors, operators, [4], [2, 3], more=more)
    rng = np.random.default_rng(7)
    check([Model("swap", data, [[random_values(rng, x)] for _ in range(5)])])


def circular_model(rows: int, cycle: int | None, outputs: int = 1) -> Model:
    x, y = tensor((1, 1, 2, 3), "int8", -5), tensor((1, rows, 2, 3), "int8", -5)
    tensors = [x, replace(y, is_variable=True), tensor((1,), "bool")]
    options = b""
    if cycle is not None:
        builder = flexbuffers.Builder()
        builder.MapFromElements({"cycles_max": cycle})
        options = bytes(builder.Finish())
    results = [1, 2][:outputs]
    operators = [OperatorSpec("CIRCULAR_BUFFER", [0], results, custom_options=options)]
    rng = np.random.default_rng(11)
    runs = [[random_values(rng, x)] for _ in range(8)]
    return Model(f"ring {rows} {cycle}", write_model(tensors, operators, [0], results), runs)


def test_circular_buffers_are_states() -> None:
    check([circular_model(3, 1), circular_model(5, None), circular_model(4, 1, 2)])


def test_a_circular_buffer_that_ends_the_run_is_refused() -> None:
    with pytest.raises(UnsupportedOp, match="every second time"):
        graph_of(circular_model(3, 2))


@pytest.mark.parametrize("holds", [False, True])
def test_a_branch_that_is_known_is_taken(holds: bool) -> None:
    x = tensor((4,))
    picks = [OperatorSpec("RESHAPE", [0, 2], [1], {})]
    flat = SubgraphSpec([x, tensor((2, 2)), constant([2, 2])], picks, [0], [1])
    backwards = [OperatorSpec("REVERSE_V2", [0, 2], [3]), OperatorSpec("RESHAPE", [3, 4], [1], {})]
    tensors = [x, tensor((2, 2)), constant([0]), x, constant([2, 2])]
    turned = SubgraphSpec(tensors, backwards, [0], [1])
    condition = constant([holds], "bool")
    operators = [
        OperatorSpec("IF", [1, 0], [2], {"then_subgraph_index": 1, "else_subgraph_index": 2})
    ]
    data = write_model([x, condition, tensor((2, 2))], operators, [0], [2], more=[flat, turned])
    rng = np.random.default_rng(8)
    check([Model(f"if {holds}", data, [[random_values(rng, x)] for _ in range(2)])])


def loop_model(known: bool) -> Model:
    """for _ in range(3): x = reverse(x), y = concat; the counter is a constant or an input."""
    count, x = tensor((1,), "int32"), tensor((4,))
    condition = SubgraphSpec(
        [count, x, constant([3]), tensor((1,), "bool")],
        [OperatorSpec("LESS", [0, 2], [3], {})],
        [0, 1],
        [3],
    )
    body = SubgraphSpec(
        [count, x, constant([1]), count, constant([0]), x],
        [OperatorSpec("ADD", [0, 2], [3], {}), OperatorSpec("REVERSE_V2", [1, 4], [5])],
        [0, 1],
        [3, 5],
    )
    start = constant([0]) if known else count
    operators = [
        OperatorSpec("WHILE", [0, 1], [2, 3], {"cond_subgraph_index": 1, "body_subgraph_index": 2})
    ]
    inputs = [1] if known else [0, 1]
    data = write_model([start, x, count, x], operators, inputs, [3], more=[condition, body])
    rng = np.random.default_rng(9)
    return Model("while", data, [[random_values(rng, x)] for _ in range(2)])


def test_a_loop_that_is_known_is_unrolled() -> None:
    check([loop_model(known=True)])


def test_a_loop_that_is_not_known_is_refused() -> None:
    with pytest.raises(UnsupportedOp, match="known at run time only"):
        graph_of(loop_model(known=False))


def test_an_initialiser_that_comes_late_is_refused() -> None:
    x = tensor((3,))
    operators = [
        handle("v", 0),
        OperatorSpec("READ_VARIABLE", [0], [2]),
        OperatorSpec("CALL_ONCE", [], [], {"init_subgraph_index": 1}),
    ]
    more = [initialiser(np.array([1, 2, 3], np.int8), x, "v")]
    data = write_model([HANDLE, x, x], operators, [1], [2], more=more)
    with pytest.raises(SmidgenError, match="after it is used"):
        graph_of(Model("late", data, []))


@needs_data
@pytest.mark.parametrize("name", ["hey_jarvis", "v2_hey_jarvis", "v2_okay_nabu", "v2_vad"])
def test_wake_words_over_a_stream(name: str) -> None:
    assert DATA is not None
    data = (DATA / "models/micro_wake_word" / f"{name}.tflite").read_bytes()
    graph = graph_of(Model(name, data, []))
    oracle, reference, built = MicroOracle(data), Reference(graph), CompiledModels([graph])
    rng = np.random.default_rng(10)
    shape = graph.tensors[graph.inputs[0]].shape
    for part in range(2):
        reference.reset()
        built.reset(0)
        oracle = MicroOracle(data)
        for run in range(60):
            # Loud and quiet passages, so that the decision moves.
            loud = 255 if (run // 10) % 2 else 40
            x = (rng.integers(0, loud + 1, shape) - 128).astype(np.int8)
            expected = oracle.run([x])[0]
            np.testing.assert_array_equal(reference.run([x])[0], expected, f"{part}, {run}")
            np.testing.assert_array_equal(built.run(0, [x])[0], expected, f"C, {part}, {run}")
