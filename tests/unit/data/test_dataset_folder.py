"""The dataset folder: round trip, everything its manifest can say, and every complaint."""

import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smidgen.core.errors import DatasetError, UnknownName
from smidgen.data import Dataset, Recording, open_dataset, read_dataset, write_dataset

MANIFEST = 'name = "toy"\nrate_hz = 50.0\nchannels = ["ax", "ay"]\n'
ROWS = "ax,ay\n1,2\n3.5,-4e-1\n"


def put(root, name, content):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    put(tmp_path, "dataset.toml", MANIFEST)
    for split in ("train", "test"):
        for label in ("rest", "walk"):
            put(tmp_path, f"{split}/{label}/{split}er__1.csv", ROWS)
    return tmp_path


def write_wav(path, samples, rate_hz=50, width=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())


def test_a_folder_is_read_with_labels_splits_and_groups(folder):
    data = read_dataset(folder)
    assert (data.name, data.rate_hz, data.channels) == ("toy", 50.0, ("ax", "ay"))
    assert data.classes == ("rest", "walk")
    assert data.counts("train") == data.counts("test") == {"rest": 1, "walk": 1}
    first = data.select("train")[0]
    assert first.group == "trainer"
    np.testing.assert_array_equal(first.samples, np.float32([[1, 2], [3.5, -0.4]]))


def test_all_formats_mix_and_columns_may_come_in_any_order(folder):
    put(folder, "train/walk/swapped.csv", "ay;ax\n2;1\n")
    put(folder, "train/walk/bom.csv", "\ufeff ax , ay \r\n5,6\r\n\r\n7,8\r\n")
    np.save(folder / "train/walk/array.npy", np.array([[1, 2], [3, 4]], dtype=np.int16))
    write_wav(folder / "train/walk/sound.wav", np.array([[16384, -32768]], dtype="<i2"))
    found = {r.name: r.samples.tolist() for r in read_dataset(folder).select("train")}
    assert found["swapped"] == [[1, 2]]
    assert found["bom"] == [[5, 6], [7, 8]]
    assert found["array"] == [[1, 2], [3, 4]]
    assert found["sound"] == [[0.5, -1.0]]


def test_a_time_column_is_checked_against_the_rate_and_left_out(folder):
    put(folder, "train/walk/timed.csv", "timestamp,ax,ay\n0,1,2\n20,3,4\n40,5,6\n")
    assert read_dataset(folder).select("train")[1].samples.shape == (3, 2)
    put(folder, "train/walk/timed.csv", "time,ax,ay\n0,1,2\n0.04,3,4\n0.08,5,6\n")
    with pytest.raises(DatasetError, match=r"timed.csv: mixed rates: .* 25 Hz"):
        read_dataset(folder)


def test_a_groups_file_overrides_the_names(folder):
    put(folder, "groups.csv", "file,group\ntrain/rest/trainer__1.csv,anna\n")
    groups = [r.group for r in read_dataset(folder).select("train")]
    assert groups == ["anna", "trainer"]
    put(folder, "groups.csv", "file,group\ntrain/rest/no.csv,anna\n")
    with pytest.raises(DatasetError, match=r"groups.csv: it names 'train/rest/no.csv'"):
        read_dataset(folder)
    put(folder, "groups.csv", "name,subject\n")
    with pytest.raises(DatasetError, match="first row is not file,group"):
        read_dataset(folder)


def test_without_split_folders_whole_groups_are_split(tmp_path):
    put(tmp_path, "dataset.toml", MANIFEST + "test_fraction = 0.5\n")
    for person in ("anna", "ben", "cem", "dua"):
        for label in ("rest", "walk"):
            for take in range(3):
                put(tmp_path, f"{label}/{person}__{take}.csv", ROWS)
    data = read_dataset(tmp_path)
    assert data.counts("test") == {"rest": 6, "walk": 6}
    sides = {r.group: s for r, s in zip(data.recordings, data.splits, strict=True)}
    assert sorted(sides.values()) == ["test", "test", "train", "train"]


