"""Builds from folders as live devices on a bench."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from smidgen.compiler.artifact import Artifact
from smidgen.emulate.live.bench import Station, serve
from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.live.lines import open_lines
from smidgen.emulate.live.tasks import task as find_task
from smidgen.project.build import board_of
from smidgen.targets.catalogue import board as find_board

__all__ = ["open_bench", "serve"]


@contextmanager
def open_bench(
    folder: Path,
    board_name: str = "",
    task: str = "",
    first_port: int | None = None,
    count: int = 1,
) -> Iterator[Sequence[Station]]:
    """`count` devices that hold the build in `folder`, powered on, each on a line of its own.

    The lines are TCP ports from `first_port` up (any free ones for 0), or pseudo-terminals for
    None. `board_name` is another board than the build's, `task` a task of MLPerf Tiny.

    Raises:
        ArtifactError: `folder` is no build folder.
        UnknownName: there is no such board or task.
        InputError: a port cannot be had.
        EmulationError, DoesNotFit, ToolchainError: the board is not emulated or too small.
    """
    artifact = Artifact.read(folder)
    board = find_board(board_name or board_of(folder, artifact))
    kind = find_task(task)
    lines = open_lines(count, first_port)
    try:
        yield [Station(LiveDevice(artifact, board, kind), line) for line in lines]
    finally:
        for line in lines:
            line.close()
