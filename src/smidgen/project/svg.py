"""The pieces that the drawings of a profile share: boxes with labels, axes, colours. No script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 1080
FONT = "ui-sans-serif, system-ui, sans-serif"
INK, FAINT, GRID = "#1f2933", "#66727f", "#e3e8ee"
# Okabe and Ito's colours, which most colour-blind readers can tell apart, darkened for white text.
_PALETTE = (
    "#0b6fa4", "#c05a00", "#00805f", "#a63a7b", "#7a5c00", "#3d6fb6", "#8a3d2f", "#4d7a1f",
    "#6450a8", "#2f7f86",
)  # fmt: skip
_CHARACTER = 6.6
"""Pixels that a letter of 12 pixels is wide, on average."""


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same in every drawing of a page."""
    return {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(sorted(set(names)))}


def drawing(height: float, parts: Sequence[str], title: str) -> str:
    """A drawing of the page's width."""
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}" font-family="{FONT}" font-size="12">\n{inner}\n</svg>'
    )


def box(
    x: float, y: float, width: float, height: float, fill: str, fact: str, label: str = ""
) -> str:
    """A rectangle that tells `fact` when pointed at, with as much of `label` as fits."""
    name = fitting(label, width - 8) if height >= 12 else ""
    text_y = y + height / 2 + 4
    inside = f'<text x="{x + 4:.1f}" y="{text_y:.1f}" fill="#fff">{escape(name)}</text>'
    gap = 1.0 if width > 3 else 0.0
    return (
        f'<g><title>{escape(fact)}</title><rect x="{x:.2f}" y="{y:.2f}" '
        f'width="{max(width - gap, 0.3):.2f}" height="{max(height, 0.6):.2f}" fill="{fill}"/>'
        f"{inside if name else ''}</g>"
    )


def fitting(label: str, pixels: float) -> str:
    """As much of `label` as fits, with its end cut off; nothing if that would say nothing."""
    room = int(pixels / _CHARACTER)
    if len(label) <= room:
        return label
    return label[: room - 1] + "…" if room >= 5 else ""


def text(x: float, y: float, words: str, anchor: str = "start", fill: str = FAINT) -> str:
    """A line of words."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, width: float = 1) -> str:
    """A straight line."""
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width}" fill="none"/>'
    )


def legend(entries: dict[str, str]) -> str:
    """Coloured squares with their names, as HTML."""
    items = "".join(
        f'<span class="key"><i style="background:{colour}"></i>{escape(name)}</span>'
        for name, colour in entries.items()
    )
    return f'<p class="legend">{items}</p>'


def round_steps(most: float, wanted: int = 5) -> list[float]:
    """Round numbers from 0 to at most `most`, about so many."""
    if most <= 0:
        return [0.0]
    size = 10 ** (len(str(int(most))) - 1)
    step = next(
        (unit * size / 10 for unit in (1, 2, 5, 10, 20) if most / (unit * size / 10) <= wanted),
        2.0 * size,
    )
    return [step * number for number in range(int(most / step) + 1)]
