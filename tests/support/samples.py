"""The sample data that the environment variable SMIDGEN_DATA points to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ["SMIDGEN_DATA"]) if os.environ.get("SMIDGEN_DATA") else None
needs_data = pytest.mark.skipif(DATA is None, reason="SMIDGEN_DATA names no folder of sample data")


def tflite_files() -> list[Path]:
    """All TensorFlow Lite files among the sample data, smallest first; none without the data."""
    if DATA is None:
        return []
    found = [*DATA.rglob("*.tflite"), *DATA.rglob("*.lite")]
    return sorted(found, key=lambda path: (path.stat().st_size, str(path)))


def sample_id(path: Path) -> str:
    """A short name of a sample file for test reports."""
    return str(path.relative_to(DATA)) if DATA else path.name
