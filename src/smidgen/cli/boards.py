"""smidgen boards: the catalogue."""

from __future__ import annotations

import click

import smidgen
from smidgen.core.table import render


@click.command("boards")
@click.argument("words", nargs=-1)
def boards_command(words: tuple[str, ...]) -> None:
    """List the boards that smidgen compiles for.

    WORDS narrow the list to boards in whose name, maker, chip or core each of them occurs.
    """
    header = ("board", "core", "MHz", "flash KB", "RAM KB", "emulated by")
    rows = [
        (
            board.name,
            board.core.name,
            f"{board.clock_hz / 1e6:g}",
            f"{board.flash_bytes / 1024:,.0f}",
            f"{board.ram_bytes / 1024:,.0f}",
            board.core.emulator,
        )
        for board in smidgen.boards()
        if _matches(board, words)
    ]
    click.echo(render(header, rows) if rows else "no board matches; leave some words out")


def _matches(board: smidgen.Board, words: tuple[str, ...]) -> bool:
    facts = (board.name, *board.aliases, board.vendor, board.mcu, board.core.name)
    text = " ".join(facts).lower()
    return all(word.lower() in text for word in words)
