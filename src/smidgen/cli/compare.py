"""smidgen compare: two builds side by side."""

from __future__ import annotations

from pathlib import Path

import click

from smidgen.project.comparison import comparison_table, read_report


@click.command("compare")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
def compare_command(first: Path, second: Path) -> None:
    """Show the figures of the builds in folders FIRST and SECOND side by side."""
    click.echo(comparison_table(read_report(first), read_report(second)))
