"""The roofline of a core: what its instructions and memory allow, and where each layer stands."""

from __future__ import annotations

import math
from html import escape

from smidgen.emulate.measure import LayerMeasurement, Measurement

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 960, 380, 70, 50

# The most that the instruction set can issue in one cycle: 8-bit multiply-accumulates (SMLAD does
# two, MLA one, MUL and ADD take two instructions), and bytes that loads can bring.
PEAKS: dict[str, tuple[float, float]] = {
    "cortex-m0plus": (0.5, 2.0),
    "cortex-m3": (0.5, 4.0),
    "cortex-m4f": (2.0, 4.0),
    "cortex-m7f": (2.0, 8.0),
    "cortex-m33f": (2.0, 4.0),
    "cortex-m55": (8.0, 8.0),
}
_OTHERS = (0.5, 4.0)


def roofline_svg(measurement: Measurement) -> str:
    """Points for layers, a roof for the core, on logarithmic axes."""
    macs, nbytes = PEAKS.get(measurement.core, _OTHERS)
    points = [_point(layer) for layer in measurement.layers if layer.macs and layer.modelled_cycles]
    if not points:
        return "<p>No layer of this model multiplies and accumulates.</p>"
    parts = [*_grid(), _roof(macs, nbytes), *(_dot(*point) for point in points)]
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">\n{inner}\n</svg>'
    )


def _point(layer: LayerMeasurement) -> tuple[float, float, str]:
    assert layer.modelled_cycles is not None
    intensity = layer.macs / max(layer.activation_bytes + layer.weight_bytes, 1)
    rate = layer.macs / layer.modelled_cycles
    fact = f"{layer.name}: {intensity:.1f} MAC per byte, {rate:.2f} MAC per modelled cycle"
    return intensity, rate, fact


def _x(intensity: float) -> float:
    """From 0.1 to 1000 MAC per byte."""
    share = (math.log10(min(max(intensity, 0.1), 1000)) + 1) / 4
    return _LEFT + share * (_WIDTH - _LEFT - 20)


def _y(rate: float) -> float:
    """From 0.01 to 10 MAC per cycle."""
    share = (math.log10(min(max(rate, 0.01), 10)) + 2) / 3
    return (_HEIGHT - _BOTTOM) - share * (_HEIGHT - _BOTTOM - 20)


def _grid() -> list[str]:
    lines = []
    for exponent in range(-1, 4):
        x = _x(10.0**exponent)
        lines.append(_line(x, 20, x, _HEIGHT - _BOTTOM))
        lines.append(
            f'<text x="{x:.0f}" y="{_HEIGHT - 30}" text-anchor="middle">{10.0**exponent:g}</text>'
        )
    for exponent in range(-2, 2):
        y = _y(10.0**exponent)
        lines.append(_line(_LEFT, y, _WIDTH - 20, y))
        lines.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{10.0**exponent:g}</text>'
        )
    middle = (_LEFT + _WIDTH) // 2
    lines.append(
        f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">MAC per byte moved</text>'
    )
    lines.append(f'<text x="{_LEFT}" y="14">MAC per modelled cycle</text>')
    return lines


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#dde3e9" fill="none"/>'


def _roof(macs: float, nbytes: float) -> str:
    """Memory bound on the left of the ridge, compute bound on its right."""
    ridge = macs / nbytes
    start = max(0.1, 0.01 / nbytes)
    return (
        f'<path d="M{_x(start):.1f} {_y(start * nbytes):.1f}L{_x(ridge):.1f} {_y(macs):.1f}'
        f'L{_x(1000):.1f} {_y(macs):.1f}" stroke="#e45756" stroke-width="2" fill="none">'
        f"<title>at most {macs:g} MAC and {nbytes:g} bytes a cycle</title></path>"
    )


def _dot(intensity: float, rate: float, fact: str) -> str:
    return (
        f'<circle cx="{_x(intensity):.1f}" cy="{_y(rate):.1f}" r="5" fill="#4c78a8" '
        f'fill-opacity="0.8"><title>{escape(fact)}</title></circle>'
    )
