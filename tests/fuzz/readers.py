"""Every reader of files from strangers, with sound files of its kind to start from."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from fuzz_seeds import written_models

from smidgen.compiler.artifact import MANIFEST, Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.data.manifest import read_manifest
from smidgen.data.readers.csv import read_csv
from smidgen.data.readers.npy import read_npy
from smidgen.data.readers.ts import read_ts
from smidgen.data.readers.wav import read_wav
from smidgen.frontends.load import load_model, survey_model
from smidgen.frontends.tflite.flexbuffer import read_flexbuffer
from smidgen.project.calibration import read_samples
from smidgen.project.comparison import comparison_table, read_report
from smidgen.project.inference import read_samples as read_inputs
from smidgen.targets.catalogue import board, load_board
from support.graphs import small_convnet


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        read: Takes the file, which is called "fuzzed" and whatever `suffix` says.
        suffix: Behind the file's name; a "/" makes it a file in a folder called "fuzzed".
        seeds: Contents of sound files.
        pieces: What such files are made of.
    """

    read: Callable[[Path], object]
    suffix: str
    seeds: Callable[[], Sequence[bytes]]
    pieces: Sequence[bytes] = ()


def _wav() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(64)))
    return stream.getvalue()


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.arange(12, dtype=np.float32).reshape(6, 2))
    return stream.getvalue()


def _inputs(dtype: str) -> bytes:
    """Two samples for the network of `_build`."""
    stream = io.BytesIO()
    np.save(stream, np.ones((2, *_build().manifest.inputs[0].shape), dtype))
    return stream.getvalue()


def _npz() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, x=np.arange(12))
    return stream.getvalue()


def _onnx() -> list[bytes]:
    """A small network, and operators whose attributes decide much."""
    from support.onnx_nets import net, node, one

    rng = np.random.default_rng(1)
    weights = {"w": rng.standard_normal((3, 2, 3, 3)).astype(np.float32)}
    layers = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"]),
        node("GlobalAveragePool", ["r"]),
    ]
    models = [
        net(layers, {"x": (1, 2, 5, 5)}, weights),
        one("MaxPool", (1, 2, 6, 6), kernel_shape=[2, 2], strides=[2, 2]),
        one("Slice", (4, 5), {"s": np.array([1, 0]), "e": np.array([3, 4])}),
        one("Tile", (2, 3), {"r": np.array([1, 2])}),
        one("Resize", (1, 2, 3, 3), {"": np.zeros(0, np.float32), "s": np.float32([1, 1, 2, 2])}),
        one("Softmax", (2, 5), axis=1),
    ]
    return [model.SerializeToString() for model in models]


def _networks() -> list[bytes]:
    """Small networks of every operator, so that converters are reached."""
    from properties.generate import draw

    return [*(draw(98, number).data for number in range(60)), *written_models()]


def _flexbuffers() -> list[bytes]:
    from flatbuffers import flexbuffers

    return [bytes(flexbuffers.Dumps({"a": [1, {"b": 0.5}], "c": "text", "d": [1, 2, 3]}))]


_BOARD = b"""name = "Mine"
aliases = ["own"]
vendor = "V"
mcu = "M"
core = "cortex-m4f"
clock_hz = 64000000
[[flash]]
name = "flash"
address = 0
bytes = 262144
wait_states = 2
[[ram]]
name = "ram"
address = 536870912
bytes = 65536
wait_states = 0
"""
_DATASET = b"""name = "n"
rate_hz = 5e1
channels = ["a", "b"]
window_samples = 3
hop_samples = 1
"""
_TS = (
    b"@problemName t\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength true\n"
    b"@seriesLength 2\n@classLabel true a b\n@data\n1,2:3,?:a\n1e-3,-4:3,4:b\n"
)
_CSV = b'time,ax,"ay"\n0,1,2\n0.5,-1e3,0.25\n1,3,4\n'
_TOML = (
    b"=",
    b"[",
    b"]",
    b"[[",
    b'"',
    b"\n",
    b"{",
    b"}",
    b"1e999",
    b"9" * 5000,
    b"[" * 3000,
    b"nan",
)
_JSON = (b"{", b"}", b"[" * 9000, b'"', b":", b",", b"null", b"1e999", b"9" * 5000, b"NaN", b"-1")
_NUMPY = (
    b"\x93NUMPY",
    b"\x01\x00",
    b"{'descr': '<f4', ",
    b"'shape': (9,)}",
    b"99999999999",
    b"(" * 99,
)
_WAVE = (b"RIFF", b"WAVE", b"fmt ", b"data", b"\x10\0\0\0", b"\xff\xff\xff\xff", b"\x01\0")
_TEXT = (b"\n", b",", b":", b"?", b"(", b")", b"@data\n", b"1", b"nan", b"1e999", b"\x00", b"\xff")


@cache
def _build() -> Artifact:
    return compile_graph(small_convnet(), board("nucleo-l4r5zi"), "fuzzed")


def _read_build(path: Path) -> object:
    for name, text in _build().files.items():
        (path.parent / name).write_text(text, encoding="utf-8")
    return Artifact.read(path.parent)


_REPORT = (
    b'{"board": "b", "model": "m", "instructions": 12, "modelled_ms": 0.5, "layers": '
    b'[{"name": "conv_0", "instructions": 7}, {"name": "dense_1", "instructions": 5}]}'
)


def _compare(path: Path) -> object:
    report = read_report(path.parent)
    return comparison_table(report, report)


READERS: dict[str, Reader] = {
    "tflite": Reader(load_model, ".tflite", _networks),
    "tflite survey": Reader(survey_model, ".tflite", _networks),
    "flexbuffer": Reader(
        lambda path: read_flexbuffer(path.read_bytes(), path.name), ".bin", _flexbuffers
    ),
    "onnx": Reader(load_model, ".onnx", _onnx),
    "csv": Reader(read_csv, ".csv", lambda: [_CSV], _TEXT),
    "ts": Reader(lambda path: read_ts(path, missing="interpolate"), ".ts", lambda: [_TS], _TEXT),
    "wav": Reader(read_wav, ".wav", lambda: [_wav()], _WAVE),
    "npy": Reader(read_npy, ".npy", lambda: [_npy(), _npz()], _NUMPY),
    "calibration samples": Reader(read_samples, ".npy", lambda: [_npy(), _npz()], _NUMPY),
    "input samples": Reader(
        lambda path: read_inputs(_build(), [path], quantize=True),
        ".npy",
        lambda: [_inputs("<f4"), _inputs("i1"), _npz()],
        _NUMPY,
    ),
    "dataset manifest": Reader(read_manifest, ".toml", lambda: [_DATASET], _TOML),
    "board": Reader(load_board, ".toml", lambda: [_BOARD], _TOML),
    "build folder": Reader(
        _read_build, f"/{MANIFEST}", lambda: [_build().manifest_json().encode()], _JSON
    ),
    "report": Reader(_compare, "/report.json", lambda: [_REPORT], _JSON),
}
