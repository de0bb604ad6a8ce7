"""Opens a model file of any format that smidgen takes."""

from __future__ import annotations

from pathlib import Path

from smidgen.core.errors import UnsupportedError
from smidgen.frontends.onnx.convert import load_onnx, survey_onnx
from smidgen.frontends.tflite.convert import load_tflite, survey_tflite
from smidgen.frontends.tflite.sniff import describe_content
from smidgen.graph.graph import Graph

_LOOK_BYTES = 256


def load_model(path: Path | str) -> Graph:
    """The graph of the model file at `path`.

    Raises ModelFileError for a file that is missing, damaged or no model, and UnsupportedError for
    a model that smidgen cannot take.
    """
    return load_onnx(path) if _holds_onnx(path) else load_tflite(path)


def survey_model(path: Path | str) -> tuple[Graph, list[UnsupportedError]]:
    """As much of the model's graph as smidgen takes, and all that it does not take.

    Raises ModelFileError for a file that is missing, damaged or no model.
    """
    return survey_onnx(path) if _holds_onnx(path) else survey_tflite(path)


def _holds_onnx(path: Path | str) -> bool:
    """Whether the file's content, whatever its name, looks like an ONNX model."""
    try:
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as stream:
            return describe_content(stream.read(_LOOK_BYTES)) == "an ONNX model"
    except (OSError, ValueError):
        return False
