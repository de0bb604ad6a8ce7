"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

OBJECTIVES = ("size", "balanced", "speed")

board_option: Callable[..., Any] = click.option(
    "--board", required=True, help="Board to compile for; see: smidgen boards."
)
objective_option: Callable[..., Any] = click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="balanced",
    show_default=True,
    help="What to favour where flash and speed are at odds.",
)
name_option: Callable[..., Any] = click.option(
    "--name", default="", help="Prefix of the C names; default: the model file's name."
)
calibrate_option: Callable[..., Any] = click.option(
    "--calibrate",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Quantise a float model to int8 by samples in this .npy file, stacked along its first "
    "axis; once for each input of the model.",
)
model_argument: Callable[..., Any] = click.argument("model", type=click.Path(path_type=Path))
