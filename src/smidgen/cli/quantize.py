"""smidgen quantize: how well a float model survives quantisation, layer by layer."""

from __future__ import annotations

import json
from pathlib import Path

import click

import smidgen
from smidgen.cli.options import model_argument
from smidgen.cli.quantization import quantization_options
from smidgen.core.errors import ArrayError
from smidgen.project.calibration import SampleFiles
from smidgen.project.quantization import quantization_of


@click.command("quantize")
@model_argument
@quantization_options
@click.option("--report", is_flag=True, help="Print the error of each layer, the worst marked.")
@click.option(
    "--min-sqnr",
    type=float,
    help="Promote layers to int16, then float, until the outputs reach so many decibels.",
)
@click.option(
    "--max-drop",
    type=click.FloatRange(0.0, 1.0),
    help="Promote layers until top-1 falls by no more than this share of the samples.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="With --max-drop: .npy file of the right class of each sample; default: the float "
    "model's own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def quantize_command(
    model: Path,
    calibrate: SampleFiles,
    report: bool,
    min_sqnr: float | None,
    max_drop: float | None,
    labels: Path | None,
    as_json: bool,
) -> None:
    """Quantise MODEL by samples, and say what that costs in accuracy."""
    if not calibrate.paths:
        raise ArrayError("calibration samples", "none are given", "add --calibrate samples.npy")
    found = quantization_of(smidgen.load(model), calibrate, min_sqnr, max_drop, labels)
    if as_json:
        click.echo(json.dumps(found.to_dict(report), indent=1))
    else:
        click.echo(found.text(report), nl=False)