def test_a_label_column_cuts_a_recording_where_the_label_changes(tmp_path):
    put(
        tmp_path,
        "dataset.toml",
        MANIFEST + 'label_column = "what"\nignore_columns = ["battery"]\n',
    )
    rows = "ax,ay,battery,what\n1,1,9,rest\n2,2,9,rest\n3,3,9,walk\n4,4,?,\n5,5,9,rest\n"
    for split in ("train", "test"):
        put(tmp_path, f"{split}/day.csv", rows)
    train = read_dataset(tmp_path).select("train")
    assert [(r.label, len(r.samples)) for r in train] == [("rest", 2), ("walk", 1), ("rest", 1)]
    assert {r.group for r in train} == {"day"}


def test_windows_of_the_manifest_are_cut_after_the_split(folder):
    put(folder, "dataset.toml", MANIFEST + "window_samples = 2\nhop_samples = 1\n")
    put(folder, "train/walk/long.csv", "ax,ay\n" + "1,2\n" * 10)
    data = read_dataset(folder)
    assert data.counts("train") == {"rest": 1, "walk": 10}
    assert data.arrays("train")[0].shape == (11, 2, 2)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("dataset.toml", "rate_hz = ", "not a TOML file"),
        ("dataset.toml", b"\xff\xfe", "not a TOML file"),
        ("dataset.toml", "[" * 5000, "not a TOML file"),
        ("dataset.toml", "rate_hz = 50.0", "key 'channels' is missing"),
        ("dataset.toml", 'channels = ["a"]', "key 'rate_hz' is missing"),
        ("dataset.toml", MANIFEST + "windows = 3", "key 'windows'.*did you mean window_samples"),
        ("dataset.toml", MANIFEST.replace("50.0", "-1"), "key 'rate_hz': it is -1"),
        ("dataset.toml", MANIFEST.replace("50.0", "nan"), "key 'rate_hz': it is nan"),
        ("dataset.toml", MANIFEST.replace("50.0", "true"), "key 'rate_hz': it is True"),
        ("dataset.toml", MANIFEST.replace('"ay"', "3"), "key 'channels'.*list of strings"),
        ("dataset.toml", MANIFEST.replace("ay", "ax"), "key 'channels'.*distinct names"),
        ("dataset.toml", MANIFEST + 'units = ["g"]', "key 'units'.*one unit per channel"),
        ("dataset.toml", MANIFEST + "hop_samples = 3", "window_samples too"),
        ("dataset.toml", MANIFEST + "window_samples = 1.5", "key 'window_samples'"),
        ("train/walk/x.csv", "ax,ay,az\n1,2,3\n", "x.csv, line 1: 3 channels.*column 'az'"),
        ("train/walk/x.csv", "ax\n1\n", "x.csv, line 1: 1 channels instead of 2.*no column 'ay'"),
        ("train/walk/x.csv", "1,2\n3,4\n", "x.csv, line 1: the header row holds numbers"),
        ("train/walk/x.csv", "", "x.csv, line 1: there is no header row"),
        ("train/walk/x.csv", "ax,ax\n", "x.csv, line 1: two columns are called 'ax'"),
        ("train/walk/x.csv", "ax,,ay\n", "x.csv, line 1: column 2 has no name"),
        ("train/walk/x.csv", "ax,ay\n", "x.csv: there are no rows"),
        ("train/walk/x.csv", "ax,ay\n1,2\n1,two\n", "line 3, column 'ay': 'two' is not a number"),
        ("train/walk/x.csv", "ax,ay\n1,\n", "line 2, column 'ay': '' is empty"),
        ("train/walk/x.csv", "ax,ay\n1_0,2\n", "line 2, column 'ax': '1_0' is not a number"),
        ("train/walk/x.csv", "ax,ay\nnan,2\n", "line 2, column 'ax': 'nan' is NaN"),
        ("train/walk/x.csv", "ax,ay\n1,-inf\n", "line 2, column 'ay': '-inf' is infinite"),
        ("train/walk/x.csv", "ax,ay\n1,1e39\n", "line 2, column 'ay'.*beyond float32"),
        ("train/walk/x.csv", "ax,ay\n1,2\n1\n", "line 3: 1 cells, but the header has 2"),
        ("train/walk/x.csv", "ax,ay\n1,2,3\n", "line 2: 3 cells, but the header has 2"),
        ("train/walk/x.csv", 'ax,ay\n"1,2\n', "line 2: a quote is not closed"),
        ("train/walk/x.csv", b"ax,ay\n\xff,1\n", "x.csv: not a CSV file"),
        ("train/walk/x.csv", "time,ax,ay\n0,1,2\n0,1,2\n", "line 3, column 'time'.*not rise"),
        ("train/walk/x.npy", b"nonsense", "x.npy: not a .npy array"),
        ("train/walk/x.wav", b"RIFF", "x.wav: not a PCM .wav file"),
    ],
)
def test_each_fault_is_named_with_its_place(folder, name, content, complaint):
    put(folder, name, content)
    with pytest.raises(DatasetError, match=complaint) as caught:
        read_dataset(folder)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.ones((4, 3)), "3 channels instead of 2"),
        (np.ones((4, 2, 2)), r"shape \(4, 2, 2\)"),
        (np.array([["a", "b"]]), "save real numbers"),
        (np.ones((0, 2)), r"not a .npy array|shape \(0, 2\)"),
        (np.array([[1.0, np.inf]]), "sample 0 of channel 'ay' is NaN, infinite"),
        (np.array([[1e300, 0]]), "beyond float32"),
        (np.array([{}, 1], dtype=object), "not a .npy array"),
    ],
)
def test_faulty_arrays_are_named(folder, array, complaint):
    np.save(folder / "train/walk/x.npy", array, allow_pickle=True)
    with pytest.raises(DatasetError, match=rf"x\.npy: .*({complaint})"):
        read_dataset(folder)


