"""A profile as one HTML page that needs nothing else: no script, no network, no style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from smidgen.compiler.artifact import Manifest
from smidgen.core.table import render
from smidgen.emulate.measure import LayerMeasurement, Measurement
from smidgen.emulate.tables import layer_table, summary
from smidgen.project.roofline import roofline_svg

_WIDTH = 960
_ROW = 34
# One hue for each kind of work, so that the same op has the same colour in every drawing.
_PALETTE = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#9d755d", "#bab0ac")
_STYLE = (
    "body{font:15px/1.5 ui-sans-serif,system-ui,sans-serif;color:#1b2a3a;max-width:1000px;"
    "margin:2rem auto;padding:0 1rem}pre{font:12.5px/1.45 ui-monospace,monospace;overflow-x:auto;"
    "background:#f6f8fa;padding:1rem;border-radius:6px}svg{width:100%;height:auto}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}p{max-width:46rem}"
)


def profile_page(measurement: Measurement, manifest: Manifest) -> str:
    """The page: figures, where the cycles go, what lies where in memory when, and the roofline."""
    title = f"{measurement.model} on {measurement.board}"
    sections = [
        f"<h1>{escape(title)}</h1>",
        f"<pre>{escape(summary(measurement))}</pre>",
        "<h2>Where the cycles go</h2>",
        "<p>Modelled cycles, by kernel and by layer; point at a box for its figures.</p>",
        icicle_svg(measurement),
        "<h2>What lies where in the arena, and when</h2>",
        "<p>Steps of one inference from left to right, arena addresses from top to bottom. Boxes "
        "that cross share bytes on purpose: a layer that writes over its input.</p>",
        memory_svg(manifest),
        "<h2>Roofline</h2>",
        "<p>Each point is a layer: how many multiply-accumulates it does for each byte that it "
        "moves (activations and weights), and how many in a modelled cycle. The roof is what the "
        "core could do at best.</p>",
        roofline_svg(measurement),
        "<h2>By layer</h2>",
        f"<pre>{escape(layer_table(measurement))}</pre>",
        "<h2>By function</h2>",
        f"<pre>{escape(function_table(measurement))}</pre>",
    ]
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n"
        "</body></html>\n"
    )


def function_table(measurement: Measurement) -> str:
    """Instructions and modelled cycles of every C function."""
    rows = [
        (row.name, f"{row.instructions:,}", f"{row.modelled_cycles or 0:,}")
        for row in measurement.functions
    ]
    return render(("function", "instructions", "modelled cycles"), rows, left=1)


def icicle_svg(measurement: Measurement) -> str:
    """Three rows of boxes as wide as their modelled cycles: all, kernels, layers."""
    layers = sorted(measurement.layers, key=lambda layer: layer.kernel)
    total = max(sum(_weight(layer) for layer in layers), 1)
    boxes = [_icicle_box(0, 0, _WIDTH, measurement.model, f"{total:,}", "#34495e")]
    colours = kernel_colours(layers)
    left = 0.0
    start: dict[str, tuple[float, float]] = {}
    for layer in layers:
        width = _WIDTH * _weight(layer) / total
        detail = f"{layer.name}: {_weight(layer):,} modelled cycles, {layer.macs:,} MAC"
        boxes.append(_icicle_box(left, 2, width, layer.name, detail, colours[layer.kernel]))
        first, wide = start.get(layer.kernel, (left, 0.0))
        start[layer.kernel] = (first, wide + width)
        left += width
    for kernel, (first, wide) in start.items():
        share = f"{kernel}: {100 * wide / _WIDTH:.1f} % of the modelled cycles"
        boxes.append(_icicle_box(first, 1, wide, kernel, share, colours[kernel]))
    return _svg(3 * _ROW, boxes)


def memory_svg(manifest: Manifest) -> str:
    """One box a buffer: from its first to its last step, at its place in the arena."""
    steps = max(len(manifest.steps), 1)
    height = 360
    scale_x, scale_y = _WIDTH / (steps + 2), height / max(manifest.arena_bytes, 1)
    boxes = []
    for index, resident in enumerate(manifest.memory):
        x = (resident.first + 1) * scale_x
        wide = (resident.last - resident.first + 1) * scale_x
        y, tall = resident.offset * scale_y, max(resident.nbytes * scale_y, 1.5)
        fact = (
            f"{resident.name}: {resident.nbytes:,} B at {resident.offset:,}, "
            f"steps {resident.first} to {resident.last}"
        )
        fill = _PALETTE[index % len(_PALETTE)]
        boxes.append(_rect(x, y, wide, tall, fill, fact, resident.name if tall > 14 else ""))
    return _svg(height, boxes)


def kernel_colours(layers: Sequence[LayerMeasurement]) -> dict[str, str]:
    """A colour for each kernel, by order of name."""
    kernels = sorted({layer.kernel for layer in layers})
    return {kernel: _PALETTE[index % len(_PALETTE)] for index, kernel in enumerate(kernels)}


def _weight(layer: LayerMeasurement) -> int:
    """Modelled cycles, or instructions on a core without a cycle model."""
    return layer.instructions if layer.modelled_cycles is None else layer.modelled_cycles


def _icicle_box(x: float, row: int, width: float, name: str, fact: str, fill: str) -> str:
    return _rect(x, row * _ROW, width, _ROW - 2, fill, fact, name)


def _rect(x: float, y: float, width: float, height: float, fill: str, fact: str, name: str) -> str:
    room = int(width / 7.2)
    label = name if len(name) <= room else (name[: room - 1] + "~" if room > 3 else "")
    text = (
        f'<text x="{x + 5:.1f}" y="{y + height / 2 + 4:.1f}" fill="#fff" font-size="12">'
        f"{escape(label)}</text>"
        if label
        else ""
    )
    return (
        f'<g><title>{escape(fact)}</title><rect x="{x:.1f}" y="{y:.1f}" '
        f'width="{max(width - 1, 0.5):.1f}" height="{height:.1f}" rx="2" fill="{fill}" '
        f'fill-opacity="0.85" stroke="#fff" stroke-width="0.5"/>{text}</g>'
    )


def _svg(height: int, parts: Sequence[str]) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="ui-sans-serif, system-ui, sans-serif">\n{inner}\n</svg>'
    )
