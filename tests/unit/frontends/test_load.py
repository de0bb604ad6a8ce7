"""Files are told apart by content, and PyTorch's are not opened."""

from __future__ import annotations

import zipfile

import pytest

from smidgen.core.errors import ModelFileError
from smidgen.frontends.load import load_model, survey_model


@pytest.mark.parametrize("first", ["net/data/weights/weight_0", "net/data.pkl", "net/data/0"])
def test_a_pytorch_file_is_refused_with_the_way_in_python(tmp_path, first: str) -> None:
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(first, b"")
    for read in (load_model, survey_model):
        with pytest.raises(ModelFileError, match=r"PyTorch file.*from_exported.*torch\.onnx"):
            read(path)


def test_other_archives_are_not_taken_for_one(tmp_path) -> None:
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", b"{}")
    with pytest.raises(ModelFileError, match="zip archive"):
        load_model(path)


def test_what_torch_export_saves(tmp_path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch (smidgen[train]) is not installed")
    path = tmp_path / "net.pt2"
    module = torch.nn.Linear(3, 2).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(1, 3),)), path)
    with pytest.raises(ModelFileError, match="PyTorch file"):
        load_model(path)
