"""A TensorFlow Lite file becomes a `Graph`."""

from __future__ import annotations

from pathlib import Path

import smidgen.frontends.tflite.operators  # noqa: F401  (fills CONVERTERS)
from smidgen.core.errors import UnsupportedError
from smidgen.frontends.tflite.conversion import Conversion, Whole, convert_operators
from smidgen.frontends.tflite.halves import with_full_floats
from smidgen.frontends.tflite.model import TfliteModel
from smidgen.frontends.tflite.reader import read_model
from smidgen.frontends.tflite.unsigned import with_signed_quanta
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.shape.arrange import BroadcastTo


def load_tflite(path: Path | str) -> Graph:
    """The graph of the file at `path`.

    Raises ModelFileError for a file that is missing or damaged, UnsupportedError for an op or type
    that smidgen does not take.
    """
    return convert(read_model(path), Path(path).stem)


def survey_tflite(path: Path | str) -> tuple[Graph, list[UnsupportedError]]:
    """As much of the file's graph as smidgen takes, and all that it does not take.

    In that graph, inputs stand in for what the refused operators would have given.
    """
    problems: list[UnsupportedError] = []
    return convert(read_model(path), Path(path).stem, problems), problems


def convert(model: TfliteModel, name: str, problems: list[UnsupportedError] | None = None) -> Graph:
    """The graph of the model's main subgraph and of those that it calls, called `name`.

    What smidgen does not take is raised, or added to `problems` where those are collected.
    """
    model = with_signed_quanta(with_full_floats(model))
    subgraph, builder = model.subgraphs[0], GraphBuilder(name)
    conversion = Conversion(model.name, subgraph, Whole(model, builder, problems=problems))
    for index in subgraph.inputs:
        tensor = subgraph.tensors[index]
        dtype, quantization = conversion.dtype(tensor), conversion.quantization(tensor)
        builder.input(conversion.name_of(tensor), dtype, tensor.shape, quantization)
    convert_operators(conversion)
    return builder.finish([_output(conversion, index) for index in subgraph.outputs])


def _output(conversion: Conversion, index: int) -> str:
    """The name of an output; a constant is copied, because the caller reads from the arena."""
    name = conversion.name_at(index)
    tensor = conversion.builder.tensor(name)
    if not tensor.is_constant:
        return name
    copied = conversion.fresh(f"{name}_out")
    conversion.builder.add(BroadcastTo(tensor.shape), [name], tensor.quantization, outputs=[copied])
    return copied
