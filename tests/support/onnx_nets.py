"""Builds small ONNX models, and compares their graphs with ONNX's own reference evaluator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from smidgen.frontends.onnx.conformance import run
from smidgen.frontends.onnx.convert import Imported, convert
from smidgen.frontends.onnx.reader import read_onnx
from smidgen.graph.graph import Graph

Shape = Sequence[int | str | None]


def net(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    constants: Mapping[str, np.ndarray] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 21,
    element: int = TensorProto.FLOAT,
    output_element: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model of `nodes`; `inputs` gives the shapes."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info(n, element, list(s)) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, output_element, None) for n in outputs],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str] = ("y",), **attributes):
    """One node."""
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def one(kind: str, shape: Shape, constants: Mapping[str, np.ndarray] | None = None, **attributes):
    """A model of one node that reads input ``x`` and then `constants`."""
    operands = ["x", *(constants or {})]
    return net([node(kind, operands, **attributes)], {"x": shape}, constants)


def imported(model: onnx.ModelProto) -> Imported:
    """The graph of a model, with its layouts."""
    return convert(read_onnx(model.SerializeToString(), "net.onnx"), "net")


def graph_of(model: onnx.ModelProto) -> Graph:
    """The graph of a model."""
    return imported(model).graph


def random_inputs(model: onnx.ModelProto, seed: int = 0) -> list[np.ndarray]:
    """Numbers around zero for each input."""
    rng = np.random.default_rng(seed)
    made = []
    for port in model.graph.input:
        kind = port.type.tensor_type
        shape = [extent.dim_value or 1 for extent in kind.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if dtype == np.float32:
            made.append(rng.normal(0, 2, shape).astype(np.float32))
        else:
            low, high = (0, 256) if dtype == np.uint8 else (-128, 128)
            made.append(rng.integers(low, high, shape).astype(dtype))
    return made


def assert_same(
    model: onnx.ModelProto, inputs: Sequence[np.ndarray] | None = None, tolerance: float = 1e-4
) -> Graph:
    """The graph of `model`, once it gives what ONNX's evaluator gives."""
    given = list(random_inputs(model) if inputs is None else inputs)
    names = [port.name for port in model.graph.input]
    expected = ReferenceEvaluator(model).run(None, dict(zip(names, given, strict=True)))
    made = imported(model)
    for found, wanted in zip(run(made, given), expected, strict=True):
        assert found.shape == np.shape(wanted)
        np.testing.assert_allclose(
            found.astype(np.float64), np.asarray(wanted, np.float64), atol=tolerance, rtol=tolerance
        )
    return made.graph
