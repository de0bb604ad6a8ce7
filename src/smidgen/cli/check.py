"""smidgen check: will it compile and fit?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smidgen.cli.options import board_option, model_argument, ram_budget_option


@click.command("check")
@model_argument
@board_option
@ram_budget_option
def check_command(model: Path, board: str, ram_budget: int | None) -> None:
    """Say whether MODEL will compile for a board and fit on it; list all problems at once."""
    from smidgen.project.feasibility import examine
    from smidgen.targets.catalogue import board as find_board

    found = examine(model, find_board(board), ram_budget)
    for problem in found.problems:
        click.echo(f"problem: {' '.join(str(problem).split())}")
    if not found.holds:
        click.echo(f"{model} will not run on {found.board.name}: {len(found.problems)} problem(s)")
        sys.exit(1)
    if found.sizes is None or found.board.core.system:
        click.echo(
            f"{model} has C for {found.board.name}: arena {found.arena_bytes:,} B; "
            f"{found.how_compiled}"
        )
        return
    click.echo(
        f"{model} compiles and fits on {found.board.name}: flash {found.sizes.flash_bytes:,} of "
        f"{found.board.flash_bytes:,} B, RAM {found.sizes.ram_bytes:,} of "
        f"{found.board.ram_bytes:,} B (arena {found.arena_bytes:,}) and "
        f"{found.sizes.stack_reserved:,} B set apart for the stack"
    )
