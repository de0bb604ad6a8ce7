"""How long a battery lasts over the time from inference to inference, as a drawing."""

from __future__ import annotations

import math
from collections.abc import Callable

from smidgen.emulate.energy.life import BatteryLife, battery_life
from smidgen.emulate.measure import Measurement
from smidgen.project.svg import FAINT, FONT, GRID, INK, WIDTH, drawing, line, text

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 460, 78, 24, 56, 52
_LONGEST_S = 86_400.0
_A_DECADE = 12
_CURVE, _SHADE = "#0b6fa4", "#cfe3f1"
_PERIODS = (
    (0.001, "1 ms"), (0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s"), (10.0, "10 s"),
    (60.0, "1 min"), (600.0, "10 min"), (3600.0, "1 h"), (86_400.0, "1 day"),
)  # fmt: skip
_SPANS = (
    (1 / 30.4, "1 day"), (7 / 30.4, "1 week"), (1.0, "1 month"), (6.0, "6 months"),
    (12.0, "1 year"), (36.0, "3 years"), (120.0, "10 years"),
)  # fmt: skip

Scale = Callable[[float], float]


def lifetime_svg(measurement: Measurement, life: BatteryLife) -> str:
    """The life over periods from one inference after the other to one a day; a point for `life`."""
    lives = _over_periods(life)
    months = [each.months for each in lives] + [life.months]
    x = _logarithmic(lives[0].period_s, _LONGEST_S, _LEFT, WIDTH - _RIGHT)
    y = _logarithmic(min(months) / 1.5, max(months) * 1.5, _HEIGHT - _BOTTOM, _TOP)
    title = f"{measurement.model} on {measurement.board}, from {life.battery.name}"
    parts = [
        f'<rect width="{WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="26" font-family="{FONT}" font-size="17" font-weight="600" '
        f'fill="{INK}">{_escaped(title)}</text>',
        *_axes(x, y, lives[0].period_s, months),
        _band(lives, x, y),
        _curve(lives, x, y),
        *_point(life, x, y),
        text((WIDTH + _LEFT) / 2, _HEIGHT - 8, "time from inference to inference", "middle", INK),
    ]
    return drawing(_HEIGHT, parts, title) + "\n"


def _over_periods(life: BatteryLife) -> list[BatteryLife]:
    """The same life with other periods, evenly on a logarithmic scale."""
    shortest = min(max(life.active_s * 1.0001, 1e-6), _LONGEST_S / 10)
    count = math.ceil(_A_DECADE * math.log10(_LONGEST_S / shortest)) + 1
    ratio = (_LONGEST_S / shortest) ** (1 / (count - 1))
    return [
        battery_life(
            life.battery, life.currents, shortest * ratio**step, life.active_s, life.loads,
            life.active_error_percent,
        )
        for step in range(count)
    ]  # fmt: skip


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    def place(value: float) -> float:
        share = math.log(min(max(value, low), high) / low) / math.log(high / low)
        return start + share * (end - start)

    return place


def _axes(x: Scale, y: Scale, shortest: float, months: list[float]) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    parts = []
    for period, name in _PERIODS:
        if period >= shortest:
            parts += [line(x(period), _TOP, x(period), bottom, GRID)]
            parts += [text(x(period), bottom + 18, name, "middle", FAINT)]
    for span, name in _SPANS:
        if min(months) / 1.5 <= span <= max(months) * 1.5:
            parts += [line(_LEFT, y(span), WIDTH - _RIGHT, y(span), GRID)]
            parts += [text(_LEFT - 8, y(span) + 4, name, "end", FAINT)]
    return parts


def _curve(lives: list[BatteryLife], x: Scale, y: Scale) -> str:
    points = " ".join(f"{x(each.period_s):.1f},{y(each.months):.1f}" for each in lives)
    return f'<polyline points="{points}" fill="none" stroke="{_CURVE}" stroke-width="2.5"/>'


def _band(lives: list[BatteryLife], x: Scale, y: Scale) -> str:
    """Between the lives of the slowest and the quickest inference that the model allows."""
    low = [f"{x(each.period_s):.1f},{y(each.months_low):.1f}" for each in lives]
    high = [f"{x(each.period_s):.1f},{y(each.months_high):.1f}" for each in lives]
    return f'<polygon points="{" ".join([*low, *reversed(high)])}" fill="{_SHADE}"/>'


def _point(life: BatteryLife, x: Scale, y: Scale) -> list[str]:
    at_x, at_y = x(life.period_s), y(life.months)
    words = f"{life.months:.3g} months at one every {life.period_s:g} s"
    anchor = "end" if at_x > WIDTH * 0.7 else "start"
    shift = -12 if anchor == "end" else 12
    return [
        f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="5.5" fill="{INK}"/>',
        text(at_x + shift, at_y + 22, words, anchor, INK),
    ]


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")
