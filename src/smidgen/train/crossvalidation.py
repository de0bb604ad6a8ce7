"""Cross-validation on training data: how a configuration is chosen without the test data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.train.config import NetworkConfig, TrainingConfig
from smidgen.train.fitting import fit
from smidgen.train.network import build_network, predict
from smidgen.train.partition import folds
from smidgen.train.scores import accuracy


def cross_validate(
    X: Array,
    y: Array,
    network: NetworkConfig | None = None,
    training: TrainingConfig | None = None,
    number: int = 5,
) -> tuple[float, ...]:
    """Accuracy on each of `number` stratified folds, trained on all of the others.

    Args:
        X: Training data, float [n, time, channels].
        y: Class numbers, int [n].
        network: Its shape.
        training: How to train; its seed also decides the folds and the first weights.
        number: Folds.

    Raises:
        ArrayError: As `fit`; or a class has fewer than two series.
    """
    training = replace(training or TrainingConfig(), validation_fraction=0.0)
    fold = folds(y, number, training.seed)
    found = []
    for index in np.unique(fold):
        inside = fold == index
        fresh = build_network(X.shape[2], int(y.max()) + 1, network, training.seed)
        trained = fit(fresh, X[~inside], y[~inside], training).network
        found.append(accuracy(y[inside], predict(trained, X[inside]).argmax(axis=1)))
    return tuple(found)
