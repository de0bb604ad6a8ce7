"""Draws whole networks: a seed and a number give a .tflite file and inputs for some runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import properties.audio
import properties.movement
import properties.pointwise
import properties.recurrent
import properties.weighted  # noqa: F401  (these fill LAYERS)
from properties.net import Net, Value, kind_of, random_data
from properties.table import LAYERS
from properties.wholes import WHOLES

_TYPES = ("int8",) * 11 + ("int16",) * 4 + ("float32",) * 4 + ("int32", "bool")
_RUNS = 3
_TRIES = 60


@dataclass(frozen=True)
class Network:
    """One drawn network; `operators` are the names of its operators in order.

    Micro does not judge those that are `beyond_micro`: it lacks an operator, or leaves something
    open.
    """

    name: str
    data: bytes
    runs: Sequence[Sequence[np.ndarray]]
    operators: tuple[str, ...]
    beyond_micro: bool = False


def draw(seed: int, number: int) -> Network:
    """Network `number` of the campaign `seed`."""
    net = Net(np.random.default_rng((seed, number)))
    if net.chance(0.08):
        net.pick(WHOLES)(net)
    else:
        net.values.append(net.input(kind_of(net, _shape(net), net.pick(_TYPES))))
        net.beyond_micro = net.chance(0.04)
        for _ in range(net.whole(1, 6)):
            _grow(net)
    runs = [[random_data(net, value) for value in net.inputs] for _ in range(_RUNS)]
    names = tuple(operator.name for operator in net.operators)
    data = net.file(net.outputs())
    return Network(f"{seed}/{number}", data, runs, names, net.beyond_micro)


def _shape(net: Net) -> tuple[int, ...]:
    """Mostly images, with one pixel or one channel now and then; batches of two sometimes."""
    batch = 2 if net.chance(0.1) else 1
    side = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    images = (batch, net.pick(side), net.pick(side), net.pick([1, 1, 2, 3, 4, 5, 8, 12, 16]))
    if net.chance(0.65):
        return images
    rank = net.whole(1, 5)
    return tuple(net.pick([1, 2, 3, 4, 5, 7] if rank > 2 else [1, 3, 8, 17, 40])
                 for _ in range(rank))  # fmt: skip


def _grow(net: Net) -> None:
    """One more layer, behind the newest value or any other."""
    given = net.open_values()
    for _ in range(_TRIES if given else 0):
        x = given[-1] if net.chance(0.7) else net.pick(given)
        candidate = net.pick([layer for layer in LAYERS if layer.fits(x, net.beyond_micro)])
        if _attempt(net, x, candidate.name, candidate.grow):
            return


def _attempt(net: Net, x: Value, name: str, grow: object) -> bool:
    """Whether the layer could be added; what a failed attempt left behind is taken back."""
    before = len(net.tensors), len(net.inputs)
    assert callable(grow)
    if grow(net, x, name) is not None:
        return True
    del net.tensors[before[0] :], net.inputs[before[1] :]
    return False
