"""Convolutions, dense layers, poolings and matrix products in every type: NumPy = Micro = C."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from smidgen.core.dtypes import DType
from smidgen.graph.evaluate import Reference
from support.layers import (
    KINDS,
    activations,
    conv_model,
    dense_model,
    matmul_model,
    pool_model,
    random_geometry,
    transpose_conv_model,
    uint8_conv_model,
    weight_only_model,
)
from support.threeway import Model, check, graph_of

TOLERANCE = 1e-5
CASES = 10


def convolutions(kind_name: str, depthwise: bool) -> Iterator[Model]:
    rng, kind = np.random.default_rng(len(kind_name) + depthwise), KINDS[kind_name]
    # Micro takes the 32-bit bias of a 16-bit depthwise layer for a 64-bit one.
    micro = not (depthwise and kind_name == "s16_b32")
    for index in range(CASES):
        groups = 1 if depthwise else int(rng.choice([1, 1, 2]))
        fixed = {"shape": (1, 6, 7, 4)} if groups > 1 else {}
        spec = random_geometry(rng, groups=groups, **fixed)
        data = conv_model(rng, kind, spec, depthwise)
        runs = [[activations(rng, kind.activations, spec.shape)]]
        yield Model(f"{kind_name} {index} {spec}", data, runs, TOLERANCE, micro)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_convolutions(kind: str, depthwise: bool) -> None:
    check(list(convolutions(kind, depthwise)))


@pytest.mark.parametrize("kind", KINDS)
def test_transposed_convolutions(kind: str) -> None:
    rng, models = np.random.default_rng(5), []
    for index in range(CASES):
        spec = random_geometry(rng, dilation=(1, 1))
        data = transpose_conv_model(rng, KINDS[kind], spec)
        runs = [[activations(rng, KINDS[kind].activations, spec.shape)]]
        # Micro refuses int4 here, and takes a 32-bit bias for a 64-bit one.
        micro = kind not in ("s4", "s16_b32")
        models.append(Model(f"{kind} {index} {spec}", data, runs, TOLERANCE, micro))
    check(models)


def test_transposed_convolution_with_a_bias_of_16_bits() -> None:
    rng = np.random.default_rng(6)
    spec = random_geometry(rng, dilation=(1, 1), has_bias=True)
    data = transpose_conv_model(rng, KINDS["s16"], spec, "int16")
    check([Model("bias", data, [[activations(rng, "int16", spec.shape)]])])


@pytest.mark.parametrize("kind_name", KINDS)
def test_dense_layers(kind_name: str) -> None:
    rng, kind, models = np.random.default_rng(7), KINDS[kind_name], []
    for per_channel, has_bias, keep_dims, constant in (
        (False, True, False, True),
        (True, True, False, True),
        (False, False, True, True),
        (False, True, False, False),
    ):
        if kind_name == "s4" and not constant:
            continue
        shape = (2, 3, 8)
        data = dense_model(
            rng,
            kind,
            shape,
            5,
            per_channel=per_channel,
            has_bias=has_bias,
            keep_dims=keep_dims,
            constant_weights=constant,
            activation=int(rng.choice([0, 1])),
        )
        run = [activations(rng, kind.activations, shape)]
        if not constant:
            run.append(activations(rng, kind.weights, (5, 8)))
        micro = not (kind_name == "s4" and per_channel)  # refused by Micro
        models.append(Model(f"{kind_name} {len(models)}", data, [run], TOLERANCE, micro))
    check(models)


@pytest.mark.parametrize("operator", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
def test_poolings(dtype: str, operator: str) -> None:
    rng, models = np.random.default_rng(8), []
    for index in range(CASES):
        shape = (int(rng.integers(1, 3)), 6, 7, 3)
        spec = random_geometry(rng, shape=shape, outputs=3, dilation=(1, 1))
        data = pool_model(rng, dtype, spec, operator)
        runs = [[activations(rng, dtype, shape)]]
        models.append(Model(f"{operator} {dtype} {index} {spec}", data, runs, TOLERANCE))
    check(models)


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
def test_matrix_products(dtype: str) -> None:
    rng, models = np.random.default_rng(9), []
    for shapes in (
        ((3, 4), (4, 5)),
        ((2, 3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (3, 4, 2)),
        ((1, 2, 2, 3, 4), (2, 1, 1, 4, 5)),
    ):
        for swap in ((False, False), (True, False), (False, True), (True, True)):
            data = matmul_model(rng, dtype, shapes, swap)
            stored = [
                (*s[:-2], s[-1], s[-2]) if swapped else s
                for s, swapped in zip(shapes, swap, strict=True)
            ]
            run = [activations(rng, dtype, shape) for shape in stored]
            models.append(Model(f"{dtype} {shapes} {swap}", data, [run], TOLERANCE))
    check(models)


def test_float_layers_with_quantised_weights() -> None:
    """Micro refuses hybrid models; the meaning is a float layer over dequantised weights."""
    rng, models = np.random.default_rng(10), []
    for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        shape = (2, 9) if name == "FULLY_CONNECTED" else (1, 6, 5, 3)
        for bits in ("int8", "int4"):
            data = weight_only_model(rng, name, bits)
            run = [activations(rng, "float32", shape)]
            models.append(Model(f"{name} {bits}", data, [run], TOLERANCE, micro=False))
    check(models)


def test_uint8_models_keep_their_ports_and_their_values() -> None:
    """Micro has no uint8 convolutions: the quanta must be the rounded real values."""
    rng = np.random.default_rng(11)
    data, (x, weights, bias, y) = uint8_conv_model(rng)
    quanta = rng.integers(0, 256, x.shape).astype(np.uint8)
    model = Model("uint8", data, [[quanta]], micro=False)
    graph = graph_of(model)
    assert [graph.tensors[name].dtype for name in (*graph.inputs, *graph.outputs)] == [
        DType.UINT8,
        DType.UINT8,
    ]
    assert (graph.inputs, graph.outputs) == (("x",), ("y",))
    real = np.pad((quanta - 120.0) * x.scale, ((0, 0), (1, 1), (0, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(real, (3, 2), axis=(1, 2))
    kernel = (weights.data.astype(np.float64) - 140) * weights.scale
    sums = np.einsum("nrcihw,ohwi->nrco", windows, kernel) + bias.data * bias.scale
    expected = np.clip(np.round(np.maximum(sums, 0) / y.scale) + 100, 0, 255)
    found = Reference(graph).run([quanta])[0]
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.98
    check([model])
