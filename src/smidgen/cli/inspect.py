"""smidgen inspect: what is in a model file."""

from __future__ import annotations

from pathlib import Path

import click

import smidgen
from smidgen.cli.options import model_argument
from smidgen.project.drawing import draw_graph
from smidgen.project.inspection import graph_table


@click.command("inspect")
@model_argument
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the graph into this file too.")
def inspect_command(model: Path, svg: Path | None) -> None:
    """Print the layers of MODEL: ops, shapes, types, quantisation, MACs, parameters."""
    graph = smidgen.load(model)
    click.echo(graph_table(graph))
    if svg is not None:
        svg.write_text(draw_graph(graph), encoding="utf-8")
        click.echo(f"\ndrawn: {svg}")
