"""A profile as one HTML page that needs nothing else: no script, no network, no style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from smidgen.compiler.artifact import Manifest
from smidgen.emulate.measure import Measurement
from smidgen.emulate.tables import (
    FUNCTION_HEADER,
    LAYER_HEADER,
    function_cells,
    layer_cells,
    summary,
    total_cells,
)
from smidgen.project.icicle import icicle, unit_of
from smidgen.project.memory_map import memory_map
from smidgen.project.roofline import roofline
from smidgen.project.svg import colours, legend

_STYLE = """
:root{color-scheme:light}
body{font:15px/1.55 ui-sans-serif,system-ui,sans-serif;color:#1f2933;max-width:1180px;
 margin:2.5rem auto;padding:0 1.25rem;background:#fff}
h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.75rem 0 .4rem}
p{max-width:48rem;color:#46515c;margin:.3rem 0 .9rem}
svg{width:100%;height:auto;display:block}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:.75rem;
 margin:1.5rem 0}
.card{border:1px solid #e3e8ee;border-radius:8px;padding:.7rem .9rem}
.card b{display:block;font-size:1.3rem;font-variant-numeric:tabular-nums}
.card span{color:#66727f;font-size:.82rem}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;font-size:.85rem;max-width:none}
.key i{display:inline-block;width:.75rem;height:.75rem;border-radius:2px;margin-right:.35rem}
pre{font:12.5px/1.5 ui-monospace,monospace;background:#f5f7fa;border-radius:8px;padding:1rem;
 overflow-x:auto}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.82rem;width:100%;font-variant-numeric:tabular-nums}
th{text-align:right;font-weight:600;color:#46515c;border-bottom:2px solid #cfd7df;
 padding:.35rem .5rem;white-space:nowrap}
td{text-align:right;padding:.28rem .45rem;border-bottom:1px solid #eef1f4;white-space:nowrap}
th:first-child,td:first-child,.name{text-align:left}
tr.sum td{font-weight:600;border-top:2px solid #cfd7df}
.bar{background:linear-gradient(#cfe3f1,#cfe3f1) no-repeat right;min-width:6.5rem}
"""


def profile_page(measurement: Measurement, manifest: Manifest) -> str:
    """The page: figures, where the cycles go, what lies where in memory when, and the roofline."""
    title = f"{measurement.model} on {measurement.board}"
    fills = colours(layer.kernel for layer in manifest.layers)
    sections = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(_subtitle(measurement))}</p>",
        _cards(measurement),
        "<h2>Where the cycles go</h2>",
        f"<p>{unit_of(measurement).capitalize()}: all, by kernel, by layer, and the functions in "
        "each layer. Point at a box for its figures.</p>",
        icicle(measurement, fills),
        legend(fills),
        "<h2>What lies where in the arena, and when</h2>",
        "<p>Steps of one inference from left to right, addresses from bottom to top. A tensor has "
        "the colour of the kernel that makes it. Boxes that cross share bytes on purpose: a layer "
        "that writes over its input.</p>",
        memory_map(manifest, fills),
        "<h2>Roofline</h2>",
        "<p>Each point is a layer, as large as its share: how many multiply-accumulates it does "
        "for each byte that it moves (activations and weights), and how many in a modelled cycle. "
        "The roof is what the core could do at best.</p>",
        roofline(measurement, fills),
        "<h2>By layer</h2>",
        _layer_rows(measurement),
        "<h2>By function</h2>",
        "<p>Without what a function calls. MACs, weights and arena are those of the layers of "
        "which it takes the largest part.</p>",
        _function_rows(measurement),
        "<h2>All figures</h2>",
        f"<pre>{escape(summary(measurement))}</pre>",
    ]
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n"
        "</body></html>\n"
    )


def _subtitle(m: Measurement) -> str:
    varies = (
        ""
        if m.instructions_min == m.instructions_max
        else (f", {m.instructions_min:,} to {m.instructions_max:,} instructions")
    )
    return f"{m.core} at {m.clock_hz / 1e6:g} MHz; means over {m.inferences} inputs{varies}"


def _cards(m: Measurement) -> str:
    band = f" ±{m.modelled_error_percent} %" if m.modelled_error_percent else ""
    time = "not modelled" if m.modelled_ms is None else f"{m.modelled_ms:.3f} ms"
    waiting = ""
    if m.wait_cycles and m.modelled_cycles:
        waiting = f", {100 * m.wait_cycles / m.modelled_cycles:.0f} % waiting for memory"
    bound = "no bound known" if m.stack_bound_bytes is None else f"at most {m.stack_bound_bytes:,}"
    cards = [
        (time, f"modelled time{band}{waiting}"),
        (f"{m.instructions:,}", "instructions per inference"),
        (f"{m.macs:,}", "multiply-accumulates"),
        (f"{m.arena_bytes:,} B", f"arena (lower bound {m.arena_lower_bound_bytes:,})"),
        (f"{m.flash_bytes:,} B", f"flash: code {m.code_bytes:,}, constants {m.weight_bytes:,}"),
        (f"{m.stack_bytes:,} B", f"worst stack measured, {bound}"),
    ]
    inner = "".join(
        f'<div class="card"><b>{escape(figure)}</b><span>{escape(what)}</span></div>'
        for figure, what in cards
    )
    return f'<div class="cards">{inner}</div>'


def _layer_rows(m: Measurement) -> str:
    rows = [*(layer_cells(layer, m) for layer in m.layers), total_cells(m)]
    return _html_table(LAYER_HEADER, rows, names=2, has_total=True)


def _function_rows(m: Measurement) -> str:
    rows = [function_cells(row, m) for row in m.functions]
    return _html_table(FUNCTION_HEADER, rows, names=1)


def _html_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], names: int, has_total: bool = False
) -> str:
    head = "".join(f"<th{_kind(at, names)}>{escape(title)}</th>" for at, title in enumerate(header))
    share_at = header.index("share")
    lines = []
    for number, row in enumerate(rows):
        is_total = has_total and number == len(rows) - 1
        cells = "".join(
            f"<td{_kind(at, names)}{_bar(cell) if at == share_at and not is_total else ''}>"
            f"{escape(cell)}</td>"
            for at, cell in enumerate(row)
        )
        lines.append(f'<tr class="sum">{cells}</tr>' if is_total else f"<tr>{cells}</tr>")
    inner = "\n".join(lines)
    return f'<div class="wide"><table><tr>{head}</tr>\n{inner}\n</table></div>'


def _kind(column: int, names: int) -> str:
    return ' class="name"' if 0 < column < names else ""


def _bar(share: str) -> str:
    """A bar behind the number, as long as the share."""
    return f' class="bar" style="background-size:{share.replace(" ", "")}"'
