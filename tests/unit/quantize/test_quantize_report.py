"""The report must point at the layer that is to blame."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from float_networks import Network, classifier, inputs

from smidgen.core.errors import GraphError
from smidgen.ops.shape.ops import Reshape
from smidgen.quantize import attribute, quantize


def spoiled(graph, name: str):
    """`graph` with the quantised weights called `name` rounded to multiples of 32."""
    tensor = graph.tensors[name]
    coarse = (np.round(tensor.values / 32.0) * 32).clip(-127, 127).astype(np.int8)
    return graph.with_nodes(graph.nodes, [replace(tensor, data=coarse)])


@pytest.mark.parametrize("layer", ["stem", "depthwise", "inner", "head"])
def test_the_spoiled_layer_is_the_worst(layer):
    graph = classifier()
    quantised = spoiled(quantize(graph, inputs()), f"{layer}_w")
    report = attribute(graph, quantised, inputs(6, seed=9))
    assert report.worst is not None
    assert report.worst.name == layer
    others = [entry.own.sqnr_db for entry in report.layers if entry.name != layer]
    assert report.worst.own.sqnr_db < min(others)


def test_own_error_of_a_later_layer_is_free_of_what_came_before():
    graph = classifier()
    quantised = spoiled(quantize(graph, inputs()), "stem_w")
    layers = {entry.name: entry for entry in attribute(graph, quantised, inputs(4)).layers}
    assert layers["inner"].own.sqnr_db > layers["inner"].accumulated.sqnr_db + 10


def test_last_layer_alone_has_the_same_effect_as_its_own_error():
    graph = classifier()
    report = attribute(graph, quantize(graph, inputs()), inputs(4))
    assert report.layers[-1].own == report.layers[-1].effect


def test_table_names_every_layer_and_marks_the_worst():
    graph = classifier()
    report = attribute(graph, quantize(graph, inputs()), inputs(4))
    lines = report.text().splitlines()
    assert "4 samples" in lines[0]
    assert [line.split()[0] for line in lines[2:]] == [node.name for node in graph.nodes]
    (marked,) = (line for line in lines if line.endswith("<- worst"))
    assert marked.split()[0] == report.worst.name


def test_exact_layers_are_called_exact():
    net = Network(shape=(1, 4))
    net.add(Reshape((4, 1)), name="view")
    graph = net.finish()
    samples = np.array([[[-128.0, 127.0, 3.0, 0.0]]])
    report = attribute(graph, quantize(graph, samples), samples)
    assert report.output.sqnr_db == math.inf
    assert "exact" in report.text()


def test_another_graph_is_refused():
    net = Network()
    net.conv(2, "other")
    with pytest.raises(GraphError, match="other"):
        attribute(net.finish(), quantize(classifier(), inputs(2)), inputs(1))
