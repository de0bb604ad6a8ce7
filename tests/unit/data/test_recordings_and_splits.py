"""Recordings refuse what is not usable; splits keep groups together; windows do not leak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.core.errors import DatasetError
from smidgen.data import Dataset, Recording, cut_windows, shared_groups, split_by_group
from smidgen.data.dataset import require_trainable


def recording(name="r", label="a", group=None, samples=10, channels=("x", "y"), rate_hz=50.0):
    values = np.arange(samples * len(channels), dtype=np.float32).reshape(samples, -1)
    return Recording(name, values, rate_hz, channels, label, group)


def dataset(recordings, splits=None):
    classes = tuple(sorted({r.label for r in recordings if r.label is not None}))
    return Dataset("d", tuple(recordings), classes, tuple(splits or ["train"] * len(recordings)))


def test_a_recording_knows_its_duration_and_holds_float32():
    one = Recording("r", np.ones((100, 2), dtype=np.int64), 50.0, ("x", "y"))
    assert one.duration_s == 2.0
    assert one.samples.dtype == np.float32


@pytest.mark.parametrize(
    ("samples", "channels", "rate_hz", "complaint"),
    [
        (np.ones(3), ("x",), 1.0, "1 dimensions"),
        (np.ones((3, 2)), ("x",), 1.0, "2 channels, but 1 channel names"),
        (np.ones((0, 1)), ("x",), 1.0, "no samples"),
        (np.array([[1.0], [np.nan]]), ("x",), 1.0, "sample 1 of channel 'x' is NaN"),
        (np.array([[1e300]]), ("x",), 1.0, "beyond float32"),
        (np.array([["a"]]), ("x",), 1.0, "not numbers"),
        (np.ones((3, 1)), ("x",), 0.0, "sampling rate is 0.0"),
        (np.ones((3, 1)), ("x",), float("nan"), "sampling rate is nan"),
    ],
)
def test_a_recording_says_what_is_wrong_with_it(samples, channels, rate_hz, complaint):
    with pytest.raises(DatasetError, match=complaint) as caught:
        Recording("broken", samples, rate_hz, channels)
    assert "broken" in str(caught.value)


def test_a_dataset_refuses_mixed_rates_and_channels():
    with pytest.raises(DatasetError, match="mixed rates: 'b' was sampled at 25 Hz"):
        dataset([recording("a"), recording("b", rate_hz=25.0)])
    with pytest.raises(DatasetError, match="'b' has the channels y, x"):
        dataset([recording("a"), recording("b", channels=("y", "x"))])
    with pytest.raises(DatasetError, match="no recordings"):
        dataset([])


def test_arrays_are_stacked_in_order_and_numbered_by_sorted_class():
    data = dataset([recording("1", "b"), recording("2", "a"), recording("3", "b")])
    X, y = data.arrays("train")
    assert X.shape == (3, 10, 2) and X.dtype == np.float32
    assert y.tolist() == [1, 0, 1]


def test_arrays_of_unequal_length_name_both_recordings_and_the_way_out():
    data = dataset([recording("long", samples=12), recording("short", samples=9)])
    with pytest.raises(DatasetError, match=r"'long' and 'short'.*12 samples.*9.*window"):
        data.arrays("train")


def test_unlabelled_recordings_cannot_become_arrays():
    with pytest.raises(DatasetError, match="it has no label"):
        dataset([recording("1", "a"), recording("2", None)]).arrays("train")


def test_training_needs_two_classes_and_both_sides_of_each():
    with pytest.raises(DatasetError, match="1 class"):
        require_trainable(dataset([recording()]))
    pair = [recording("1", "a"), recording("2", "b"), recording("3", "a")]
    with pytest.raises(DatasetError, match="label 'b' has no test recordings"):
        require_trainable(dataset(pair, ["train", "train", "test"]))


def test_without_groups_the_split_is_stratified():
    many = [recording(f"{c}{i}", c) for c in "abc" for i in range(20)]
    split = split_by_group(dataset(many), 0.25, seed=3)
    assert split.counts("test") == {"a": 5, "b": 5, "c": 5}
    assert split.counts("train") == {"a": 15, "b": 15, "c": 15}


def test_the_seed_decides_the_split_and_the_same_one_repeats_it():
    many = dataset([recording(f"{c}{i}", c) for c in "ab" for i in range(20)])
    assert split_by_group(many, 0.3, 1).splits == split_by_group(many, 0.3, 1).splits
    assert split_by_group(many, 0.3, 1).splits != split_by_group(many, 0.3, 2).splits


@settings(max_examples=60, deadline=None)
@given(
    members=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 7)), min_size=2, max_size=60),
    fraction=st.floats(0.05, 0.9),
    seed=st.integers(0, 5),
)
def test_no_group_is_ever_on_both_sides(members, fraction, seed):
    data = dataset([recording(f"r{i}", c, f"g{g}") for i, (c, g) in enumerate(members)])
    try:
        split = split_by_group(data, fraction, seed)
    except DatasetError:
        return  # the groups do not allow a split: said so, and why, in other tests
    assert shared_groups(split) == ()
    assert min(split.counts("test").values()) >= 1
    assert min(split.counts("train").values()) >= 1


def test_subjects_who_did_everything_are_split_near_the_fraction():
    data = dataset(
        [recording(f"{c}{g}{i}", c, f"s{g}") for c in "abc" for g in range(8) for i in range(3)]
    )
    split = split_by_group(data, 0.25, 0)
    assert split.counts("test") == {"a": 6, "b": 6, "c": 6}


def test_a_split_by_hand_that_leaks_a_group_is_found():
    data = dataset([recording("1", "a", "anna"), recording("2", "a", "anna")], ["train", "test"])
    assert shared_groups(data) == ("anna",)


def test_a_label_of_one_group_cannot_be_split():
    with pytest.raises(DatasetError, match="label 'b' comes from one recording or group only"):
        split_by_group(dataset([recording("1"), recording("2"), recording("3", "b")]), 0.5, 0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, float("nan")])
def test_the_fraction_lies_between_0_and_1(fraction):
    with pytest.raises(DatasetError, match="test_fraction"):
        split_by_group(dataset([recording("1"), recording("2")]), fraction, 0)


def test_windows_cover_the_recording_and_share_its_group():
    windows = cut_windows([recording("r", samples=10)], window_samples=4, hop_samples=3)
    assert [w.samples[0, 0] for w in windows] == [0, 6, 12]
    assert {w.group for w in windows} == {"r"}
    assert len({w.name for w in windows}) == 3


def test_windows_longer_than_all_recordings_are_refused():
    with pytest.raises(DatasetError, match="the longest has 10"):
        cut_windows([recording()], 11, 1)
    with pytest.raises(DatasetError, match="at least 1"):
        cut_windows([recording()], 5, 0)
    with pytest.raises(DatasetError, match="larger hop"):
        cut_windows([recording(samples=1_100_000, channels=("x",))], 1, 1)
