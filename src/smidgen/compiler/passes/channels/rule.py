"""What an op does to channels: the interface, and the careful answer for ops that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from smidgen.compiler.passes.channels.site import Range, Site, channels_of, type_range
from smidgen.core.dtypes import Array
from smidgen.graph.graph import ABSENT, Node
from smidgen.graph.tensor import Quantization, Tensor

Ranges = Mapping[str, Range]
Classes = Mapping[str, Array]
Kept = Mapping[str, Array]
"""For each tensor that loses channels, the indices that it keeps, ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class Tie:
    """Channel `left[i]` of one tensor and `right[i]` of another go or stay together."""

    left_name: str
    left: Array
    right_name: str
    right: Array


@dataclass(frozen=True, slots=True, eq=False)
class Narrowed:
    """A node for tensors with fewer channels, and the constants that it needs now."""

    node: Node
    constants: tuple[Tensor, ...] = ()


class ChannelRule:
    """How one kind of op treats channels; this base knows nothing, and so keeps everything."""

    def applies(self, site: Site) -> bool:
        """Whether the rule covers this node; if not, the base class answers for it."""
        del site
        return True

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The values that the channels of the first output can have."""
        del ranges
        return type_range(site.output) if site.output.dtype.is_integer else None

    def classes(self, site: Site, classes: Classes) -> Array:
        """A number for each channel of the first output: where equal, so are the values, always."""
        del classes
        return np.arange(channels_of(site.output))

    def needed(self, site: Site, ranges: Ranges) -> Iterator[tuple[str, Array]]:
        """(tensor, bool [channels]) of operands whose channels this node cannot do without."""
        del ranges
        for tensor in site.activations:
            yield tensor.name, np.ones(channels_of(tensor), bool)

    def ties(self, site: Site) -> Iterator[Tie]:
        """The channels that this node needs to go or stay together."""
        del site
        return iter(())

    def least_outputs(self) -> int:
        """How many channels the output must keep for the arithmetic to stay the same."""
        return 1

    def narrow(self, site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
        """The node when tensors keep only the channels `kept`."""
        del kept, ranges
        return Narrowed(site.node)


def kept_of(tensor: Tensor, kept: Kept) -> Array:
    """The channels that `tensor` keeps; all of them where it loses none."""
    chosen = kept.get(tensor.name)
    return np.arange(channels_of(tensor)) if chosen is None else chosen


def take_slices(tensor: Tensor, axis: int, chosen: Array) -> Tensor:
    """A constant with only the slices `chosen` along `axis`; scales along that axis follow."""
    data = np.ascontiguousarray(np.take(tensor.values, chosen, axis))
    quant = tensor.quantization
    if quant is not None and quant.axis == axis and len(quant.scales) > 1:
        scales = tuple(quant.scales[i] for i in chosen)
        quant = Quantization(scales, tuple(quant.zero_points[i] for i in chosen), axis)
    return replace(tensor, shape=data.shape, quantization=quant, data=data)


def owned(site: Site, tensor: Tensor) -> Tensor:
    """A changed constant, under a name of its own where other nodes read the unchanged one."""
    readers = site.graph.consumers.get(tensor.name, ())
    if len(readers) <= 1 and tensor.name not in site.graph.outputs:
        return tensor
    return replace(tensor, name=f"{tensor.name}/{site.node.name}")


def renamed_input(node: Node, index: int, name: str) -> Node:
    """`node` with another tensor as input `index`, appended where it had one less."""
    inputs = [*node.inputs, *[ABSENT] * (index + 1 - len(node.inputs))]
    inputs[index] = name
    return replace(node, inputs=tuple(inputs))
