"""Makes a failing network smaller: operators go as long as the failure stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from properties.generate import Network
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.text import print_graph
from support.tflite_writer import pack, schema, unpack

_NUMPY = {
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.BOOL: np.bool_,
}


def shrunk(network: Network, fails: Callable[[Network], bool]) -> Network:
    """The smallest network found for which `fails` holds, by taking operators away one by one."""
    smaller = True
    while smaller:
        smaller = False
        for place in reversed(range(len(network.operators))):
            candidate = _without(network, place)
            if candidate is not None and fails(candidate):
                network, smaller = candidate, True
                break
    return network


def told(network: Network) -> str:
    """The network as text."""
    return print_graph(convert(parse_model(network.data, "failing"), "failing"))


def _without(network: Network, place: int) -> Network | None:
    """The network without operator `place`, whose outputs become inputs where they are needed."""
    model = unpack(network.data)
    graph = model.subgraphs[0]
    if len(graph.operators) < 2 or len(model.subgraphs) > 1:
        return None
    gone = graph.operators.pop(place)
    read = {int(i) for operator in graph.operators for i in operator.inputs}
    written = [int(i) for operator in graph.operators for i in operator.outputs]
    fresh = [int(i) for i in gone.outputs if int(i) in read]
    if any(graph.tensors[i].type not in _NUMPY for i in fresh):
        return None
    given = [*(int(i) for i in graph.inputs), *fresh]
    kept = [i for i in given if i in read] or given[:1]
    graph.inputs = np.array(kept, np.int32)
    graph.outputs = np.array([i for i in written if i not in read], np.int32)
    runs = []
    for number, run in enumerate(network.runs):
        rng = np.random.default_rng(number)
        values = dict(
            zip(given, [*run, *(_drawn(rng, graph.tensors[i]) for i in fresh)], strict=True)
        )
        runs.append([values[i] for i in kept])
    names = (*network.operators[:place], *network.operators[place + 1 :])
    return replace(network, data=pack(model), runs=runs, operators=names)


def _drawn(rng: np.random.Generator, tensor: Any) -> np.ndarray:
    dtype = np.dtype(_NUMPY[tensor.type])
    shape = [] if tensor.shape is None else [int(n) for n in tensor.shape]
    if dtype.kind == "f":
        return rng.uniform(-2, 2, shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    info = np.iinfo(dtype)
    reach = 50 if dtype == np.int32 else info.max
    return rng.integers(max(info.min, -reach), reach, shape, dtype, endpoint=True)
