"""Light augmentation of time series: noise, gain, shift."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smidgen.train.config import TrainingConfig
from smidgen.train.network import Standardise


def augment(x: Tensor, standardise: nn.Module, config: TrainingConfig) -> Tensor:
    """A varied copy of x [batch, channels, time], in the same units.

    Each series is shifted in time by up to `config.shift` of its length (its ends are held), each
    of its channels multiplied by a gain around one, and noise is added that is small against the
    channel's deviation in the training data.
    """
    x = _shifted(x, config.shift)
    x = x * (1 + config.scaling * torch.randn(x.shape[0], x.shape[1], 1))
    deviation = standardise.deviation if isinstance(standardise, Standardise) else 1.0
    return x + config.jitter * deviation * torch.randn(x.shape)


def _shifted(x: Tensor, share: float) -> Tensor:
    most = int(share * x.shape[2])
    offsets = torch.randint(-most, most + 1, (x.shape[0], 1, 1))
    source = (torch.arange(x.shape[2]) + offsets).clamp(0, x.shape[2] - 1)
    return x.gather(2, source.expand_as(x))
