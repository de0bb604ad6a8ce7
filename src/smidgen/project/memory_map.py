"""What lies where in the arena, and when: steps from left to right, addresses upwards."""

from __future__ import annotations

import math
from collections.abc import Mapping

from smidgen.compiler.artifact import Manifest, Resident
from smidgen.project.svg import FAINT, INK, WIDTH, box, drawing, fitting, line, round_steps, text

_LEFT, _TOP = 70, 12
_HEIGHT = 430
_SLANT = 38
"""Degrees by which the names of steps are turned; their lines are 0.62 times as far apart."""
_LONGEST_NAME = 26
_KEPT = "#46515c"
"""The colour of what lies there for longer than the run: inputs from before, state."""


def memory_map(manifest: Manifest, fills: Mapping[str, str]) -> str:
    """The drawing; a tensor has the colour of the kernel that makes it."""
    steps = max(len(manifest.steps), 1)
    column = (WIDTH - _LEFT - 8) / (steps + 2)
    made_by = {layer.name: fills[layer.kernel] for layer in manifest.layers}
    parts = [*_scale(manifest.arena_bytes), *_ticks(manifest, column)]
    # The largest first, so that small ones that share bytes with them stay in sight.
    for resident in sorted(manifest.memory, key=lambda each: -each.nbytes):
        maker = manifest.steps[resident.first] if 0 <= resident.first < steps else ""
        fill = made_by.get(maker, _KEPT)
        parts.append(_placed(resident, maker, column, manifest.arena_bytes, fill))
    longest = max((len(name) for name in manifest.steps), default=5)
    bottom = 26 + 0.62 * 6.6 * min(longest, _LONGEST_NAME)
    return drawing(_TOP + _HEIGHT + bottom, parts, "arena over time")


def _y(address: float, arena_bytes: int) -> float:
    return _TOP + _HEIGHT * (1 - address / max(arena_bytes, 1))


def _x(step: int, column: float) -> float:
    """Step -1, before the run, is the first column."""
    return _LEFT + (step + 1) * column


def _scale(arena_bytes: int) -> list[str]:
    lines = []
    for address in round_steps(arena_bytes):
        y = _y(address, arena_bytes)
        lines.append(line(_LEFT, y, WIDTH - 8, y))
        lines.append(text(_LEFT - 8, y + 4, f"{address:,.0f}", "end"))
    top = _y(arena_bytes, arena_bytes)
    lines.append(line(_LEFT, top, WIDTH - 8, top, FAINT))
    lines.append(text(WIDTH - 12, top + 14, f"arena {arena_bytes:,} B", "end", INK))
    return lines


def _ticks(manifest: Manifest, column: float) -> list[str]:
    """The names of the steps, of every n-th where they would lie on each other."""
    every = max(1, math.ceil(14 / (0.62 * column)))
    names = [(-1, "start"), *enumerate(manifest.steps), (len(manifest.steps), "end")]
    y = _TOP + _HEIGHT + 14
    return [
        f'<g transform="rotate({_SLANT} {x:.1f} {y:.1f})">'
        + text(x, y, fitting(name, 6.6 * _LONGEST_NAME))
        + "</g>"
        for step, name in names
        if (step + 1) % every == 0 or step == len(manifest.steps)
        for x in [_x(step, column) + column / 2 - 3]
    ]


def _placed(resident: Resident, maker: str, column: float, arena_bytes: int, fill: str) -> str:
    """A box with the name of the layer that makes the tensor, and its own when pointed at."""
    x, width = _x(resident.first, column), (resident.last - resident.first + 1) * column
    top = _y(resident.offset + resident.nbytes, arena_bytes)
    height = _y(resident.offset, arena_bytes) - top
    fact = (
        f"{resident.name}: {resident.nbytes:,} B from {resident.offset:,}, "
        f"steps {resident.first} to {resident.last}"
    )
    inner = box(x, top, width, height - 0.5, fill, fact, maker or resident.name)
    return f'<g fill-opacity="0.82" stroke="#fff" stroke-width="0.4">{inner}</g>'.replace(
        "<text", '<text stroke="none" fill-opacity="1"'
    )
