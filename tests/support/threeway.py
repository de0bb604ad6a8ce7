"""Compares models three ways: the NumPy reference, TensorFlow Lite Micro, and generated C.

All models of a call are compiled into one host library, so that a hundred small ones take seconds.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_host_library
from support.oracle import MicroOracle

_BOARD = "nucleo-f103rb"  # without DSP instructions, which this computer lacks


@dataclass(frozen=True)
class Model:
    """A .tflite file and the inputs of each run; state goes on from run to run.

    `tolerance` is relative to the largest magnitude of an output; 0 means byte for byte. `micro`
    is False where Micro refuses such a model and the reference alone is the definition.
    """

    name: str
    data: bytes
    runs: Sequence[Sequence[np.ndarray]]
    tolerance: float = 0.0
    micro: bool = True


def graph_of(model: Model) -> Graph:
    """The model as smidgen's graph."""
    return convert(parse_model(model.data, model.name), model.name)


def check(models: Sequence[Model]) -> None:
    """Assert that reference, Micro and C agree on every run of every model."""
    graphs = [graph_of(model) for model in models]
    expected = [_reference(graph, model) for graph, model in zip(graphs, models, strict=True)]
    for model, outputs in zip(models, expected, strict=True):
        if model.micro:
            oracle = MicroOracle(model.data)
            for index, run in enumerate(model.runs):
                _same(model, f"Micro, run {index}", oracle.run(run), outputs[index])
    built = CompiledModels(graphs)
    for place, (model, outputs) in enumerate(zip(models, expected, strict=True)):
        built.reset(place)
        for index, run in enumerate(model.runs):
            _same(model, f"C, run {index}", built.run(place, run), outputs[index])


def _reference(graph: Graph, model: Model) -> list[list[np.ndarray]]:
    reference = Reference(graph)
    return [reference.run(run) for run in model.runs]


def _same(
    model: Model, who: str, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]
) -> None:
    for index, (mine, right) in enumerate(zip(found, expected, strict=True)):
        where = f"{model.name}: {who}, output {index}"
        assert mine.shape == right.shape and mine.dtype == right.dtype, (
            f"{where}: {mine.dtype}{mine.shape}, reference {right.dtype}{right.shape}"
        )
        if right.dtype == np.float32 and model.tolerance:
            scale = max(float(np.abs(right).max(initial=0.0)), 1e-6)
            off = np.abs(mine.astype(np.float64) - right) / scale
            assert off.max(initial=0.0) <= model.tolerance, f"{where}: off by {off.max()} relative"
        else:
            wrong = int((mine != right).sum())
            assert not wrong, (
                f"{where}: {wrong} of {right.size} differ, e.g. "
                f"{mine[mine != right][:5]} for {right[mine != right][:5]}"
            )


class CompiledModels:
    """Generated C of several graphs, compiled together for this computer."""

    def __init__(self, graphs: Sequence[Graph], objective: str = "balanced") -> None:
        target = board(_BOARD)
        self.artifacts: list[Artifact] = []
        sources: dict[str, str] = {}
        for index, graph in enumerate(graphs):
            artifact = compile_graph(graph, target, name=f"m{index}", objective=objective)
            self.artifacts.append(artifact)
            for name, text in artifact.files.items():
                sources[name.replace(".c", ".inc")] = text
        units = "".join(f'#include "m{index}.inc"\n' for index in range(len(graphs)))
        self._library = ctypes.CDLL(str(compile_host_library({**sources, "all.c": units})))
        self._arenas = [
            (ctypes.c_uint64 * (artifact.manifest.arena_bytes // 8 + 2))()
            for artifact in self.artifacts
        ]

    def reset(self, place: int) -> None:
        """Call the init function of model `place`."""
        getattr(self._library, f"m{place}_init")(self._arenas[place])

    def run(self, place: int, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One inference of model `place`."""
        manifest, arena = self.artifacts[place].manifest, self._arenas[place]
        base = ctypes.addressof(arena)
        for port, values in zip(manifest.inputs, inputs, strict=True):
            raw = np.ascontiguousarray(values).tobytes()
            ctypes.memmove(base + port.offset, raw, len(raw))
        getattr(self._library, f"m{place}_run")(arena)
        whole = bytes(arena)
        return [
            np.frombuffer(whole, port.element.numpy, int(np.prod(port.shape)), port.offset).reshape(
                port.shape
            )
            for port in manifest.outputs
        ]
