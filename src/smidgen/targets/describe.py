"""A board in words and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from smidgen.targets.catalogue import Board, Cache, MemoryRegion

_LABEL_WIDTH = 14


def board_text(board: Board, not_verified: str = "") -> str:
    """All that is known of a board, with the source of each part; and what is not known.

    `not_verified` says why nothing can be verified for it here ("": it can).
    """
    return "\n".join(
        [
            f"{board.name} ({board.vendor} {board.mcu})",
            *_line("also", ", ".join(board.aliases)),
            *_line("package", board.package),
            *_line("core", _core(board)),
            *_line("emulated by", _emulator(board, bool(not_verified))),
            *_own_cycles(board),
            *_line("not verified", not_verified),
            *[line for each in board.flash for line in _region("flash", each)],
            *[line for each in board.ram for line in _region("RAM", each)],
            *[line for each in board.caches for line in _cache(each)],
            *_currents(board),
            *_line("not known", ", ".join(board.unknown)),
            *_line("notes", board.notes),
            *_line("source", board.source),
        ]
    )


def board_facts(board: Board, not_verified: str = "") -> dict[str, Any]:
    """Plain data for JSON; `not_verified` as for `board_text`."""
    facts = asdict(board)
    facts["core"] = board.core.name
    facts["isa"] = board.core.isa
    facts["features"] = sorted(board.core.features)
    facts["emulator"] = board.core.emulator
    facts["verified"] = not not_verified
    facts["not_verified_because"] = not_verified
    facts["modelled_error_percent"] = board.core.cycle_error_percent
    facts["flash_bytes"], facts["ram_bytes"] = board.flash_bytes, board.ram_bytes
    return facts


def _line(label: str, text: str) -> list[str]:
    return [f"  {label:<{_LABEL_WIDTH}}{text}"] if text else []


def _core(board: Board) -> str:
    features = ", ".join(sorted(board.core.features))
    return f"{board.core.name} ({board.core.isa}; {features}) at {board.clock_hz / 1e6:g} MHz"


def _emulator(board: Board, is_missing: bool) -> str:
    core = board.core
    if not core.is_emulated:
        return ""
    note = f" ({core.emulator_note})" if core.emulator_note else ""
    band = f"; modelled cycles +-{core.cycle_error_percent} %" if core.cycle_error_percent else ""
    missing = ", not installed" if is_missing else ""
    return f"{core.emulator}{missing}{note}{band}"


def _own_cycles(board: Board) -> list[str]:
    if not board.cycles_source:
        return []
    return _with_source(_line("cycles", f"as {board.core.cycle_model}"), board.cycles_source)


def _region(kind: str, region: MemoryRegion) -> list[str]:
    waits = f"{region.wait_states} wait states" if region.wait_states else "no wait states"
    read = f" for each {region.read_bytes} bytes" if region.wait_states else ""
    ahead = ", code is read ahead" if region.prefetch else ""
    text = f"{region.name}: {region.bytes:,} B at {region.address:#010x}, {waits}{read}{ahead}"
    return _with_source(_line(kind, text), region.source)


def _cache(cache: Cache) -> list[str]:
    ways = f"{cache.ways} ways" if cache.ways else "fully associative"
    what = {"code": "code", "data": "data", "both": "code and data"}[cache.serves]
    text = (
        f"{cache.bytes:,} B for {what} of {', '.join(cache.regions)}: {ways}, "
        f"lines of {cache.line_bytes} B"
    )
    return _with_source(_line("cache", text), cache.source)


def _currents(board: Board) -> list[str]:
    currents = board.currents
    if currents is None:
        return []
    whose, at_rest = ("whole board", "idle") if board.core.system else ("chip alone", "asleep")
    parts = []
    if currents.active_ma is not None:
        about = "about " if "active" in currents.estimated else ""
        parts.append(f"{about}{currents.active_ma:g} mA active at {currents.clock_hz / 1e6:g} MHz")
    if currents.sleep_ua is not None:
        about = "about " if "sleep" in currents.estimated else ""
        parts.append(f"{about}{currents.sleep_ua:g} uA {at_rest}")
    text = f"{', '.join(parts)}, at {currents.volts:g} V (the {whose})"
    return _with_source(_line("currents", text), currents.source)


def _with_source(lines: list[str], source: str) -> list[str]:
    return lines + _line("", f"[{source}]" if source else "")
