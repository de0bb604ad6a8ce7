"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

OBJECTIVES = ("size", "balanced", "speed")

board_option: Callable[..., Any] = click.option(
    "--board",
    required=True,
    help="Board to compile for (see: smidgen boards), or a .toml file that describes your own.",
)
objective_option: Callable[..., Any] = click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="balanced",
    show_default=True,
    help="What to favour where flash and speed are at odds.",
)
ram_budget_option: Callable[..., Any] = click.option(
    "--ram-budget",
    type=click.IntRange(1),
    metavar="BYTES",
    help="The most that the arena may have: layers run in bands of rows if they must.",
)
name_option: Callable[..., Any] = click.option(
    "--name", default="", help="Prefix of the C names; default: the model file's name."
)
model_argument: Callable[..., Any] = click.argument("model", type=click.Path(path_type=Path))
