"""The command `smidgen`: gathers the commands, and prints our errors on one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

import smidgen
from smidgen.cli.battery import battery_command
from smidgen.cli.boards import boards_command
from smidgen.cli.check import check_command
from smidgen.cli.compare import compare_command
from smidgen.cli.compile import compile_command
from smidgen.cli.demo import demo_command
from smidgen.cli.device import device_command
from smidgen.cli.inspect import inspect_command
from smidgen.cli.profile import profile_command
from smidgen.cli.quantize import quantize_command
from smidgen.cli.run import run_command
from smidgen.cli.tune import tune_command
from smidgen.core.errors import SmidgenError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(smidgen.__version__, prog_name="smidgen")
def cli() -> None:
    """Machine learning in a smidgen of memory.

    Turns a trained model, or recorded sensor data, into integer-only C for a microcontroller, and
    proves it on an emulated board.
    """


_COMMANDS = (
    battery_command,
    boards_command,
    check_command,
    compare_command,
    compile_command,
    demo_command,
    device_command,
    inspect_command,
    profile_command,
    quantize_command,
    run_command,
    tune_command,
)
for _command in _COMMANDS:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the process ends with 0, or with 1 after one line on standard error."""
    try:
        cli.main(args=arguments, prog_name="smidgen", standalone_mode=True)
    except SmidgenError as problem:
        click.echo(f"smidgen: {' '.join(str(problem).split())}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output left (`smidgen boards | head`): there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
