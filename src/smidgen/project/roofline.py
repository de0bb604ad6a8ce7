"""The roofline of a core: what its instructions and memory allow, and where each layer stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from smidgen.emulate.measure import LayerMeasurement, Measurement
from smidgen.project.svg import FAINT, INK, WIDTH, drawing, line, text

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 64, 16, 24, 46
_DECADES_X, _DECADES_Y = (-1, 3), (-2, 1)
_NAMED = 6
_LEAST_RADIUS, _MOST_RADIUS = 4.0, 16.0

# The most that the instruction set can issue in one cycle: 8-bit multiply-accumulates (SMLAD does
# two, MLA one, MUL and ADD take two instructions), and bytes that loads can bring.
PEAKS: dict[str, tuple[float, float]] = {
    "cortex-m0": (0.5, 2.0),
    "cortex-m0plus": (0.5, 2.0),
    "cortex-m3": (0.5, 4.0),
    "cortex-m4f": (2.0, 4.0),
    "cortex-m7f": (2.0, 8.0),
    "cortex-m33f": (2.0, 4.0),
    "cortex-m55": (8.0, 8.0),
    "cortex-m85": (8.0, 16.0),
}
_OTHERS = (0.5, 4.0)


def roofline(measurement: Measurement, fills: Mapping[str, str]) -> str:
    """Points for layers, as large as their share; a roof for the core; logarithmic axes."""
    macs, nbytes = PEAKS.get(measurement.core, _OTHERS)
    layers = [layer for layer in measurement.layers if layer.macs and layer.modelled_cycles]
    if not layers:
        return (
            "<p>No layer of this model multiplies and accumulates, or no cycles are modelled.</p>"
        )
    costliest = sorted(layers, key=lambda each: -(each.modelled_cycles or 0))
    most = costliest[0].modelled_cycles or 1
    parts = [*_grid(), *_roof(macs, nbytes)]
    parts += [_dot(layer, most, fills[layer.kernel]) for layer in costliest]
    parts += _names(costliest[:_NAMED])
    return drawing(_HEIGHT, parts, "roofline")


def _place(layer: LayerMeasurement) -> tuple[float, float]:
    """MAC for each byte that is moved, and MAC in a modelled cycle."""
    moved = max(layer.activation_bytes + layer.weight_bytes, 1)
    return layer.macs / moved, layer.macs / max(layer.modelled_cycles or 1, 1)


def _x(intensity: float) -> float:
    low, high = _DECADES_X
    share = (math.log10(min(max(intensity, 10.0**low), 10.0**high)) - low) / (high - low)
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(rate: float) -> float:
    low, high = _DECADES_Y
    share = (math.log10(min(max(rate, 10.0**low), 10.0**high)) - low) / (high - low)
    return (_HEIGHT - _BOTTOM) - share * (_HEIGHT - _BOTTOM - _TOP)


def _grid() -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, WIDTH - _RIGHT
    lines = []
    for exponent in range(_DECADES_X[0], _DECADES_X[1] + 1):
        x = _x(10.0**exponent)
        lines += [line(x, _TOP, x, bottom), text(x, bottom + 18, f"{10.0**exponent:g}", "middle")]
    for exponent in range(_DECADES_Y[0], _DECADES_Y[1] + 1):
        y = _y(10.0**exponent)
        lines += [line(_LEFT, y, right, y), text(_LEFT - 8, y + 4, f"{10.0**exponent:g}", "end")]
    lines.append(text((_LEFT + right) / 2, _HEIGHT - 8, "MAC per byte moved", "middle", INK))
    lines.append(text(_LEFT, 14, "MAC per modelled cycle", fill=INK))
    return lines


def _roof(macs: float, nbytes: float) -> list[str]:
    """Memory bound on the left of the ridge, compute bound on its right."""
    ridge, start = macs / nbytes, max(10.0 ** _DECADES_X[0], 10.0 ** _DECADES_Y[0] / nbytes)
    top = _y(macs)
    path = f"M{_x(start):.1f} {_y(start * nbytes):.1f}L{_x(ridge):.1f} {top:.1f}"
    return [
        f'<path d="{path}L{WIDTH - _RIGHT} {top:.1f}" stroke="#b3261e" stroke-width="2" '
        'fill="none"/>',
        text(WIDTH - _RIGHT - 4, top - 7, f"at most {macs:g} MAC a cycle", "end", "#b3261e"),
        text(_x(ridge) + 10, top + 18, f"{nbytes:g} bytes a cycle", "start", "#b3261e"),
    ]


def _dot(layer: LayerMeasurement, most: int, fill: str) -> str:
    intensity, rate = _place(layer)
    radius = max(_LEAST_RADIUS, _MOST_RADIUS * math.sqrt((layer.modelled_cycles or 0) / most))
    fact = (
        f"{layer.name} ({layer.kernel}): {intensity:.1f} MAC per byte, {rate:.2f} MAC per modelled "
        f"cycle, {layer.modelled_cycles or 0:,} cycles"
    )
    return (
        f'<circle cx="{_x(intensity):.1f}" cy="{_y(rate):.1f}" r="{radius:.1f}" fill="{fill}" '
        f'fill-opacity="0.75" stroke="#fff"><title>{escape(fact)}</title></circle>'
    )


def _names(layers: list[LayerMeasurement]) -> list[str]:
    """Names above the points, each with a line to its point, raised where they would overlap."""
    taken: list[tuple[float, float]] = []
    parts = []
    for layer in sorted(layers, key=lambda each: _place(each)[0]):
        intensity, rate = _place(layer)
        dot_x, dot_y = _x(intensity), _y(rate)
        x, y = dot_x, dot_y - 26
        while any(abs(x - other_x) < 84 and abs(y - other_y) < 14 for other_x, other_y in taken):
            y -= 14
        taken.append((x, y))
        parts += [line(dot_x, dot_y, x, y + 3, FAINT, 0.6), text(x, y, layer.name, "middle", INK)]
    return parts
