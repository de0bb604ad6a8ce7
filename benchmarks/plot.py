"""Bars as SVG, drawn without any library: the same figures give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_LEFT, _WIDTH, _RIGHT = 210, 440, 70
_BAR, _GAP, _HEAD = 16, 14, 58
_COLOURS = ("#b8bec8", "#2f6f8f", "#e08a3c", "#5b8c5a")
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"


@dataclass(frozen=True, slots=True)
class Group:
    """Bars beside each other under one name; None where a series has no figure."""

    name: str
    values: tuple[float | None, ...]


def bars(title: str, series: Sequence[str], groups: Sequence[Group]) -> str:
    """Horizontal bars, one a series in each group, on one scale from 0; figures at their ends."""
    most = max((value for group in groups for value in group.values if value), default=1.0)
    parts, top = [_legend(title, series)], _HEAD
    for group in groups:
        height = _BAR * len(series)
        parts.append(_text(_LEFT - 8, top + height / 2 + 4, group.name, "end"))
        for index, value in enumerate(group.values):
            if value is not None:
                parts.append(_bar(top + index * _BAR, value, most, _COLOURS[index]))
        top += height + _GAP
    width = _LEFT + _WIDTH + _RIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" '
        f'height="{top}" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="{width}" height="{top}" fill="#ffffff"/>\n'
        f'<g style="{_STYLE}" fill="#222222">\n{chr(10).join(parts)}\n</g>\n</svg>\n'
    )


def _legend(title: str, series: Sequence[str]) -> str:
    parts, left = [_text(10, 20, title, "start", "font-weight:600")], 10
    for index, name in enumerate(series):
        parts.append(f'<rect x="{left}" y="32" width="12" height="12" fill="{_COLOURS[index]}"/>')
        parts.append(_text(left + 17, 42, name, "start"))
        left += 40 + 7 * len(name)
    return "\n".join(parts)


def _bar(top: float, value: float, most: float, colour: str) -> str:
    width = _WIDTH * value / most
    return (
        f'<rect x="{_LEFT}" y="{top + 1:.1f}" width="{width:.1f}" height="{_BAR - 2}" '
        f'fill="{colour}"/>\n' + _text(_LEFT + width + 5, top + 12, f"{value:.2f}", "start")
    )


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    extra = f' style="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'
