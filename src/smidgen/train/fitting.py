"""Training: the same data, configuration and machine give the same weights, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError
from smidgen.train.augmentation import augment
from smidgen.train.config import EpochReport, Progress, TrainingConfig
from smidgen.train.network import (
    ConvNet,
    Standardise,
    evaluating,
    fold_standardisation,
    to_tensor,
)
from smidgen.train.partition import hold_out

LEAST_DEVIATION = 1e-6  # of a channel, relative to its mean or to one; below that it is constant

WARM_UP = 0.1  # share of the steps in which the learning rate rises


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A trained network and how it came about.

    Attributes:
        network: In eval mode; its standardisation is folded into the first convolution.
        history: One report per epoch.
        trained_on: Training series that it learnt from.
        validated_on: Series it was watched on: given, or held out of the training data.
    """

    network: ConvNet
    history: tuple[EpochReport, ...]
    trained_on: int
    validated_on: int

    @property
    def validation_accuracy(self) -> float | None:
        """Accuracy on the validation series after the last epoch; None without any."""
        return self.history[-1].validation_accuracy


@dataclass(frozen=True, slots=True)
class _Data:
    x: Tensor
    y: Tensor
    x_watched: Tensor | None
    y_watched: Tensor | None


def fit(
    network: ConvNet,
    X_train: Array,
    y_train: Array,
    config: TrainingConfig | None = None,
    progress: Progress | None = None,
    *,
    validation: tuple[Array, Array] | None = None,
) -> TrainingResult:
    """Train `network` in place.

    Args:
        network: Fresh from `build_network`.
        X_train: float [n, time, channels] in the sensor's own units.
        y_train: Class numbers, int [n].
        config: How to train.
        progress: Called after every epoch.
        validation: X and y to watch; where None, `config.validation_fraction` of the training
            data is held out, class by class. It decides nothing: the last epoch's weights count.

    Raises:
        ArrayError: Shapes do not match, X is not finite or too short, y is no class number, has
            one class only, or there are too few series.
    """
    config = config or TrainingConfig()
    with _reproducible(config):
        data = _prepare(network, X_train, y_train, config, validation)
        _set_standardisation(network, data.x)
        history = tuple(_train(network, data, config, progress))
    network.eval()
    watched = 0 if data.y_watched is None else len(data.y_watched)
    return TrainingResult(fold_standardisation(network), history, len(data.y), watched)


@contextmanager
def _reproducible(config: TrainingConfig) -> Iterator[None]:
    """One seed, deterministic algorithms and a fixed number of threads, put back at the end."""
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(config.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict, warn_only=warn_only)


def _prepare(
    network: ConvNet,
    X: Array,
    y: Array,
    config: TrainingConfig,
    validation: tuple[Array, Array] | None,
) -> _Data:
    x, labels = to_tensor(network, X), checked_labels(network, X, y)
    if validation is not None:
        x_watched = to_tensor(network, validation[0])
        return _Data(x, labels, x_watched, checked_labels(network, *validation, kinds=1))
    if config.validation_fraction == 0:
        return _Data(x, labels, None, None)
    held_out = torch.from_numpy(hold_out(labels.numpy(), config.validation_fraction, config.seed))
    return _Data(x[~held_out], labels[~held_out], x[held_out], labels[held_out])


def checked_labels(network: ConvNet, X: Array, y: Array, kinds: int = 2) -> Tensor:
    """The labels `y` of X as int64.

    Args:
        network: Says how many classes there are.
        X: The series, for their number.
        y: Class numbers, int [n].
        kinds: How many different ones there must be.

    Raises:
        ArrayError: One label per series is not given, a number is no class, or too few differ.
    """
    y = np.asarray(y)
    if y.shape != (len(X),) or y.dtype.kind not in "iu":
        raise ArrayError(
            "y", f"{y.dtype} of shape {y.shape}", f"give {len(X)} class numbers, one per series"
        )
    if y.min() < 0 or y.max() >= network.classes:
        raise ArrayError(
            "y",
            f"class numbers from {y.min()} to {y.max()}",
            f"the network has the classes 0 to {network.classes - 1}",
        )
    if len(np.unique(y)) < kinds:
        raise ArrayError(
            "y",
            f"all {len(y)} series are of one class",
            f"give series of at least {kinds} classes to learn from",
        )
    return torch.from_numpy(y.astype(np.int64))


