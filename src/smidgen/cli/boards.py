"""smidgen boards: the catalogue."""

from __future__ import annotations

import click

import smidgen
from smidgen.core.table import render
from smidgen.emulate.emulators import why_not_at_hand
from smidgen.targets.catalogue import Core, is_board_file
from smidgen.targets.catalogue import board as find_board

_HEADER = (
    "board", "chip", "core", "MHz", "flash KB", "RAM KB", "active mA", "sleep uA", "emulated by",
)  # fmt: skip


@click.command("boards")
@click.argument("words", nargs=-1)
@click.option("--emulated", is_flag=True, help="Only boards on which builds can be verified.")
@click.option("--battery", is_flag=True, help="Only boards whose currents are known.")
@click.option("--notes", is_flag=True, help="Print where the facts are from, and what to know.")
def boards_command(words: tuple[str, ...], emulated: bool, battery: bool, notes: bool) -> None:
    """List the boards that smidgen compiles for.

    WORDS narrow the list to boards in whose name, maker, chip or core each of them occurs. A word
    that ends in .toml is a board file of your own, which is listed too.
    """
    own = [find_board(word) for word in words if is_board_file(word)]
    rest = [word for word in words if not is_board_file(word)]
    known = [] if own and not rest else [each for each in smidgen.boards() if _matches(each, rest)]
    chosen = [
        board
        for board in (*own, *known)
        if not (emulated and why_not_at_hand(board.core)) and (board.currents or not battery)
    ]
    if not chosen:
        click.echo("no board matches; leave some words out")
        return
    if notes:
        click.echo("\n\n".join(map(_notes, chosen)))
    else:
        click.echo(render(_HEADER, [_row(board) for board in chosen], left=3))


def _row(board: smidgen.Board) -> tuple[str, ...]:
    currents = board.currents
    return (
        board.name,
        board.mcu,
        board.core.name,
        f"{board.clock_hz / 1e6:g}",
        f"{board.flash_bytes / 1024:,.0f}" if board.flash else "-",
        f"{board.ram_bytes / 1024:,.0f}",
        f"{currents.active_ma:g}" if currents else "-",
        f"{currents.sleep_ua:g}" if currents else "-",
        _emulator(board.core),
    )


def _emulator(core: Core) -> str:
    if not core.is_emulated:
        return "not verified"
    return f"{core.emulator}, not installed" if why_not_at_hand(core) else core.emulator


def _notes(board: smidgen.Board) -> str:
    regions = [
        f"  {region.name}: {region.bytes:,} B at {region.address:#010x}, "
        f"{region.wait_states} wait states"
        for region in (*board.flash, *board.ram)
    ]
    lines = [
        f"{board.name} ({board.vendor} {board.mcu}, {board.core.name})",
        *([f"  also: {', '.join(board.aliases)}"] if board.aliases else []),
        *regions,
        *_remarks(board),
    ]
    return "\n".join(lines)


def _remarks(board: smidgen.Board) -> list[str]:
    currents, core = board.currents, board.core
    remarks = [
        ("source", board.source),
        ("notes", board.notes),
        ("emulated by", _emulation(core)),
        ("not verified", why_not_at_hand(core)),
    ]
    if currents:
        text = (
            f"{currents.active_ma:g} mA active at {currents.clock_hz / 1e6:g} MHz, "
            f"{currents.sleep_ua:g} uA asleep, at {currents.volts:g} V ({currents.source})"
        )
        remarks.append(("currents of the chip", text))
    return [f"  {title}: {text}" for title, text in remarks if text]


def _emulation(core: Core) -> str:
    if not core.is_emulated:
        return ""
    return f"{core.emulator} ({core.emulator_note})" if core.emulator_note else core.emulator


def _matches(board: smidgen.Board, words: list[str]) -> bool:
    core = board.core
    state = "not-verified" if why_not_at_hand(core) else ""
    facts = (board.name, *board.aliases, board.vendor, board.mcu, core.name, core.emulator, state)
    text = " ".join(facts).lower()
    return all(word.lower() in text for word in words)
