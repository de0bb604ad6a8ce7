"""What a network looks like and how it is trained; needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from smidgen.core.errors import InputError

Pooling = Literal["max", "average"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the network: convolution, batch normalisation, ReLU, pooling.

    Attributes:
        filters: Output channels.
        kernel: Taps of the convolution over time; odd.
        stride: Step of the convolution.
        pool: Window and step of the pooling after it; 1 for none.
        separable: A depthwise convolution and a pointwise one in the place of a full one.
    """

    filters: int
    kernel: int = 5
    stride: int = 1
    pool: int = 2
    separable: bool = False


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Stages one after the other, then the mean over time and a dense layer.

    Attributes:
        stages: At least one. The first is not padded, so that the standardisation of its input
            folds into it exactly; the others are padded by half their kernel.
        pooling: What pools between the stages.
        dropout: Share of the features that training hides from the dense layer.
    """

    stages: tuple[Stage, ...] = (Stage(16, kernel=5), Stage(32, kernel=5), Stage(48, kernel=3))
    pooling: Pooling = "max"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        good = bool(self.stages) and 0 <= self.dropout < 1
        for stage in self.stages:
            good &= min(stage.filters, stage.kernel, stage.stride, stage.pool) >= 1
            good &= stage.kernel % 2 == 1
        if not good or self.pooling not in ("max", "average"):
            raise InputError(
                "network configuration",
                f"{self} cannot be built",
                "give positive sizes, odd kernels, and a dropout from 0 to below 1",
            )

    def features_over_time(self, samples: int) -> int:
        """How many steps of time are left of `samples` before the mean; below 1 is too short."""
        for index, stage in enumerate(self.stages):
            padding = 0 if index == 0 else stage.kernel // 2
            samples = (samples + 2 * padding - stage.kernel) // stage.stride + 1
            samples //= stage.pool
            if samples < 1:
                return 0
        return samples


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How `fit` trains: AdamW, a short warm-up and a cosine schedule, light augmentation.

    The defaults were set on the training half of BasicMotions alone: in five-fold
    `cross_validate` over three seeds this and every neighbour that was tried (narrower, separable,
    longer, other learning rates and augmentation) got all folds right, so that nothing was left
    to tune. No test data had a part in it.

    Attributes:
        epochs: Passes over the training data.
        batch: Series per step.
        learning_rate: Its peak.
        weight_decay: Of AdamW.
        label_smoothing: Share of the target that is spread over all classes.
        jitter: Standard deviation of added noise, in standard deviations of the channel.
        scaling: Standard deviation of the random gain of a channel.
        shift: Largest shift in time, as a share of the length; the ends are held.
        balance_classes: Weigh rare classes up so that all count the same.
        validation_fraction: Share of the training data to watch instead of learning from it.
        seed: Decides all that is random.
        threads: Processor threads; more than one may change the last bits between machines.
    """

    epochs: int = 80
    batch: int = 8
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    jitter: float = 0.05
    scaling: float = 0.1
    shift: float = 0.1
    balance_classes: bool = True
    validation_fraction: float = 0.0
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        whole = min(self.epochs, self.batch, self.threads) >= 1 and 0 <= self.seed < 2**63
        shares = (self.label_smoothing, self.shift, self.validation_fraction)
        rates = (self.weight_decay, self.jitter, self.scaling)
        bounded = all(0 <= share < 1 for share in shares) and all(rate >= 0 for rate in rates)
        if not (whole and bounded and self.learning_rate > 0):
            raise InputError(
                "training configuration",
                f"{self} is out of range",
                "counts start at 1, shares lie from 0 to below 1, rates are not negative",
            )


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What one epoch came to.

    Attributes:
        epoch: From 1 to `epochs`.
        epochs: How many there will be.
        loss: Mean training loss, with augmentation.
        accuracy: Share of the augmented training series that were right.
        validation_accuracy: Share of the validation series that are right; None without any.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    validation_accuracy: float | None


class Progress(Protocol):
    """Called after every epoch, e.g. to move a progress bar."""

    def __call__(self, report: EpochReport) -> None:
        """Take notice of an epoch that has ended."""
