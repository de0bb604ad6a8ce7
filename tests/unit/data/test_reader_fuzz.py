"""Whatever bytes a recording file holds, its reader succeeds or raises a DatasetError."""

import io
import wave

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smidgen.core.errors import DatasetError
from smidgen.data.manifest import read_manifest
from smidgen.data.readers.csv import read_csv
from smidgen.data.readers.npy import read_npy
from smidgen.data.readers.ts import read_ts
from smidgen.data.readers.wav import read_wav


def a_wav():
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(64)))
    return stream.getvalue()


def an_npy():
    stream = io.BytesIO()
    np.save(stream, np.arange(12, dtype=np.float32).reshape(6, 2))
    return stream.getvalue()


TS = (
    b"@problemName t\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength true\n"
    b"@seriesLength 2\n@classLabel true a b\n@data\n1,2:3,?:a\n(0,1),(1,2):3,4:b\n"
)
CSV = b'time,ax,"ay"\n0,1,2\n0.5,-1e3,nan\n1_0;3\t4\n'
TOML = b'name = "n"\nrate_hz = 5e1\nchannels = ["a", "b"]\nwindow_samples = 3\nhop_samples = 1\n'


def mangled(good, alphabet):
    """`good` with some of its bytes changed, taken out or put in; or free text."""
    edit = st.tuples(st.integers(0, len(good)), st.integers(0, 12), st.binary(max_size=6))

    def apply(edits):
        data = good
        for place, removed, added in edits:
            data = data[:place] + added + data[place + removed :]
        return data

    pieces = st.lists(st.sampled_from(alphabet), max_size=40).map(b"".join)
    return st.one_of(st.lists(edit, max_size=5).map(apply), pieces, st.binary(max_size=200))


TS_PIECES = [b"@data\n", b"@timeStamps true\n", b"@classLabel true a\n", b"@targetLabel true\n"]
TS_PIECES += [b"@dimensions 2\n", b"@univariate true\n", b"@equalLength true\n", b"1", b",", b":"]
TS_PIECES += [b"(", b")", b"?", b"a", b"\n", b"nan", b"-1e99", b"(0,1)", b" ", b"\x00", b"\xff"]
CSV_PIECES = [b"a", b"time", b",", b";", b"\t", b'"', b"\n", b"\r", b"1", b"-2.5", b"\xef\xbb\xbf"]
CSV_PIECES += [b"inf", b"nan", b"\x00", b"\xff", b"1e999", b" "]
BINARY_PIECES = [b"RIFF", b"WAVE", b"fmt ", b"data", b"\x10\0\0\0", b"\xff\xff\xff\xff", b"\x01\0"]
BINARY_PIECES += [b"\x93NUMPY", b"\x01\x00", b"\x76\x00", b"{'descr': '<f4', ", b"'shape': (9,)}"]
TOML_PIECES = [b"rate_hz", b"=", b"1e999", b"[", b"]", b'"', b"\n", b"channels", b"{", b"}", b"0x"]
TOML_PIECES += [b"1979-99-99", b"9" * 5000, b"'", b",", b".", b"nan", b"-0", b"\\ud800"]


def survives(reader, folder, suffix, data):
    path = folder / f"fuzz{suffix}"
    path.write_bytes(data)
    try:
        reader(path)
    except DatasetError as error:
        assert str(error)


many = settings(max_examples=300, deadline=None)


@many
@given(data=mangled(TS, TS_PIECES), missing=st.sampled_from(["refuse", "interpolate"]))
@example(data=TS, missing="interpolate")
@example(data=b"@timeStamps true\n@data\n" + b"(" * 100_000, missing="refuse")
@example(data=b"@timeStamps true\n@data\n" + b":" * 100_000, missing="refuse")
def test_ts(tmp_path_factory, data, missing):
    folder = tmp_path_factory.getbasetemp()
    survives(lambda path: read_ts(path, missing=missing), folder, ".ts", data)


@many
@given(data=mangled(CSV, CSV_PIECES), channels=st.sampled_from([None, ("ax", "ay"), ("a",)]))
@example(data=b"a\n" + b"1," * 300_000, channels=None)
@example(data=b"a" * 2_000_000, channels=None)
def test_csv(tmp_path_factory, data, channels):
    survives(lambda path: read_csv(path, channels), tmp_path_factory.getbasetemp(), ".csv", data)


@many
@given(data=mangled(a_wav(), BINARY_PIECES))
def test_wav(tmp_path_factory, data):
    survives(read_wav, tmp_path_factory.getbasetemp(), ".wav", data)


@many
@given(data=mangled(an_npy(), BINARY_PIECES))
def test_npy(tmp_path_factory, data):
    survives(read_npy, tmp_path_factory.getbasetemp(), ".npy", data)


@many
@given(data=mangled(TOML, TOML_PIECES))
@example(data=b"a = " + b"[" * 3000)
@example(data=b"a" + b".a" * 3000 + b" = 1")
def test_manifest(tmp_path_factory, data):
    survives(read_manifest, tmp_path_factory.getbasetemp(), ".toml", data)


def test_the_unmangled_files_are_read(tmp_path):
    (tmp_path / "x.wav").write_bytes(a_wav())
    (tmp_path / "x.npy").write_bytes(an_npy())
    (tmp_path / "x.toml").write_bytes(TOML)
    assert read_wav(tmp_path / "x.wav")[0].shape == (16, 2)
    assert read_npy(tmp_path / "x.npy").shape == (6, 2)
    assert read_manifest(tmp_path / "x.toml").channels == ("a", "b")
