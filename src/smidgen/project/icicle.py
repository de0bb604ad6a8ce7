"""Where the cycles go: boxes as wide as their share, for kernels, their layers and functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smidgen.emulate.measure import LayerMeasurement, Measurement
from smidgen.project.svg import INK, WIDTH, box, drawing

_ROW, _GAP = 32, 3
_LEVELS = 4


@dataclass(frozen=True, slots=True)
class _Span:
    """A box: where it starts and how wide it is, in cycles."""

    level: int
    start: float
    cycles: float
    name: str
    fact: str
    fill: str


def icicle(measurement: Measurement, fills: Mapping[str, str]) -> str:
    """The drawing; `fills` gives a colour for each kernel."""
    layers = sorted(
        enumerate(measurement.layers, start=1),
        key=lambda entry: (entry[1].kernel, -weight(entry[1])),
    )
    total = max(sum(weight(layer) for _, layer in layers), 1)
    unit = unit_of(measurement)
    spans = [_Span(0, 0, total, measurement.model, f"{total:,} {unit}", INK)]
    start = 0.0
    for number, layer in layers:
        fill = fills[layer.kernel]
        spans.append(_Span(2, start, weight(layer), layer.name, _layer_fact(layer, total), fill))
        spans += _function_spans(measurement, number, layer, start, fill)
        start += weight(layer)
    spans += _kernel_spans(spans, [layer for _, layer in layers], total, fills)
    height = _LEVELS * (_ROW + _GAP)
    return drawing(height, [_drawn(span, total) for span in spans], "cycles by kernel and layer")


def weight(layer: LayerMeasurement) -> int:
    """Modelled cycles, or instructions on a core without a cycle model."""
    return layer.instructions if layer.modelled_cycles is None else layer.modelled_cycles


def unit_of(measurement: Measurement) -> str:
    """What `weight` counts."""
    return "instructions" if measurement.modelled_cycles is None else "modelled cycles"


def _layer_fact(layer: LayerMeasurement, total: int) -> str:
    share = 100 * weight(layer) / total
    waits = f", {layer.wait_cycles:,} of them waiting for memory" if layer.wait_cycles else ""
    return (
        f"{layer.name} ({layer.kernel}): {share:.1f} %, {weight(layer):,}{waits}; "
        f"{layer.instructions:,} instructions, {layer.macs:,} MAC"
    )


def _function_spans(
    measurement: Measurement, number: int, layer: LayerMeasurement, start: float, fill: str
) -> list[_Span]:
    """The functions that a layer runs; their shares fill the layer's width."""
    shares = [share for share in measurement.shares if share.layer == number]
    sizes = [
        share.instructions if share.modelled_cycles is None else share.modelled_cycles
        for share in shares
    ]
    scale = weight(layer) / max(sum(sizes), 1)
    spans = []
    for share, size in sorted(zip(shares, sizes, strict=True), key=lambda entry: -entry[1]):
        fact = f"{share.function} in {layer.name}: {size:,}; {share.instructions:,} instructions"
        spans.append(_Span(3, start, size * scale, share.function, fact, fill))
        start += size * scale
    return spans


def _kernel_spans(
    spans: Sequence[_Span],
    layers: Sequence[LayerMeasurement],
    total: int,
    fills: Mapping[str, str],
) -> list[_Span]:
    found = []
    starts = {span.name: span.start for span in spans if span.level == 2}
    for kernel in dict.fromkeys(layer.kernel for layer in layers):
        own = [layer for layer in layers if layer.kernel == kernel]
        cycles = sum(map(weight, own))
        fact = f"{kernel}: {100 * cycles / total:.1f} %, {cycles:,} in {len(own)} layers"
        start = min(starts[layer.name] for layer in own)
        found.append(_Span(1, start, cycles, kernel, fact, fills[kernel]))
    return found


def _drawn(span: _Span, total: int) -> str:
    scale = WIDTH / total
    y = span.level * (_ROW + _GAP)
    return box(span.start * scale, y, span.cycles * scale, _ROW, span.fill, span.fact, span.name)
