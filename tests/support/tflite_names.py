"""How the fields of smidgen's options are called in the classes generated from the schema."""

from __future__ import annotations

_RENAMED = {
    "activation": "fused_activation_function",
    "dilation_d": "dilation_d_factor",
    "dilation_w": "dilation_w_factor",
    "dilation_h": "dilation_h_factor",
    "then_subgraph": "then_subgraph_index",
    "else_subgraph": "else_subgraph_index",
    "cond_subgraph": "cond_subgraph_index",
    "body_subgraph": "body_subgraph_index",
    "init_subgraph": "init_subgraph_index",
}


def schema_name(field: str) -> str:
    """The schema's name, e.g. ``fused_activation_function``."""
    return _RENAMED.get(field, field)


def attribute(field: str) -> str:
    """The attribute of the generated class, e.g. ``fusedActivationFunction``."""
    head, *rest = schema_name(field).split("_")
    return head + "".join(part.capitalize() for part in rest)
