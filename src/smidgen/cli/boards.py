"""smidgen boards: the catalogue."""

from __future__ import annotations

import json
from typing import Any

import click

import smidgen
from smidgen.core.table import render
from smidgen.emulate.emulators import why_not_at_hand
from smidgen.targets.catalogue import Core, Currents, is_board_file
from smidgen.targets.catalogue import board as find_board
from smidgen.targets.describe import board_facts, board_text

_HEADER = (
    "board", "chip", "core", "MHz", "flash KB", "RAM KB", "active mA", "sleep uA", "emulated by",
)  # fmt: skip


@click.command("boards")
@click.argument("words", nargs=-1)
@click.option("--core", default="", help="Only boards with this core, such as cortex-m4f or m4.")
@click.option("--vendor", default="", help="Only boards of this maker.")
@click.option("--emulator", default="", help="Only boards that this emulator runs.")
@click.option("--flash", type=click.FloatRange(0), help="Only boards with so many KB of flash.")
@click.option("--ram", type=click.FloatRange(0), help="Only boards with so many KB of RAM.")
@click.option("--emulated", is_flag=True, help="Only boards on which builds can be verified.")
@click.option("--battery", is_flag=True, help="Only boards whose currents are known.")
@click.option("--notes", is_flag=True, help="Print all that is known of each, and from where.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list and nothing else.")
def boards_command(
    words: tuple[str, ...],
    core: str,
    vendor: str,
    emulator: str,
    flash: float | None,
    ram: float | None,
    emulated: bool,
    battery: bool,
    notes: bool,
    as_json: bool,
) -> None:
    """List the boards that smidgen compiles for, or show one in full.

    WORDS narrow the list to boards in whose name, maker, chip or core each of them occurs. The name
    of a board, or words that leave only one, show all that is known of it. A word that ends in
    .toml is a board file of your own; those in the folder "boards" are always listed. "~" marks
    currents that are estimates, as their source says.
    """
    cores = _cores(core.lower())
    chosen = [
        board
        for board in (_named(words) or _listed(words))
        if board.core.name in cores
        and vendor.lower() in board.vendor.lower()
        and emulator.lower() in ("", board.core.emulator)
        and board.flash_bytes >= (flash or 0) * 1024
        and board.ram_bytes >= (ram or 0) * 1024
        and not (emulated and why_not_at_hand(board.core))
        and (_has_currents(board) or not battery)
    ]
    if as_json:
        click.echo(json.dumps([_facts(board) for board in chosen], indent=1))
    elif not chosen:
        click.echo("no board matches; leave some words or options out")
    elif notes or (words and len(chosen) == 1):
        click.echo("\n\n".join(map(_full, chosen)))
    else:
        click.echo(render(_HEADER, [_row(board) for board in chosen], left=3))


def _cores(wanted: str) -> frozenset[str]:
    """The core of that name, or else those in whose names `wanted` occurs: m4 means cortex-m4f."""
    names = frozenset(board.core.name for board in smidgen.boards())
    return names & {wanted} or frozenset(name for name in names if wanted in name)


def _named(words: tuple[str, ...]) -> list[smidgen.Board]:
    """The board whose very name is the one word; none otherwise."""
    return [each for each in smidgen.boards() if words == (each.name,)]


def _listed(words: tuple[str, ...]) -> list[smidgen.Board]:
    own = [find_board(word) for word in words if is_board_file(word)]
    rest = [word for word in words if not is_board_file(word)]
    known = [] if own and not rest else [each for each in smidgen.boards() if _matches(each, rest)]
    return [*own, *known]


def _facts(board: smidgen.Board) -> dict[str, Any]:
    return board_facts(board, why_not_at_hand(board.core))


def _full(board: smidgen.Board) -> str:
    return board_text(board, why_not_at_hand(board.core))


def _has_currents(board: smidgen.Board) -> bool:
    known = board.currents
    return known is not None and known.active_ma is not None and known.sleep_ua is not None


def _row(board: smidgen.Board) -> tuple[str, ...]:
    return (
        board.name,
        board.mcu,
        board.core.name,
        f"{board.clock_hz / 1e6:g}",
        f"{board.flash_bytes / 1024:,.0f}" if board.flash else "-",
        f"{board.ram_bytes / 1024:,.0f}",
        *_currents(board.currents),
        _emulator(board.core),
    )


def _currents(known: Currents | None) -> tuple[str, str]:
    """Active and sleep current, "~" before one that is an estimate."""
    if known is None:
        return "-", "-"
    return (
        _current(known.active_ma, "active" in known.estimated),
        _current(known.sleep_ua, "sleep" in known.estimated),
    )


def _current(value: float | None, is_estimate: bool) -> str:
    return "-" if value is None else f"{'~' if is_estimate else ''}{value:g}"


def _emulator(core: Core) -> str:
    if not core.is_emulated:
        return "not verified"
    return f"{core.emulator}, not installed" if why_not_at_hand(core) else core.emulator


def _matches(board: smidgen.Board, words: list[str]) -> bool:
    core = board.core
    state = "not-verified" if why_not_at_hand(core) else ""
    facts = (board.name, *board.aliases, board.vendor, board.mcu, core.name, core.emulator, state)
    text = " ".join(facts).lower()
    return all(word.lower() in text for word in words)
