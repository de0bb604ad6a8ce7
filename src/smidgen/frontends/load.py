"""Opens a model file of any format that smidgen takes."""

from __future__ import annotations

from pathlib import Path

from smidgen.core.errors import ModelFileError, UnsupportedError
from smidgen.frontends.onnx.convert import load_onnx, survey_onnx
from smidgen.frontends.tflite.convert import load_tflite, survey_tflite
from smidgen.frontends.tflite.sniff import describe_content
from smidgen.graph.graph import Graph

_LOOK_BYTES = 256
_ZIP = b"PK\x03\x04"
_PYTORCH = (b"/data/", b"/data.pkl", b"serialized_exported_program")
"""What the first member of an archive that PyTorch saves is called."""


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
    """Whether the file's content, whatever its name, looks like an ONNX model.

    Raises ModelFileError for what PyTorch saves: to read it is to trust it.
    """
    head = _head(path)
    if head.startswith(_ZIP) and any(name in head for name in _PYTORCH):
        raise ModelFileError(
            str(path),
            "is a PyTorch file; loading one may run any code that is in it, so this is left to you",
            "in Python: smidgen.frontends.pytorch.from_exported(torch.export.load(path)), or "
            "from_module(module, inputs); or export it by torch.onnx.export",
        )
    return bool(head) and describe_content(head) == "an ONNX model"


def _head(path: Path | str) -> bytes:
    """The first bytes of a file; none of what is no file or cannot be read."""
    try:
        if not Path(path).is_file():
            return b""
        with Path(path).open("rb") as stream:
            return stream.read(_LOOK_BYTES)
    except (OSError, ValueError):
        return b""