def _set_standardisation(network: ConvNet, x: Tensor) -> None:
    if not isinstance(network.standardise, Standardise):
        raise ArrayError(
            "network", "it was trained before", "build a fresh one with build_network()"
        )
    wide = x.double()
    mean = wide.mean(dim=(0, 2), keepdim=True)
    deviation = wide.std(dim=(0, 2), keepdim=True, correction=0)
    # A channel that never changes says nothing; dividing by its noise would make it shout.
    constant = deviation <= LEAST_DEVIATION * mean.abs().clamp(min=LEAST_DEVIATION)
    network.standardise.mean.copy_(mean)
    network.standardise.deviation.copy_(torch.where(constant, 1.0, deviation))


@dataclass(frozen=True, slots=True)
class _Descent:
    """Everything that turns a batch into a step."""

    loss_of: nn.CrossEntropyLoss
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


def _train(
    network: ConvNet, data: _Data, config: TrainingConfig, progress: Progress | None
) -> Iterator[EpochReport]:
    descent = _descent(network, data, config)
    for epoch in range(1, config.epochs + 1):
        loss, accuracy = _epoch(network, data, config, descent)
        watched = _watch(network, data)
        report = EpochReport(epoch, config.epochs, loss, accuracy, watched)
        if progress is not None:
            progress(report)
        yield report


def _descent(network: ConvNet, data: _Data, config: TrainingConfig) -> _Descent:
    # Biases and batch normalisation set levels; pulling those to zero would only do harm.
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=config.learning_rate)
    steps = len(list(_batches(len(data.y), config.batch, shuffled=False)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=config.learning_rate,
        total_steps=config.epochs * steps,
        pct_start=WARM_UP,
        cycle_momentum=False,
    )
    return _Descent(_loss(network, data.y, config), optimiser, schedule)


def _loss(network: ConvNet, y: Tensor, config: TrainingConfig) -> nn.CrossEntropyLoss:
    counts = torch.bincount(y, minlength=network.classes).double()
    weight = torch.ones(network.classes)
    if config.balance_classes:
        present = (counts > 0).sum()
        weight = (len(y) / (present * counts.clamp(min=1))).float()
    return nn.CrossEntropyLoss(weight, label_smoothing=config.label_smoothing)


def _epoch(
    network: ConvNet, data: _Data, config: TrainingConfig, descent: _Descent
) -> tuple[float, float]:
    """One pass over the data: mean loss, and share that was right."""
    network.train()
    losses, right, seen = 0.0, 0, 0
    for chosen in _batches(len(data.y), config.batch, shuffled=True):
        x, y = augment(data.x[chosen], network.standardise, config), data.y[chosen]
        logits = network(x)
        loss = descent.loss_of(logits, y)
        descent.optimiser.zero_grad()
        loss.backward()
        descent.optimiser.step()
        descent.schedule.step()
        losses += loss.item() * len(y)
        right += int((logits.argmax(dim=1) == y).sum())
        seen += len(y)
    return losses / seen, right / seen


def _batches(series: int, batch: int, shuffled: bool) -> Iterator[Tensor]:
    """Index batches of equal size or nearly so: batch normalisation cannot do with one series."""
    order = torch.randperm(series) if shuffled else torch.arange(series)
    yield from torch.tensor_split(order, max(1, round(series / max(batch, 2))))


def _watch(network: ConvNet, data: _Data) -> float | None:
    if data.x_watched is None or data.y_watched is None:
        return None
    with evaluating(network), torch.no_grad():
        logits = torch.cat([network(part) for part in torch.split(data.x_watched, 256)])
    return float((logits.argmax(dim=1) == data.y_watched).double().mean())