def test_an_npy_header_cannot_ask_for_more_than_the_file_has(folder):
    np.save(folder / "train/walk/x.npy", np.ones((4, 2)))
    path = folder / "train/walk/x.npy"
    path.write_bytes(path.read_bytes().replace(b"(4, 2), }     ", b"(2**40, 2), }")[:200])
    with pytest.raises(DatasetError, match=r"not a \.npy array"):
        read_dataset(folder)
    huge = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 2), }"
    path.write_bytes(huge + header.ljust(117) + b"\n" + bytes(64))
    with pytest.raises(DatasetError, match=r"not a \.npy array"):
        read_dataset(folder)


def test_wav_of_another_rate_or_width_is_refused(folder):
    path = folder / "train/walk/x.wav"
    write_wav(path, np.zeros((4, 2), dtype="<i2"), rate_hz=16000)
    with pytest.raises(DatasetError, match="mixed rates: it was sampled at 16000 Hz"):
        read_dataset(folder)
    write_wav(path, np.zeros((4, 2), dtype="u1"), width=1)
    with pytest.raises(DatasetError, match="8-bit samples"):
        read_dataset(folder)
    write_wav(path, np.zeros((0, 2), dtype="<i2"))
    with pytest.raises(DatasetError, match="it has no samples"):
        read_dataset(folder)


def test_files_beyond_the_limit_are_refused_unread(folder, monkeypatch):
    monkeypatch.setattr("smidgen.data.readers.csv.MAX_RECORDING_BYTES", 10)
    with pytest.raises(DatasetError, match="at most 10 are read"):
        read_dataset(folder)


def test_recordings_that_are_no_files_are_refused(folder):
    (folder / "train/walk/pipe.csv").mkdir()
    with pytest.raises(DatasetError, match=r"pipe.csv: it is not a file"):
        read_dataset(folder)


def test_what_a_folder_lacks_is_said(tmp_path):
    with pytest.raises(DatasetError, match="there is no such folder"):
        read_dataset(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"dataset.toml: there is no such file; .*rate_hz"):
        read_dataset(tmp_path)
    put(tmp_path, "dataset.toml", MANIFEST)
    with pytest.raises(DatasetError, match="there are no recordings"):
        read_dataset(tmp_path)
    put(tmp_path, "train/rest/1.csv", ROWS)
    with pytest.raises(DatasetError, match="no test/ folder beside train/"):
        read_dataset(tmp_path)
    put(tmp_path, "test/rest/1.csv", ROWS)
    with pytest.raises(DatasetError, match=r"it has 1 class \(rest\)"):
        read_dataset(tmp_path)
    put(tmp_path, "train/walk/1.csv", ROWS)
    with pytest.raises(DatasetError, match="label 'walk' has no test recordings"):
        read_dataset(tmp_path)
    put(tmp_path, "test/walk/1.csv", ROWS)
    assert len(read_dataset(tmp_path).recordings) == 4


