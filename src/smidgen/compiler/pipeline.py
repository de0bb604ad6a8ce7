"""The rewrites that every graph goes through, in order."""

from __future__ import annotations

from smidgen.compiler.passes.drop_dead_channels import drop_dead_channels
from smidgen.compiler.passes.drop_unused import drop_unused
from smidgen.compiler.passes.elide_reshapes import elide_reshapes
from smidgen.compiler.passes.fold_constants import fold_constants
from smidgen.compiler.passes.fold_requantization import fold_requantization
from smidgen.compiler.passes.fuse_activations import fuse_activations
from smidgen.compiler.passes.fuse_dilations import fuse_dilations
from smidgen.compiler.passes.fuse_pads import fuse_pads
from smidgen.compiler.passes.merge_duplicate_channels import merge_duplicate_channels
from smidgen.compiler.passes.own_states import own_states
from smidgen.compiler.passes.remove_idle_clamps import remove_idle_clamps
from smidgen.compiler.passes.settle_constant_channels import settle_constant_channels
from smidgen.compiler.schedule import order_for_memory
from smidgen.graph.check import check
from smidgen.graph.graph import Graph

PIPELINE = (
    fold_constants,
    elide_reshapes,
    fold_requantization,
    fuse_pads,
    drop_unused,
    fuse_dilations,
    fuse_pads,  # what was padded before it was dealt out to batches
    drop_unused,
    fuse_activations,
    remove_idle_clamps,
    merge_duplicate_channels,
    drop_dead_channels,
    settle_constant_channels,
    drop_unused,
    own_states,
    order_for_memory,
)


def optimise(graph: Graph) -> Graph:
    """The graph after every rewrite, checked after each; it computes the same bytes."""
    for rewrite in PIPELINE:
        graph = check(rewrite(graph), after=rewrite.__name__)
    return graph
