"""Accuracy, confusion matrix and its picture."""

import numpy as np
import pytest

from smidgen.core.errors import ArrayError, InputError
from smidgen.train import accuracy, confusion_matrix, plot_confusion

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def test_accuracy_is_the_share_that_is_right():
    assert accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == 0.75


def test_rows_are_true_and_columns_predicted():
    matrix = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert matrix.dtype == np.int64


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [([0, 1], [0]), ([], []), ([0, 3], [0, 1]), ([0, -1], [0, 1]), ([0.5, 1], [0, 1])],
)
def test_what_is_no_pair_of_class_numbers_is_refused(y_true, y_pred):
    with pytest.raises(ArrayError, match="predictions"):
        confusion_matrix(np.array(y_true), np.array(y_pred), 3)


def test_the_picture_is_a_png_with_the_same_bytes_whatever_the_users_style(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    names, matrix = ["rest", "costs $5 or $6"], np.array([[9, 1], [0, 7]])
    plot_confusion(matrix, names, tmp_path / "a.png", "title")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        plot_confusion(matrix, names, tmp_path / "b.png", "title")
    first = (tmp_path / "a.png").read_bytes()
    assert first.startswith(PNG_SIGNATURE)
    assert b"Software" not in first and b"matplotlib" not in first
    assert first == (tmp_path / "b.png").read_bytes()


def test_a_picture_of_the_wrong_shape_or_place_is_refused(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(ArrayError, match="2 class names"):
        plot_confusion(np.ones((3, 3)), ["a", "b"], tmp_path / "x.png")
    with pytest.raises(InputError, match="cannot be written"):
        plot_confusion(np.ones((2, 2)), ["a", "b"], tmp_path / "none" / "x.png")