def test_open_dataset_takes_folders_and_suggests_names(folder, monkeypatch):
    assert open_dataset(folder).name == "toy"
    monkeypatch.chdir(folder.parent)
    assert open_dataset(folder.name).name == "toy"
    with pytest.raises(UnknownName, match="did you mean basic-motions"):
        open_dataset("basic-motion")
    with pytest.raises(DatasetError, match="no such folder"):
        open_dataset("./nowhere")


values = st.floats(width=32, allow_nan=False, allow_infinity=False)
names = st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.lists(
        arrays(np.float32, st.tuples(st.integers(1, 5), st.just(2)), elements=values),
        min_size=4,
        max_size=4,
    ),
    groups=st.lists(st.one_of(st.none(), names), min_size=4, max_size=4),
    text=st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_what_is_written_reads_back_bit_for_bit(tmp_path_factory, samples, groups, text):
    places = [("train", "b"), ("train", "c d"), ("test", "b"), ("test", "c d")]
    recordings = tuple(
        Recording("r__1", s, 12.5, ("x", "größe"), label, group)
        for s, group, (_, label) in zip(samples, groups, places, strict=True)
    )
    splits = tuple(split for split, _ in places)
    data = Dataset("n", recordings, ("b", "c d"), splits, ("g", "°/s"), text, text)
    target = tmp_path_factory.mktemp("out") / "set"
    write_dataset(data, target)
    back = read_dataset(target)
    assert (back.name, back.classes, back.units) == (data.name, data.classes, data.units)
    assert (back.description, back.source, back.rate_hz) == (text, text, 12.5)
    kept = {(s, r.label): r for r, s in zip(back.recordings, back.splits, strict=True)}
    for recording, place in zip(recordings, places, strict=True):
        assert kept[place].samples.tobytes() == recording.samples.tobytes()
        assert kept[place].group == recording.group


def trainable(**change):
    fields = {"label": "a", "name": "r", "channels": ("x",), **change}
    one = [
        Recording(fields["name"], np.ones((2, 1)), 1.0, fields["channels"], label)
        for label in (fields["label"], "z", fields["label"], "z")
    ]
    classes = tuple(sorted({fields["label"], "z"}))
    return Dataset("d", tuple(one), classes, ("train", "train", "test", "test"))


def test_writing_never_overwrites_and_leaves_nothing_behind(tmp_path):
    write_dataset(trainable(), tmp_path / "d")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DatasetError, match="something is already there"):
        write_dataset(trainable(), tmp_path / "d")
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "empty").mkdir()
    write_dataset(trainable(), tmp_path / "empty")
    assert len(read_dataset(tmp_path / "empty").recordings) == 4


def test_a_failed_write_leaves_no_trace(tmp_path, monkeypatch):
    def disk_full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("smidgen.data.writer._write_recordings", disk_full)
    with pytest.raises(DatasetError, match="No space left"):
        write_dataset(trainable(), tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"label": "../up"}, "label '../up'.*cannot be the name of a file"),
        ({"label": ".hidden"}, "cannot be the name of a file"),
        ({"label": "Z"}, "two labels differ in case only"),
        ({"name": "a/b"}, "recording 'a/b'.*cannot be the name"),
        ({"name": "x" * 500}, "cannot be the name of a file"),
        ({"channels": ("a,b",)}, "printable names without"),
        ({"channels": ("12",)}, "names, not numbers"),
    ],
)
def test_names_that_files_cannot_carry_are_refused(tmp_path, change, complaint):
    with pytest.raises(DatasetError, match=complaint):
        write_dataset(trainable(**change), tmp_path / "d")
    assert list(tmp_path.iterdir()) == []
