"""How good predictions are: accuracy, confusion matrix and its picture; needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError, InputError, MissingExtra

PNG_DPI = 150
_MAX_NUMBERED_CLASSES = 30


def accuracy(y_true: Array, y_pred: Array) -> float:
    """Share of predictions that are right, from 0 to 1.

    Raises:
        ArrayError: The two differ in shape, or are empty.
    """
    _check_pair(y_true, y_pred)
    return float(np.mean(np.asarray(y_true) == np.asarray(y_pred)))


def confusion_matrix(y_true: Array, y_pred: Array, classes: int) -> Array:
    """Counts int64 [classes, classes]; row = the true class, column = the predicted one.

    Raises:
        ArrayError: The two differ in shape, are empty, or hold numbers that are no class.
    """
    _check_pair(y_true, y_pred)
    pairs = np.stack([np.asarray(y_true), np.asarray(y_pred)])
    if pairs.dtype.kind not in "iu" or pairs.min() < 0 or pairs.max() >= classes:
        raise ArrayError(
            "predictions", "not all are class numbers", f"give whole numbers below {classes}"
        )
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, tuple(pairs), 1)
    return matrix


def plot_confusion(
    matrix: Array, class_names: Sequence[str], path: Path | str, title: str = ""
) -> None:
    """Write a picture of a confusion matrix as PNG; the same matrix gives the same bytes.

    Shades show the share of the true class, numbers the counts.

    Raises:
        ArrayError: The matrix is not square, or does not fit the class names.
        InputError: The file cannot be written.
        MissingExtra: matplotlib is not installed.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(class_names), len(class_names)) or not matrix.size:
        raise ArrayError(
            "confusion matrix",
            f"shape {matrix.shape} for {len(class_names)} class names",
            "give one row, one column and one name per class",
        )
    try:
        import_module("matplotlib")
    except ModuleNotFoundError as error:
        raise MissingExtra("matplotlib", "train", "drawing a confusion matrix") from error
    try:
        # The user's own style must not change the bytes, nor the version that wrote them.
        with import_module("matplotlib.style").context(["default", _PLAIN_STYLE]):
            figure = _draw(matrix, class_names, title)
            figure.savefig(
                path,
                format="png",
                dpi=PNG_DPI,
                bbox_inches="tight",
                pad_inches=0.15,
                metadata={"Software": None},
            )
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error})", "check the folder") from error


def _check_pair(y_true: Array, y_pred: Array) -> None:
    shapes = np.shape(y_true), np.shape(y_pred)
    if shapes[0] != shapes[1] or len(shapes[0]) != 1 or shapes[0] == (0,):
        raise ArrayError(
            "predictions", f"shape {shapes[1]} for {shapes[0]} labels", "give one per label"
        )


def _draw(matrix: Array, class_names: Sequence[str], title: str) -> Any:
    # The figure is made by hand: pyplot would choose a window system and keep it alive.
    Figure = import_module("matplotlib.figure").Figure
    side = 2.6 + 0.62 * min(len(class_names), 40)
    figure = Figure(figsize=(side + 0.6, side))
    axes = figure.add_subplot()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    _label_axes(axes, class_names, title)
    if len(class_names) <= _MAX_NUMBERED_CLASSES:
        _write_counts(axes, matrix, shares)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.04)
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    return figure


_PLAIN_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.usetex": False,
    "text.parse_math": False,  # a lone dollar sign in a label is no formula
}


def _label_axes(axes: Any, class_names: Sequence[str], title: str) -> None:
    places = range(len(class_names))
    axes.set_xticks(places, class_names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, class_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if title:
        axes.set_title(title, pad=12, fontsize=11)
    edges = np.arange(len(class_names) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write_counts(axes: Any, matrix: Array, shares: Array) -> None:
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.55 else "#1b2a3a"
        weight = "bold" if row == column else "normal"
        text = str(count) if count else "·"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontweight=weight)
