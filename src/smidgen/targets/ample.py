"""Boards for measuring: a core with memory enough for anything, and no wait states."""

from __future__ import annotations

from dataclasses import replace

from smidgen.targets.catalogue import Board

_FLASH_BYTES, _RAM_BYTES = 16 << 20, 8 << 20


def ample(board: Board) -> Board:
    """`board` with 16 MB of flash and 8 MB of RAM, so that what is measured is its core.

    The addresses are the board's own: where code lies decides how far a call can reach. An AVR
    keeps its memory, which its addresses cannot go beyond.
    """
    if "avr" in board.core.features:
        return board
    flash = replace(board.flash[0], bytes=_FLASH_BYTES, wait_states=0)
    ram = replace(board.ram[0], bytes=_RAM_BYTES, wait_states=0)
    return replace(board, name=f"ample-{board.core.name}", flash=(flash,), ram=(ram,), aliases=())
