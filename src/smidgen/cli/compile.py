"""smidgen compile: a model file becomes C, a header and a report."""

from __future__ import annotations

from functools import partial
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
from smidgen.cli.progress import Rounds, TerminalProgress
from smidgen.cli.quantization import quantization_options
from smidgen.project.build import Tuning, build
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
@click.option(
    "--tune", is_flag=True,
    help="Measure on the emulated core what kernels take for each layer, and choose by that.",
)  # fmt: skip
@click.option(
    "--flash-budget", type=click.IntRange(min=1), metavar="BYTES",
    help="Tune for the most speed in so much flash, code and constants together.",
)  # fmt: skip
def compile_command(
    model: Path,
    board: str,
    output: Path,
    name: str,
    objective: str,
    ram_budget: int | None,
    calibrate: SampleFiles,
    tune: bool,
    flash_budget: int | None,
) -> None:
    """Compile MODEL to C for a board, prove it on the emulated board, and report."""
    graph = smidgen.load(model)
    make = partial(build, graph, board, output, name, objective, calibrate, ram_budget)
    if tune or flash_budget is not None:
        with TerminalProgress() as progress:
            made = make(Tuning(flash_budget, Rounds(progress).show))
    else:
        made = make()
    click.echo(made.text)
    click.echo(f"\nmade in {output}: {', '.join(made.files)}")
    if made.is_verified:
        click.echo(f"next: {program()} run {output} --input x.npy")
