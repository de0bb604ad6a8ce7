"""Shows a long job's progress on standard error: a live bar on a terminal, else a line a stage."""

from __future__ import annotations

from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed


class TerminalProgress:
    """A `WorkflowProgress` for people; use it as a context manager."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._live: Progress | None = None
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                Elapsed(),
            )
            self._live = Progress(*columns, TextColumn("{task.fields[note]}"), console=console)
        self._task: TaskID | None = None

    def __enter__(self) -> TerminalProgress:
        """Begin to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        if kind is None:
            self._finish()
        if self._live:
            self._live.stop()

    def stage(self, text: str, steps: int = 0) -> None:
        """A new stage begins."""
        self._finish()
        if self._live:
            self._task = self._live.add_task(text, total=steps or 1, note="")
        else:
            click.echo(f"- {text}", err=True)

    def step(self, done: int, note: str = "") -> None:
        """`done` steps are done."""
        if self._live and self._task is not None:
            self._live.update(self._task, completed=done, note=note)

    def _finish(self) -> None:
        if self._live and self._task is not None:
            self._live.update(self._task, completed=self._live.tasks[self._task].total)


class Rounds:
    """Shows the rounds of a measurement as one stage."""

    def __init__(self, progress: TerminalProgress) -> None:
        self._progress = progress

    def show(self, done: int, rounds: int) -> None:
        """`done` of `rounds` are done."""
        if not done:
            self._progress.stage(f"measuring kernels, {rounds} rounds", rounds)
        self._progress.step(done)
