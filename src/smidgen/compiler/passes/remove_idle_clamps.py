"""Pointwise ops that change no value that their input can have go: clamps inside a clamped range,
and requantisation to the same quanta.
"""

from __future__ import annotations

import numpy as np

from smidgen.compiler.passes.channels.channelwise import PointwiseRule, table_of
from smidgen.compiler.passes.channels.ranges import channel_ranges
from smidgen.compiler.passes.channels.rule import Ranges
from smidgen.compiler.passes.channels.site import Site
from smidgen.compiler.passes.channels.table import rule_for
from smidgen.compiler.passes.rewire import bypass
from smidgen.graph.graph import Graph


def remove_idle_clamps(graph: Graph) -> Graph:
    """Let the readers of such an op read its input."""
    ranges = channel_ranges(graph)
    sites = (Site(graph, node) for node in graph.nodes)
    return bypass(
        graph, {s.node.outputs[0]: s.node.inputs[0] for s in sites if _is_idle(s, ranges)}
    )


def _is_idle(site: Site, ranges: Ranges) -> bool:
    """Whether the op is the identity on all that its input can be, and the scale stays."""
    if not isinstance(rule_for(site), PointwiseRule) or site.node.outputs[0] in site.graph.outputs:
        return False
    x, output = site.input(0), site.output
    if x.type != output.type or x.quantization != output.quantization:
        return False
    known, first = ranges[x.name], x.dtype.range[0]
    low, high = int(known.low.min()), int(known.high.max())
    values = np.arange(low, high + 1)
    return bool((table_of(site)[low - first : high - first + 1] == values).all())
