"""smidgen compile: a model file becomes C, a header and a report."""

from __future__ import annotations

from pathlib import Path

import click

import smidgen
from smidgen.cli.options import (
    board_option,
    model_argument,
    name_option,
    objective_option,
    ram_budget_option,
)
from smidgen.cli.program import program
from smidgen.cli.quantization import quantization_options
from smidgen.project.build import build
from smidgen.project.calibration import SampleFiles


@click.command("compile")
@model_argument
@board_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder for the C files."
)
@name_option
@objective_option
@ram_budget_option
@quantization_options
def compile_command(
    model: Path,
    board: str,
    output: Path,
    name: str,
    objective: str,
    ram_budget: int | None,
    calibrate: SampleFiles,
) -> None:
    """Compile MODEL to C for a board, prove it on the emulated board, and report."""
    made = build(smidgen.load(model), board, output, name, objective, calibrate, ram_budget)
    click.echo(made.text)
    click.echo(f"\nmade in {output}: {', '.join(made.files)}")
    if made.is_verified:
        click.echo(f"next: {program()} run {output} --input x.npy")
