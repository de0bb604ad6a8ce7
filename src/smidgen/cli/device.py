"""smidgen device: a build as a live device on a serial line."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import click

PROTOCOLS = ("mlperf-tiny",)


@click.command("device")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--board", default="", help="Another board than the one that was compiled for.")
@click.option("--pty", is_flag=True, help="Serve on a pseudo-terminal (the default).")
@click.option("--tcp", type=int, help="Serve on this TCP port of 127.0.0.1; 0 takes any free one.")
@click.option(
    "--protocol", type=click.Choice(PROTOCOLS), default=PROTOCOLS[0], show_default=True,
    help="What the device speaks.",
)  # fmt: skip
@click.option(
    "--task",
    default="",
    help="MLPerf Tiny task to serve: kws01, ic01, vww01 or ad01; default: none.",
)
@click.option(
    "--count", type=click.IntRange(1, 1000), default=1, show_default=True,
    help="Devices side by side, on terminals of their own or ports from --tcp up.",
)  # fmt: skip
@click.option(
    "--real-time", is_flag=True,
    help="Let it be no faster than its board: answers come when the board would give them.",
)  # fmt: skip
@click.option(
    "--gdb", type=int, metavar="PORT",
    help="Let GDB attach on this TCP port of 127.0.0.1; 0 takes any free one.",
)  # fmt: skip
def device_command(
    folder: Path,
    board: str,
    pty: bool,
    tcp: int | None,
    protocol: str,
    task: str,
    count: int,
    real_time: bool,
    gdb: int | None,
) -> None:
    """Run the build in FOLDER as a live emulated device that tools talk to, until interrupted."""
    from smidgen.project.bench import Killed, Wishes, open_bench, serve

    if pty and tcp is not None:
        raise click.UsageError("--pty and --tcp exclude each other")
    assert protocol in PROTOCOLS
    interrupts = _Interrupts()
    try:
        with open_bench(folder, Wishes(board, task, tcp, count, gdb, real_time)) as bench:
            for index, station in enumerate(bench.stations):
                click.echo(f"device {index}: {station.line.place}")
            click.echo(bench.clock, err=True)
            if bench.gdb_command:
                click.echo(f"gdb: {bench.gdb_command}")
            serve(bench.stations, interrupts.came)
            click.echo("stopped", err=True)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    except Killed:
        click.echo("killed by the debugger", err=True)
    finally:
        interrupts.forget()


class _Interrupts:
    """Notes that SIGINT came: the exception that it raises is lost where Python raises none.

    Python disregards exceptions in finalisers and in what C code calls back.
    """

    def __init__(self) -> None:
        self._came = False
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is signal.default_int_handler:  # else it is ignored
            signal.signal(signal.SIGINT, self._note)

    def came(self) -> bool:
        """Whether it has come."""
        return self._came

    def forget(self) -> None:
        """Leaves SIGINT as it was."""
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        signal.default_int_handler(number, frame)
