"""The golden inputs and outputs that come with the sample models."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Tensor
from support.models import read_goldens
from support.samples import DATA

# TensorFlow Lite made them with other kernels than Micro's; SOURCE.txt beside them says so.
LEAKY_OFF_BY_ONE = 1

UNUSABLE = {
    "tests_model_with_detection_postprocess": "outputs are cut off behind their first number",
    "tests_model_with_multiple_outputs": "four inputs for three; outputs that are no sums of them",
}
"""Goldens of a folder that say nothing about its model, and why."""


@dataclass(frozen=True)
class Golden:
    """A model with inputs and the outputs that somebody published for them.

    There may be more inputs than the model takes.
    """

    model: Path
    name: str
    inputs: Sequence[np.ndarray]
    outputs: Sequence[np.ndarray]
    unsigned: bool = False
    """Whether bytes of inputs are 128 more than the model's quanta."""

    def typed(self, graph: Graph) -> list[np.ndarray]:
        """The inputs as the graph takes them: floats quantised, uint8 shifted."""
        tensors = [graph.tensors[name] for name in graph.inputs]
        return [
            _input(t, raw, self.unsigned)
            for t, raw in zip(tensors, self.inputs[: len(tensors)], strict=True)
        ]

    def difference(self, graph: Graph, found: Sequence[np.ndarray]) -> float:
        """The largest difference to the published outputs: in quanta, or relative for floats."""
        tensors = [graph.tensors[name] for name in graph.outputs]
        return max(
            _difference(t, mine, right)
            for t, mine, right in zip(tensors, found, self.outputs, strict=True)
        )


def _input(tensor: Tensor, raw: np.ndarray, unsigned: bool) -> np.ndarray:
    wanted = tensor.dtype.numpy
    if raw.dtype == np.uint8 and raw.size == tensor.nbytes:
        whole = raw.astype(np.int16) - 128 if unsigned else raw.view(wanted)
        return whole.astype(wanted).reshape(tensor.shape)
    if wanted in (np.float32, raw.dtype):
        return raw.view(wanted).reshape(tensor.shape)
    quant = tensor.quant
    quanta = np.round(raw.view(np.float32) / np.float32(quant.scale)) + quant.zero_point
    return np.clip(quanta, *tensor.dtype.range).astype(wanted).reshape(tensor.shape)


def _difference(tensor: Tensor, found: np.ndarray, right: np.ndarray) -> float:
    if right.dtype == np.uint8:
        right = right.view(np.float32 if right.size == 4 * tensor.elements else found.dtype)
    mine = found.reshape(-1).astype(np.float64)
    if right.dtype == np.float32 and found.dtype != np.float32:
        right = np.round(right / np.float32(tensor.quant.scale)) + tensor.quant.zero_point
    unit = max(1.0, float(np.abs(right).max())) if found.dtype.kind == "f" else 1.0
    return float(np.abs(mine - right.reshape(-1)).max()) / unit


def seanet_goldens() -> Iterator[Golden]:
    """The single int16 operators of a speech codec."""
    assert DATA is not None
    for model in sorted((DATA / "conformance" / "tflm_seanet_ops").rglob("*.tflite")):
        inputs = sorted(model.parent.glob(f"{model.stem}_input*.csv"))
        golden = next(model.parent.glob(f"{model.stem}_golden_*.csv"))
        yield Golden(model, model.stem, [_numbers(path) for path in inputs], [_numbers(golden)])


def _numbers(path: Path) -> np.ndarray:
    kind = path.stem.rsplit("_", 1)[1]
    return np.loadtxt(path, np.int64, delimiter=",").reshape(-1).astype(kind)


def cfu_goldens() -> Iterator[Golden]:
    """The two models of CFU-Playground."""
    assert DATA is not None
    for folder, shape in (("kws_dscnn", (1, 49, 10, 1)), ("imgc_resnet8", (1, 32, 32, 3))):
        place = DATA / "models" / "cfu_golden" / folder
        model = next(place.glob("*.tflite"))
        for number, (x, y) in enumerate(read_goldens(place, shape)):
            yield Golden(model, f"{folder}/{number}", [x], [y])


def mlonmcu_goldens() -> Iterator[Golden]:
    """Models with raw inputs and outputs: ``0.bin``, or ``0_1.bin`` for input or output 1."""
    assert DATA is not None
    for folder in sorted((DATA / "models" / "mlonmcu_golden").iterdir()):
        outputs = next(iter(folder.glob("output*/")), None) if folder.is_dir() else None
        if outputs is None or folder.name in UNUSABLE:
            continue
        model = next(m for m in folder.glob("*.tflite") if m.stem != "hello_world")
        numbers = sorted({path.stem.split("_")[0] for path in (folder / "input").glob("*.bin")})
        for number in numbers:
            given = [_raw(folder / "input", number), _raw(outputs, number)]
            yield Golden(model, f"{folder.name}/{number}", *given, folder.name == "resnet")


def _raw(folder: Path, number: str) -> list[np.ndarray]:
    whole = folder / f"{number}.bin"
    paths = sorted(folder.glob(f"{number}_*.bin")) or [whole]
    return [np.fromfile(path, np.uint8) for path in paths]


def published_differences() -> dict[str, tuple[str, float]]:
    """By golden: the unit, and how far Micro's outputs lie from the published ones."""
    assert DATA is not None
    with (DATA / "models" / "mlonmcu_golden" / "GOLDEN_CHECK.csv").open() as lines:
        return {
            f"{row['model']}/{row['input'].split('.')[0]}": (
                row["unit"],
                float(row["max_abs_diff_tflm"]),
            )
            for row in csv.DictReader(lines)
        }
