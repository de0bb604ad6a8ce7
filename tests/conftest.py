"""Fixtures that several rooms use; its place makes `support` importable."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.models import keyword_like_model


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little int8 classifier as a .tflite file."""
    path = tmp_path_factory.mktemp("model") / "keywords.tflite"
    path.write_bytes(keyword_like_model())
    return path
