"""smidgen tune: what the kernels that compete for a model's layers take, measured."""

from __future__ import annotations

from pathlib import Path

import click

import smidgen
from smidgen.cli.options import board_option, model_argument, objective_option
from smidgen.cli.progress import Rounds, TerminalProgress
from smidgen.project.tuning import offers_text, read_table, write_table
from smidgen.targets.catalogue import board as find_board


@click.command("tune")
@model_argument
@board_option
@objective_option
@click.option(
    "--table", type=click.Path(path_type=Path, dir_okay=False),
    help="Add the measurements to this table of costs.",
)  # fmt: skip
def tune_command(model: Path, board: str, objective: str, table: Path | None) -> None:
    """Measure what kernels take for each layer of MODEL, and print the choice.

    What was measured is kept in the cache of this user. Kernels and layers that were measured
    before, here or for the table that smidgen comes with, are not measured again.
    """
    graph, target = smidgen.load(model), find_board(board)
    before = read_table(table) if table else {}
    with TerminalProgress() as progress:
        text, known = offers_text(graph, target, objective, Rounds(progress).show)
    click.echo(text)
    if table:
        write_table(table, {**before, **known})
        click.echo(f"{len({**before, **known})} measurements in {table}")
