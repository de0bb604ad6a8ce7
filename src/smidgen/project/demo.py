"""The report of the main job: text, JSON and a confusion matrix, beside the C that it made."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.table import render
from smidgen.emulate.tables import layer_table, proof_line, summary
from smidgen.project.build import REPORT_JSON, REPORT_TEXT, report_dict
from smidgen.project.workflow import WorkflowResult
from smidgen.train import plot_confusion

CONFUSION_PNG = "confusion.png"
TEST_INPUTS = "test_inputs.npy"


def report_text(result: WorkflowResult) -> str:
    """Accuracies, proof, memory, speed, layers, confusion matrix: everything from this run."""
    data = result.dataset
    trained, tested = len(data.select("train")), len(data.select("test"))
    return "\n".join(
        [
            f"data                {data.name}: {trained} recordings to train on, {tested} to test, "
            f"{len(data.channels)} channels at {data.rate_hz:g} Hz, {len(data.classes)} classes",
            f"network             {result.parameters:,} parameters, seed {result.seed}",
            f"accuracy            float {result.float_accuracy:.1%}, int8 reference "
            f"{result.reference_accuracy:.1%}, emulated board {result.device_accuracy:.1%}",
            proof_line(result.proof),
            summary(result.measurement),
            "",
            layer_table(result.measurement),
            "",
            _confusion_table(result),
        ]
    )


def report_content(result: WorkflowResult) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "dataset": {
            "name": result.dataset.name,
            "classes": list(result.dataset.classes),
            "channels": list(result.dataset.channels),
            "rate_hz": result.dataset.rate_hz,
            "train": result.dataset.counts("train"),
            "test": result.dataset.counts("test"),
        },
        "seed": result.seed,
        "parameters": result.parameters,
        "accuracy": {
            "float": result.float_accuracy,
            "int8_reference": result.reference_accuracy,
            "emulated_board": result.device_accuracy,
        },
        "confusion": result.confusion.tolist(),
        **report_dict(result.measurement, result.proof),
    }


def write_report(result: WorkflowResult, folder: Path) -> list[Path]:
    """Leave the C and the whole report in `folder`, all or nothing; returns what was written."""
    extra: dict[str, str | bytes] = {
        REPORT_TEXT: report_text(result) + "\n",
        REPORT_JSON: json.dumps(report_content(result), indent=1) + "\n",
        CONFUSION_PNG: _confusion_png(result),
        TEST_INPUTS: _npy(result.test_inputs),
    }
    result.artifact.write(folder, extra)
    return sorted(folder / name for name in (*result.artifact.files, *extra))


def _confusion_table(result: WorkflowResult) -> str:
    classes = result.dataset.classes
    header = ("true \\ predicted", "", *classes)
    rows = [
        (name, "", *(str(count) for count in row))
        for name, row in zip(classes, result.confusion.tolist(), strict=True)
    ]
    return "on the emulated board:\n" + render(header, rows)


def _npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _confusion_png(result: WorkflowResult) -> bytes:
    title = f"{result.dataset.name} on {result.board.name}: {result.device_accuracy:.1%}"
    with tempfile.TemporaryDirectory(prefix="smidgen-") as folder:
        path = Path(folder) / CONFUSION_PNG
        plot_confusion(result.confusion, result.dataset.classes, path, title)
        return path.read_bytes()
