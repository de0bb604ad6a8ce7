"""Views that kernels offer: random graphs full of states, joins and slices keep their meaning."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.compiler import program
from smidgen.compiler.compile import compile_graph
from smidgen.compiler.memory.offers import take_offers
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.shape.join import Concat, Split
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.state.ops import AssignState, ReadState
from smidgen.targets.catalogue import board
from support.threeway import CompiledModels

QUANT = Quantization((0.5,), (-3,))


class Maker:
    """Grows a graph of vectors by random steps; every tensor may be read at any later time."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.build = GraphBuilder("random")
        self.vectors: list[str] = []
        self.states: list[str] = []

    def length(self, name: str) -> int:
        return self.build.tensor(name).shape[0]

    def pick(self) -> str:
        # Mostly recent ones, so that chains grow.
        back = min(int(self.rng.exponential(3.0)), len(self.vectors) - 1)
        return self.vectors[len(self.vectors) - 1 - back]

    def add(self, op: object, inputs: list[str]) -> None:
        self.vectors += self.build.add(op, inputs, QUANT)

    def cut(self, name: str, size: int) -> str:
        room = self.length(name) - size
        begin = int(self.rng.integers(0, room + 1))
        stride = 1 if size < 2 or self.rng.random() < 0.8 else -1
        begin = begin + size - 1 if stride < 0 else begin
        self.add(Slice((begin,), (size,), (stride,)), [name])
        return self.vectors[-1]

    def fitted(self, size: int) -> str:
        """A vector of `size`, joined or cut from what is there."""
        name = self.pick()
        while self.length(name) < size:
            self.add(Concat(0), [name, self.pick()])
            name = self.vectors[-1]
        return name if self.length(name) == size else self.cut(name, size)

    def step(self) -> None:
        kind = self.rng.integers(0, 8)
        if kind <= 1:
            parts = [self.pick() for _ in range(self.rng.integers(2, 4))]
            if sum(map(self.length, parts)) <= 40:
                self.add(Concat(0), parts)
        elif kind == 2:
            name = self.pick()
            self.cut(name, int(self.rng.integers(1, self.length(name) + 1)))
        elif kind == 3:
            name = self.pick()
            if self.length(name) > 1:
                at = int(self.rng.integers(1, self.length(name)))
                self.add(Split(0, (at, self.length(name) - at)), [name])
        elif kind == 4:
            self.add(Add(), [(name := self.pick()), name])
        elif kind == 5:
            self.add(ReadState(), [self.states[self.rng.integers(len(self.states))]])
        elif kind == 6:
            state = self.states[self.rng.integers(len(self.states))]
            if self.rng.random() < 0.5:
                self.build.add(AssignState(), [state, self.fitted(self.length(state))], QUANT)
        else:
            name = self.pick()
            self.add(Reshape((self.length(name),)), [name])


def window(maker: Maker, state: str) -> None:
    """One of the two usual ways to slide a window, with its assignment."""
    size = maker.length(state)
    new = maker.fitted(int(maker.rng.integers(1, size)))
    step = maker.length(new)
    (old,) = maker.build.add(ReadState(), [state], QUANT)
    if maker.rng.random() < 0.5:
        maker.add(Concat(0), [old, new])
        maker.add(Slice((step,), (size,), (1,)), [maker.vectors[-1]])
    else:
        maker.add(Slice((step,), (size - step,), (1,)), [old])
        maker.add(Concat(0), [maker.vectors[-1], new])
    maker.build.add(AssignState(), [state, maker.vectors[-1]], QUANT)


def random_graph(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    maker = Maker(rng)
    maker.vectors = [
        maker.build.input(f"in{i}", DType.INT8, (int(rng.integers(1, 7)),), QUANT) for i in range(2)
    ]
    for i in range(3):
        initial = rng.integers(-128, 128, int(rng.integers(2, 9)))
        maker.states.append(maker.build.state(f"s{i}", DType.INT8, initial, QUANT))
    for state in maker.states[: rng.integers(0, 4)]:
        window(maker, state)
    for _ in range(rng.integers(2, 14)):
        maker.step()
    count = int(rng.integers(1, 4))
    made = maker.vectors[2:] or maker.vectors
    outputs = {made[-1], *rng.choice(made, count)}
    return maker.build.finish(sorted(outputs))


@pytest.mark.parametrize("part", range(4))
def test_random_graphs_mean_the_same_with_all_offers_taken(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def joined(graph, given, core):
        return program._planned(graph, take_offers(graph, given), core)

    monkeypatch.setattr(program, "_laid_out", joined)
    seeds = range(100 * part, 100 * part + 60)
    graphs = [random_graph(seed) for seed in seeds]
    built = CompiledModels(graphs)
    for place, graph in enumerate(graphs):
        rng, reference = np.random.default_rng(place), Reference(graph)
        built.reset(place)
        for run in range(4):
            shapes = [graph.tensors[name].shape for name in graph.inputs]
            given = [rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes]
            pairs = zip(built.run(place, given), reference.run(given), strict=True)
            for mine, right in pairs:
                np.testing.assert_array_equal(mine, right, f"seed {seeds[place]}, run {run}")


def test_a_sliding_window_needs_no_copy_but_the_move_along() -> None:
    build = GraphBuilder("window")
    x = build.input("x", DType.INT8, (3,), QUANT)
    state = build.state("s", DType.INT8, np.zeros(12, np.int8), QUANT)
    (new,) = build.add(Add(), [x, x], QUANT)
    (old,) = build.add(ReadState(), [state], QUANT)
    (whole,) = build.add(Concat(0), [old, new], QUANT)
    (kept,) = build.add(Slice((3,), (12,), (1,)), [whole], QUANT)
    build.add(AssignState(), [state, kept], QUANT)
    (last,) = build.add(Add(), [whole, whole], QUANT)
    manifest = compile_graph(build.finish([last]), board("nucleo-l4r5zi")).manifest
    assert [layer.kind for layer in manifest.layers] == ["add", "add", "assign_state"]
    assert manifest.arena_bytes <= 16 + 16 + 8


def test_a_window_kept_whole_is_moved_along_in_place() -> None:
    build = GraphBuilder("window")
    x = build.input("x", DType.INT8, (3,), QUANT)
    state = build.state("s", DType.INT8, np.zeros(15, np.int8), QUANT)
    (old,) = build.add(ReadState(), [state], QUANT)
    (kept,) = build.add(Slice((3,), (12,), (1,)), [old], QUANT)
    (whole,) = build.add(Concat(0), [kept, x], QUANT)
    build.add(AssignState(), [state, whole], QUANT)
    (last,) = build.add(Add(), [whole, whole], QUANT)
    manifest = compile_graph(build.finish([last]), board("nucleo-l4r5zi")).manifest
    assert [layer.kind for layer in manifest.layers] == ["concat", "add"]
