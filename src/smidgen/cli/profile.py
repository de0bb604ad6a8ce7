"""smidgen profile: what a model takes on a board, layer by layer."""

from __future__ import annotations

import json
from pathlib import Path

import click

import smidgen
from smidgen.cli.options import (
    board_option,
    model_argument,
    objective_option,
    ram_budget_option,
)
from smidgen.cli.quantization import quantization_options
from smidgen.emulate.tables import function_table, layer_table, summary
from smidgen.project.calibration import SampleFiles, calibrated
from smidgen.project.page import profile_page


@click.command("profile")
@model_argument
@board_option
@objective_option
@ram_budget_option
@quantization_options
@click.option(
    "--inputs",
    type=click.IntRange(1, 10_000),
    default=4,
    show_default=True,
    help="How many inputs to run: all lowest, all highest, then random; shows what varies.",
)
@click.option("--functions", is_flag=True, help="Print the C functions too, the costliest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write a page with drawings to this file too."
)
def profile_command(
    model: Path,
    board: str,
    objective: str,
    ram_budget: int | None,
    calibrate: SampleFiles,
    inputs: int,
    functions: bool,
    as_json: bool,
    html: Path | None,
) -> None:
    """Measure MODEL on an emulated board: instructions, modelled cycles, memory, by layer."""
    graph = calibrated(smidgen.load(model), calibrate)
    artifact = smidgen.compile(graph, board, objective=objective, ram_budget_bytes=ram_budget)
    measurement = smidgen.profile(artifact, board=board, inputs=inputs)
    if html is not None:
        html.write_text(profile_page(measurement, artifact.manifest), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(measurement.to_dict(), indent=1))
    else:
        click.echo(f"{summary(measurement)}\n\n{layer_table(measurement)}")
        if functions:
            click.echo(f"\n{function_table(measurement)}")
        if html is not None:
            click.echo(f"\nwritten: {html}")
