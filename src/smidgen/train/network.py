"""A small convolutional network for time series of several channels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError, InputError
from smidgen.train.config import NetworkConfig, Pooling, Stage


class Standardise(nn.Module):
    """(x - mean) / deviation for each channel; fixed numbers of the training data, not learnt."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1))
        self.register_buffer("deviation", torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise x [batch, channels, time]."""
        return (x - self.mean) / self.deviation


class ConvNet(nn.Module):
    """Stages of convolution, batch normalisation, ReLU and pooling; mean over time; dense layer.

    Takes the sensor's own units, float32 [batch, channels, time], and gives logits
    [batch, classes].
    """

    def __init__(self, channels: int, classes: int, config: NetworkConfig | None = None) -> None:
        super().__init__()
        if channels < 1 or classes < 2:
            raise InputError(
                "network",
                f"{channels} channels and {classes} classes",
                "a classifier needs at least one channel and two classes",
            )
        self.channels = channels
        self.classes = classes
        self.config = config or NetworkConfig()
        self.standardise: nn.Module = Standardise(channels)
        widths = (channels, *(stage.filters for stage in self.config.stages))
        self.stages = nn.Sequential(
            *(
                _stage(widths[index], stage, self.config.pooling, padded=index > 0)
                for index, stage in enumerate(self.config.stages)
            )
        )
        self.dropout = nn.Dropout(self.config.dropout)
        self.dense = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of x [batch, channels, time]."""
        features = self.stages(self.standardise(x))
        logits: Tensor = self.dense(self.dropout(features.mean(dim=2)))
        return logits


def build_network(
    channels: int, classes: int, config: NetworkConfig | None = None, seed: int = 0
) -> ConvNet:
    """A network with fresh weights that depend on `seed` only.

    Raises:
        InputError: There are no channels, or fewer than two classes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ConvNet(channels, classes, config)


def fold_standardisation(network: ConvNet) -> ConvNet:
    """Put the standardisation into the first convolution, in place, and return the network.

    W' = W / deviation and b' = b - sum(W' * mean): exact but for rounding, because the first
    convolution is not padded. Does nothing where it was done before.
    """
    if not isinstance(network.standardise, Standardise):
        return network
    first = next(module for module in network.modules() if isinstance(module, nn.Conv1d))
    mean = network.standardise.mean.double()
    deviation = network.standardise.deviation.double()
    depthwise = first.groups > 1
    with torch.no_grad():
        spread = deviation.reshape(-1, 1, 1) if depthwise else deviation
        weight = first.weight.double() / spread
        offset = mean.reshape(-1, 1, 1) if depthwise else mean
        bias = torch.zeros(len(weight)) if first.bias is None else first.bias
        folded = bias.double() - (weight * offset).sum(dim=(1, 2))
        first.weight.copy_(weight)
        first.bias = nn.Parameter(folded.to(first.weight.dtype))
    network.standardise = nn.Identity()
    return network


def predict(network: ConvNet, X: Array) -> Array:
    """Logits float32 [n, classes] of X [n, time, channels]; the network is left as it was.

    Raises:
        ArrayError: X has another shape than the network takes, or is too short for it.
    """
    x = to_tensor(network, X)
    with evaluating(network), torch.no_grad():
        logits = [network(part) for part in torch.split(x, 256)]
    result: Array = torch.cat(logits).numpy()
    return result


def export_program(network: ConvNet, samples: int) -> torch.export.ExportedProgram:
    """The network in eval mode as torch.export sees it, input [1, channels, samples].

    Raises:
        ArrayError: The series are too short for the network.
    """
    check_length(network, samples)
    with evaluating(network):
        return torch.export.export(network, (torch.zeros(1, network.channels, samples),))


def count_parameters(network: ConvNet) -> int:
    """Learnt numbers of the network as it runs: batch normalisation is two per channel."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: ConvNet, samples: int) -> int:
    """Multiply-accumulates of one inference over `samples` steps of time.

    Convolutions and dense layer only; batch normalisation folds into them.
    """
    macs = 0

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal macs
        weight = module.weight
        assert isinstance(weight, Tensor)
        macs += weight[0].numel() * output.numel()

    layers = [m for m in network.modules() if isinstance(m, (nn.Conv1d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        predict(network, np.zeros((1, samples, network.channels), dtype=np.float32))
    finally:
        for hook in hooks:
            hook.remove()
    return macs


def to_tensor(network: ConvNet, X: Array) -> Tensor:
    """X [n, time, channels] as the float32 tensor [n, channels, time] that the network takes.

    Raises:
        ArrayError: Another number of dimensions or channels, empty, too short, or not finite.
    """
    X = np.asarray(X)
    if X.ndim != 3 or X.shape[2] != network.channels or X.dtype.kind not in "fiu" or not X.size:
        raise ArrayError(
            "X",
            f"{X.dtype} of shape {X.shape}",
            f"the network takes numbers [n, time, {network.channels}]",
        )
    check_length(network, X.shape[1])
    if not np.isfinite(X).all():
        raise ArrayError("X", "it holds NaN or infinite values", "repair or drop those series")
    return torch.from_numpy(np.ascontiguousarray(X.transpose(0, 2, 1), dtype=np.float32).copy())


def check_length(network: ConvNet, samples: int) -> None:
    """Refuse series that the stages would use up.

    Raises:
        ArrayError: Nothing is left of `samples` before the mean over time.
    """
    if network.config.features_over_time(samples) < 1:
        raise ArrayError(
            "X",
            f"series of {samples} samples are too short for {len(network.config.stages)} stages",
            "use longer windows, fewer stages or less pooling",
        )


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode for a while."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def _stage(channels: int, stage: Stage, pooling: Pooling, padded: bool) -> nn.Sequential:
    padding = stage.kernel // 2 if padded else 0
    layers: list[nn.Module] = []
    if stage.separable:
        layers += [
            nn.Conv1d(channels, channels, stage.kernel, stage.stride, padding, groups=channels),
            nn.Conv1d(channels, stage.filters, 1, bias=False),
        ]
    else:
        layers += [
            nn.Conv1d(channels, stage.filters, stage.kernel, stage.stride, padding, bias=False)
        ]
    layers += [nn.BatchNorm1d(stage.filters), nn.ReLU()]
    if stage.pool > 1:
        layers.append(nn.MaxPool1d(stage.pool) if pooling == "max" else nn.AvgPool1d(stage.pool))
    return nn.Sequential(*layers)
