"""smidgen battery: how long a battery lasts with a model on a board."""

from __future__ import annotations

import json
from pathlib import Path

import click

import smidgen
from smidgen.cli.options import board_option, model_argument, objective_option
from smidgen.cli.quantization import quantization_options
from smidgen.emulate.energy import life as energy
from smidgen.emulate.energy.batteries import BATTERIES
from smidgen.emulate.energy.batteries import battery as find_battery
from smidgen.emulate.energy.text import life_text
from smidgen.project.calibration import SampleFiles, calibrated
from smidgen.project.lifetime import lifetime_svg
from smidgen.targets.catalogue import board as find_board

_NAMES = ", ".join(each.name for each in BATTERIES.values())


@click.command("battery")
@model_argument
@board_option
@click.option(
    "--battery", default="CR2032", show_default=True, help=f"{_NAMES}, or LiPo-500mAh (any mAh)."
)
@click.option("--period", default="1s", show_default=True, help="Time from inference to inference.")
@click.option(
    "--load",
    "loads",
    multiple=True,
    help="A further average current, such as sensor=0.4mA, or radio=15uA:12mA with its peak; may "
    "be given several times.",
)
@click.option("--active-ma", type=click.FloatRange(0), help="The chip's current when it computes.")
@click.option("--sleep-ua", type=click.FloatRange(0), help="The chip's current when it sleeps.")
@objective_option
@quantization_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--svg", type=click.Path(path_type=Path), help="Draw the life over the period to this file too."
)
def battery_command(
    model: Path,
    board: str,
    battery: str,
    period: str,
    loads: tuple[str, ...],
    active_ma: float | None,
    sleep_ua: float | None,
    objective: str,
    calibrate: SampleFiles,
    as_json: bool,
    svg: Path | None,
) -> None:
    """Say how long a battery lasts when MODEL runs on a board once in every period."""
    target, cell = find_board(board), find_battery(battery)
    period_s, further = energy.seconds(period), tuple(map(energy.parse_load, loads))
    currents = energy.supply_for(target, active_ma, sleep_ua)
    graph = calibrated(smidgen.load(model), calibrate)
    artifact = smidgen.compile(graph, target, objective=objective)
    measurement = smidgen.profile(artifact, board=target)
    life = energy.life_of(measurement, cell, currents, period_s, further)
    if svg is not None:
        svg.write_text(lifetime_svg(measurement, life), encoding="utf-8")
    if as_json:
        content = {"model": measurement.model, "board": measurement.board, **life.to_dict()}
        click.echo(json.dumps(content, indent=1))
    else:
        click.echo(life_text(measurement, life))
        if svg is not None:
            click.echo(f"\nwritten: {svg}")
