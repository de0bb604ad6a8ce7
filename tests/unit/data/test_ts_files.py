"""The .ts reader, on hand-made files and on those that sktime carries."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from smidgen.core.errors import DatasetError, MissingExtra
from smidgen.data import open_dataset, read_ts, read_ts_dataset

HEAD = "@problemName Toy\n@timeStamps false\n@univariate false\n@classLabel true up Down\n@data\n"
UNIVARIATE = HEAD.replace("@univariate false", "@univariate true")
TIMED = HEAD.replace("@timeStamps false", "@timeStamps true")


def ts(tmp_path, content, name="toy.ts"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def carried(name):
    spec = importlib.util.find_spec("sktime")
    if spec is None:
        pytest.skip("sktime is not installed")
    path = Path(spec.submodule_search_locations[0], "datasets", "data", name, f"{name}_TRAIN.ts")
    if not path.exists():
        pytest.skip(f"this sktime does not carry {name}")
    return path


def test_channels_labels_and_comments_are_read(tmp_path):
    text = "# about\n% more\n\n" + HEAD + "# a note\n1,2,3:4,5,6:up\n -1.5, 2e1 ,0:7,8,9:DOWN \n"
    found = read_ts(ts(tmp_path, text.replace("\n", "\r\n")), rate_hz=10.0, channels=("x", "y"))
    assert (found.problem, found.classes) == ("Toy", ("Down", "up"))
    first, second = found.recordings
    assert first.samples.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert second.samples.tolist() == [[-1.5, 7], [20, 8], [0, 9]]
    assert (first.label, second.label) == ("up", "Down")
    assert (first.rate_hz, first.channels) == (10.0, ("x", "y"))


def test_tags_are_read_in_any_case_and_comments_in_any_encoding(tmp_path):
    head = b"# caf\xe9\n@PROBLEMNAME t\n@CLASSLABEL TRUE a b\n@Unheard of\n@DATA\n1,2:a\n"
    assert read_ts(ts(tmp_path, head)).recordings[0].samples.tolist() == [[1], [2]]


def test_files_without_labels_and_with_targets_are_read(tmp_path):
    plain = HEAD.replace("true up Down", "false")
    found = read_ts(ts(tmp_path, plain + "1,2:3,4\n"))
    assert found.recordings[0].samples.tolist() == [[1, 3], [2, 4]]
    assert found.recordings[0].label is None
    target = "@univariate true\n@targetLabel true\n@data\n1,2:0.5\n3,4:7\n"
    assert read_ts(ts(tmp_path, target)).targets == (0.5, 7.0)
    with pytest.raises(DatasetError, match="regression targets"):
        read_ts_dataset(ts(tmp_path, target))


def test_missing_values_are_refused_or_interpolated(tmp_path):
    path = ts(tmp_path, UNIVARIATE + "?,1,?,NaN,4,?:up\n")
    with pytest.raises(DatasetError, match="line 6, channel 0: value 1 is missing"):
        read_ts(path)
    found = read_ts(path, missing="interpolate").recordings[0]
    assert found.samples[:, 0].tolist() == [1, 1, 2, 3, 4, 4]
    with pytest.raises(DatasetError, match="every value is missing"):
        read_ts(ts(tmp_path, UNIVARIATE + "?,?:up\n"), missing="interpolate")


def test_time_stamps_are_passed_over_even_with_colons_in_them(tmp_path):
    text = TIMED + "(0,1),(1,2):(0, 3), (1,4):up\n"
    text += "(2007-01-01 00:00:00,5),(2007-01-01 01:00:00,6):(0,7),(1,8):Down\n"
    first, second = read_ts(ts(tmp_path, text)).recordings
    assert first.samples.tolist() == [[1, 3], [2, 4]]
    assert second.samples.tolist() == [[5, 7], [6, 8]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "there is no @data line"),
        ("1,2:a\n", "line 1: data before the @data line"),
        (HEAD, "there are no cases after @data"),
        (HEAD + "1,2:sideways\n", "line 6: label 'sideways' is not in @classLabel"),
        (HEAD + "1,2:3,4:up\n1,2:up\n", "line 7: 1 channels instead of 2"),
        (UNIVARIATE + "1:2:up\n", "line 6: 2 channels instead of 1"),
        (HEAD + "1,2:3:up\n", "line 6: ragged: its channels have 1 to 2 values"),
        (UNIVARIATE + "1,x:up\n", "line 6, channel 0, column '2': 'x' is not a number"),
        (UNIVARIATE + "1,,2:up\n", "line 6, channel 0, column '2': '' is empty"),
        (UNIVARIATE + "inf:up\n", "is infinite"),
        (UNIVARIATE + "1\n", "0 channels instead of 1|is not in @classLabel"),
        ("@equalLength true\n@data\n1,2\n1\n", "line 4: 1 values, but the series are 2 long"),
        ("@seriesLength 3\n@equalLength true\n@data\n1,2\n", "but the series are 3 long"),
        ("@univariate maybe\n@data\n", "line 1: @univariate is 'maybe'"),
        ("@dimensions 99999999999\n@data\n", "line 1: @dimensions is '99999999999'"),
        ("@dimensions ٣\n@data\n", "@dimensions is"),
        ("@seriesLength -1\n@data\n", "@serieslength is '-1'"),
        ("@classLabel true\n@data\n", "names no labels"),
        (TIMED + "1,2:up\n", "values without time stamps"),
        (TIMED + "(0,1),(1:up\n", "without time stamps|not in @classLabel|ragged"),
        (b"@data\n\xff\xfe\n", "line 2: it is not UTF-8 text"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        read_ts(ts(tmp_path, text))


def test_wrong_channel_names_and_missing_files_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="1 channels, but 2 channel names"):
        read_ts(ts(tmp_path, UNIVARIATE + "1:up\n"), channels=("x", "y"))
    with pytest.raises(DatasetError, match="no such file"):
        read_ts(tmp_path / "none.ts")
    with pytest.raises(DatasetError, match="not a file"):
        read_ts(tmp_path)


def test_halves_are_found_and_single_files_are_split(tmp_path):
    ts(tmp_path, UNIVARIATE + "1:up\n2:down\n", "Toy_TRAIN.ts")
    test = ts(tmp_path, UNIVARIATE + "3:up\n4:down\n5:up\n", "Toy_TEST.ts")
    both = open_dataset(test)
    assert both.counts("train") == {"Down": 1, "up": 1}
    assert both.counts("test") == {"Down": 1, "up": 2}
    alone = open_dataset(ts(tmp_path, UNIVARIATE + "1:up\n2:up\n3:down\n4:down\n", "alone.ts"))
    assert alone.counts("train") == alone.counts("test") == {"Down": 1, "up": 1}


# Cases, channels, classes and lengths as the archive documents them for the training halves.
@pytest.mark.parametrize(
    ("name", "cases", "channels", "classes", "shortest", "longest"),
    [
        ("ArrowHead", 36, 1, 3, 251, 251),
        ("GunPoint", 50, 1, 2, 150, 150),
        ("ItalyPowerDemand", 67, 1, 2, 24, 24),
        ("UnitTest", 20, 1, 2, 24, 24),
        ("JapaneseVowels", 270, 12, 9, 7, 26),
        ("BasicMotions", 40, 6, 4, 100, 100),
    ],
)
def test_the_files_that_sktime_carries_are_read(name, cases, channels, classes, shortest, longest):
    found = read_ts(carried(name))
    lengths = {len(r.samples) for r in found.recordings}
    assert len(found.recordings) == cases
    assert {len(r.channels) for r in found.recordings} == {channels}
    assert (min(lengths), max(lengths)) == (shortest, longest)
    assert {r.label for r in found.recordings} == set(found.classes)
    assert len(found.classes) == classes


@pytest.mark.parametrize("name", ["BasicMotions", "JapaneseVowels", "UnitTest"])
def test_the_reader_agrees_with_sktimes_own_loader(name):
    path = carried(name)
    for needed in ("pandas", "skbase"):
        pytest.importorskip(needed)
    from sktime.datasets import load_from_tsfile

    X, y = load_from_tsfile(str(path), return_data_type="nested_univ")
    found = read_ts(path)
    assert [r.label.lower() for r in found.recordings] == list(y)
    for index, recording in enumerate(found.recordings):
        columns = [np.asarray(cell, dtype=np.float32) for cell in X.iloc[index]]
        np.testing.assert_array_equal(recording.samples, np.stack(columns, axis=1))


def test_basic_motions_opens_by_name():
    carried("BasicMotions")
    data = open_dataset("basic-motions")
    assert data.classes == ("Badminton", "Running", "Standing", "Walking")
    assert data.channels == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert data.rate_hz == 10.0
    assert data.counts("train") == data.counts("test") == dict.fromkeys(data.classes, 10)
    X, _ = data.arrays("train")
    assert X.shape == (40, 100, 6)
    np.testing.assert_allclose(X[0, :3, 0], [0.079106, 0.079106, -0.903497], atol=1e-6)


def test_without_sktime_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"sktime.*smidgen\[demo\]"):
        open_dataset("basic-motions")
