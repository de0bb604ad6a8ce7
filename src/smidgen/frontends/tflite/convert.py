"""A TensorFlow Lite file becomes a `Graph`."""

from __future__ import annotations

from pathlib import Path

import smidgen.frontends.tflite.operators  # noqa: F401  (fills CONVERTERS)
from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.tflite.conversion import CONVERTERS, Conversion
from smidgen.frontends.tflite.model import TfliteModel, TfliteOperator
from smidgen.frontends.tflite.reader import read_model
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph


def load_tflite(path: Path | str) -> Graph:
    """The graph of the file at `path`.

    Raises ModelFileError for a file that is missing or damaged, UnsupportedError for an op or type
    that smidgen does not take.
    """
    return convert(read_model(path), Path(path).stem)


def convert(model: TfliteModel, name: str) -> Graph:
    """The graph of the model's main subgraph, called `name`."""
    subgraph = model.subgraphs[0]
    conversion = Conversion(model.name, subgraph, GraphBuilder(name))
    for index in subgraph.inputs:
        tensor = subgraph.tensors[index]
        dtype, quantization = conversion.dtype(tensor), conversion.quantization(tensor)
        conversion.builder.input(conversion.name_of(tensor), dtype, tensor.shape, quantization)
    for operator in subgraph.operators:
        _convert_operator(conversion, operator)
    return conversion.builder.finish([conversion.names[index] for index in subgraph.outputs])


def _convert_operator(conversion: Conversion, operator: TfliteOperator) -> None:
    converter = CONVERTERS.get(operator.name)
    if converter is None:
        raise UnsupportedOp(
            conversion.where(operator),
            f"smidgen has no {operator.name}",
            "rewrite the layer with supported operators",
        )
    converter(conversion, operator)
