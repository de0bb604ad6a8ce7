"""Measurements as text tables: aligned, plain, the same on every terminal."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.measure import LayerMeasurement, Measurement
from smidgen.emulate.proof import Proof


def layer_table(measurement: Measurement) -> str:
    """One line for each layer: instructions, modelled cycles and their share, MACs, weights."""
    header = (
        "layer",
        "kernel",
        "instructions",
        "modelled cycles",
        "share",
        "MACs",
        "cyc/MAC",
        "weights B",
    )
    rows = [_layer_row(layer, measurement.modelled_cycles) for layer in measurement.layers]
    total = (
        "total",
        "",
        f"{measurement.instructions:,}",
        f"{measurement.modelled_cycles:,}",
        "100.0 %",
        f"{measurement.macs:,}",
        _ratio(measurement.modelled_cycles, measurement.macs),
        f"{measurement.weight_bytes:,}",
    )
    return render(header, [*rows, total])


def summary(measurement: Measurement) -> str:
    """The build's figures, one a line."""
    m = measurement
    spread = ""
    if m.instructions_min != m.instructions_max:
        spread = f"  ({m.instructions_min:,} to {m.instructions_max:,} over {m.inferences} inputs)"
    return "\n".join(
        [
            f"board               {m.board} ({m.core}, {m.clock_hz / 1e6:g} MHz)",
            f"flash               {m.flash_bytes:,} B  (code {m.code_bytes:,}, weights and "
            f"constants {m.weight_bytes:,})",
            f"static RAM          {m.static_ram_bytes:,} B  (arena {m.arena_bytes:,}; lower bound "
            f"{m.arena_lower_bound_bytes:,})",
            f"worst stack         {m.stack_bytes:,} B measured",
            f"multiply-accumulates {m.macs:,}",
            f"instructions        {m.instructions:,} per inference{spread}",
            f"modelled cycles     {m.modelled_cycles:,} per inference, modelled "
            f"{m.modelled_ms:.3f} ms at {m.clock_hz / 1e6:g} MHz",
        ]
    )


def proof_line(proof: Proof) -> str:
    """What was compared, and how it came out."""
    verdict = "0 mismatches" if not proof.mismatches else f"{proof.mismatches:,} MISMATCHES"
    return (
        f"proof               {proof.bytes_compared:,} output bytes of {proof.inputs} inputs, "
        f"emulated board against reference: {verdict}"
    )


def render(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell; the first two to the left, figures to the right."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _layer_row(layer: LayerMeasurement, total_cycles: int) -> tuple[str, ...]:
    return (
        layer.name,
        layer.kernel,
        f"{layer.instructions:,}",
        f"{layer.modelled_cycles:,}",
        f"{100 * layer.modelled_cycles / max(total_cycles, 1):.1f} %",
        f"{layer.macs:,}",
        _ratio(layer.modelled_cycles, layer.macs),
        f"{layer.weight_bytes:,}",
    )


def _ratio(cycles: int, macs: int) -> str:
    return f"{cycles / macs:.2f}" if macs else "-"
