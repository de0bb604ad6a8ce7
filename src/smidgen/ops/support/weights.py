"""Rules that the weights and biases of convolutions and dense layers keep."""

from __future__ import annotations

from smidgen.core.errors import GraphError
from smidgen.graph.tensor import Tensor


def check_weights(weights: Tensor, bias: Tensor | None, axis: int) -> None:
    """Raise GraphError unless `weights` are no empty array, scaled along `axis` if by channel.

    `axis` is that of the output channels, for each of which a bias has one value.
    """
    quant = weights.quantization
    if len(weights.shape) <= axis or not weights.elements:
        raise GraphError(f"weights {weights.name!r}", f"{weights.shape} hold no channels")
    if quant is not None and quant.axis not in (None, axis):
        raise GraphError(
            f"weights {weights.name!r}", f"are scaled along axis {quant.axis}, not {axis}"
        )
    if bias is not None and bias.shape != (weights.shape[axis],):
        raise GraphError(
            f"bias {bias.name!r}", f"{bias.shape} is not one value for each of {weights.shape}"
        )
