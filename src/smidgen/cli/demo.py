"""smidgen demo: recordings to proved C in one command."""

from __future__ import annotations

from pathlib import Path

import click

from smidgen.cli.program import program
from smidgen.cli.progress import TerminalProgress


@click.command("demo")
@click.option("--board", default="nucleo-l4r5zi", show_default=True, help="Board to compile for.")
@click.option(
    "--data", default="basic-motions", show_default=True,
    help="Bundled dataset, or a dataset folder; docs/datasets.md describes its layout.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True,
    help="Folder for C and report.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Decides all that is random.")
def demo_command(board: str, data: str, output: Path, seed: int) -> None:
    """Train on real recordings, quantise, compile to C, and prove it on an emulated board."""
    # PyTorch takes seconds to load, so other commands do not.
    from smidgen.data import open_dataset
    from smidgen.project.demo import TEST_INPUTS, report_text, write_report
    from smidgen.project.workflow import run_workflow
    from smidgen.targets.catalogue import board as find_board

    target = find_board(board)
    dataset = open_dataset(data)
    with TerminalProgress() as progress:
        result = run_workflow(dataset, target, progress, seed)
    paths = write_report(result, output)
    click.echo(report_text(result))
    click.echo("\nmade:")
    for path in paths:
        click.echo(f"  {path}")
    click.echo(f"next: {program()} run {output} --input {output / TEST_INPUTS}")
    if not result.proof.holds:
        raise click.ClickException("the emulated board differs from the reference: this is a bug")
