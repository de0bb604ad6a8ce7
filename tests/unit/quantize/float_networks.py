"""Random float networks and inputs for the tests of quantisation."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding

SAME = Padding(1, 1, 1, 1)


class Network:
    """A builder of float layers with random weights."""

    def __init__(self, seed: int = 0, shape: tuple[int, ...] = (1, 12, 10, 3)) -> None:
        self.random = np.random.default_rng(seed)
        self.builder = GraphBuilder("net")
        self.top = self.builder.input("x", DType.FLOAT32, shape)

    def constant(self, name: str, data: np.ndarray) -> str:
        return self.builder.constant(name, DType.FLOAT32, np.asarray(data, np.float32))

    def layer(self, op, shape: tuple[int, ...], channels: int, name: str, bias: bool = True) -> str:
        fan_in = np.prod(shape) / channels
        weights = self.random.normal(size=shape) * np.sqrt(2 / fan_in)
        inputs = [self.top, self.constant(f"{name}_w", weights)]
        if bias:
            inputs.append(self.constant(f"{name}_b", self.random.normal(size=channels) * 0.3))
        (self.top,) = self.builder.add(op, inputs, node=name)
        return self.top

    def conv(self, channels: int, name: str, activation=Activation.RELU, bias: bool = True) -> str:
        depth = self.builder.tensor(self.top).shape[3]
        op = Conv2D(padding=SAME, activation=activation)
        return self.layer(op, (channels, 3, 3, depth), channels, name, bias)

    def depthwise(self, name: str) -> str:
        depth = self.builder.tensor(self.top).shape[3]
        op = DepthwiseConv2D(padding=SAME, activation=Activation.RELU)
        return self.layer(op, (1, 3, 3, depth), depth, name)

    def dense(self, outputs: int, name: str, bias: bool = True) -> str:
        depth = self.builder.tensor(self.top).elements
        return self.layer(Dense(), (outputs, depth), outputs, name, bias)

    def add(self, op, *others: str, name: str = "") -> str:
        (self.top,) = self.builder.add(op, [self.top, *others], node=name)
        return self.top

    def finish(self, *outputs: str) -> Graph:
        return self.builder.finish(outputs or [self.top])


def classifier(seed: int = 0) -> Graph:
    """Convolutions, a residual, pools, a dense layer and a softmax."""
    net = Network(seed)
    net.conv(8, "stem")
    net.add(MaxPool2D((2, 2), (2, 2)), name="pool")
    trunk = net.top
    net.depthwise("depthwise")
    net.conv(8, "inner", Activation.NONE)
    net.add(Add(Activation.RELU), trunk, name="sum")
    net.add(AveragePool2D((6, 5), (6, 5)), name="mean")
    net.dense(4, "head")
    net.add(Softmax(), name="softmax")
    return net.finish()


def inputs(count: int = 16, seed: int = 1, shape: tuple[int, ...] = (1, 12, 10, 3)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)
