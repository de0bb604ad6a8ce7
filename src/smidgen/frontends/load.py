"""Opens a model file of any format that smidgen takes."""

from __future__ import annotations

from pathlib import Path

from smidgen.core.errors import UnsupportedError
from smidgen.frontends.tflite.convert import load_tflite, survey_tflite
from smidgen.graph.graph import Graph


def load_model(path: Path | str) -> Graph:
    """The graph of the model file at `path`.

    Raises ModelFileError for a file that is missing, damaged or no model, and UnsupportedError for
    a model that smidgen cannot take.
    """
    return load_tflite(path)


def survey_model(path: Path | str) -> tuple[Graph, list[UnsupportedError]]:
    """As much of the model's graph as smidgen takes, and all that it does not take.

    Raises ModelFileError for a file that is missing, damaged or no model.
    """
    return survey_tflite(path)
