"""The options that say how a float model is quantised, for all commands that take one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from smidgen.project.calibration import SampleFiles
from smidgen.quantize.calibration import RangeMethod
from smidgen.quantize.config import PRECISIONS, QuantizeConfig

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--calibrate",
        type=click.Path(path_type=Path),
        multiple=True,
        help="Quantise a float model by samples in this .npy file, stacked along its first axis; "
        "once for each input of the model.",
    ),
    click.option(
        "--activations",
        type=click.Choice(["int8", "int16"]),
        default="int8",
        show_default=True,
        help="With --calibrate: type of the activations; int16 is the 16x8 scheme.",
    ),
    click.option(
        "--method",
        type=click.Choice([method.value for method in RangeMethod]),
        default=RangeMethod.MINMAX.value,
        show_default=True,
        help="With --calibrate: how the range of an activation is found.",
    ),
    click.option(
        "--percentile",
        type=click.FloatRange(50.0, 100.0, min_open=True),
        default=99.99,
        show_default=True,
        help="With --method percentile: per cent of the values kept at either end.",
    ),
    click.option(
        "--keep",
        multiple=True,
        metavar="LAYER=TYPE",
        help="With --calibrate: int8, int16 or float for one layer, or for one kind of op.",
    ),
)


def quantization_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` the options, gathered into its argument `calibrate`, a `SampleFiles`."""

    @wraps(command)
    def gathered(
        calibrate: tuple[Path, ...],
        activations: str,
        method: str,
        percentile: float,
        keep: tuple[str, ...],
        **others: Any,
    ) -> Any:
        kept = dict(map(_kept, keep))
        config = QuantizeConfig(method, percentile, activations=activations, keep=kept)
        return command(calibrate=SampleFiles(calibrate, config), **others)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def _kept(text: str) -> tuple[str, str]:
    layer, _, precision = text.rpartition("=")
    if not layer or precision not in PRECISIONS:
        raise click.BadParameter(
            f"{text!r} is no LAYER=TYPE; types: {', '.join(PRECISIONS)}", param_hint="--keep"
        )
    return layer, precision
