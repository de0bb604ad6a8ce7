"""Measurements as text tables: aligned, plain, the same on every terminal."""

from __future__ import annotations

from smidgen.core.table import render
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
        _figure(measurement.modelled_cycles),
        _share(measurement.modelled_cycles, measurement.modelled_cycles),
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
    lines = [
        f"board               {m.board} ({m.core}, {m.clock_hz / 1e6:g} MHz)",
        *([f"emulated            {m.emulator_note}"] if m.emulator_note else []),
        f"flash               {m.flash_bytes:,} B  (code {m.code_bytes:,}, weights and "
        f"constants {m.weight_bytes:,})",
        f"static RAM          {m.static_ram_bytes:,} B  (arena {m.arena_bytes:,}; lower bound "
        f"{m.arena_lower_bound_bytes:,})",
        *(f"arena               {part.nbytes:,} B in {part.region}" for part in m.arenas),
        *(f"in bands            {bands.text}" for bands in m.bands),
        f"worst stack         {m.stack_bytes:,} B measured, {_bound(m)}",
        f"MACs                {m.macs:,}",
        f"instructions        {m.instructions:,} per inference{spread}",
        f"modelled cycles     {_clocks(m)}",
    ]
    if m.modelled_cycles and m.flash_wait_cycles:
        lines.append(f"not modelled        {_flash_waits(m, m.modelled_cycles)}")
    return "\n".join(lines)


def _bound(m: Measurement) -> str:
    if m.stack_bound_bytes is None:
        return f"no bound known: {m.stack_unbounded}"
    return f"at most {m.stack_bound_bytes:,} B by the call graph"


def _flash_waits(m: Measurement, modelled_cycles: int) -> str:
    share = 100 * m.flash_wait_cycles / modelled_cycles
    return (
        f"constants read from flash past a cache: {m.flash_wait_cycles:,} cycles (+{share:.0f} %) "
        "to read each once"
    )


def _band(m: Measurement) -> str:
    return f" +-{m.modelled_error_percent} %" if m.modelled_error_percent else ""


def _clocks(m: Measurement) -> str:
    if m.modelled_cycles is None or m.modelled_ms is None:
        return f"none: the clocks of {m.core} are not modelled"
    return (
        f"{m.modelled_cycles:,}{_band(m)} per inference, modelled {m.modelled_ms:.3f} ms"
        f"{_band(m)} at {m.clock_hz / 1e6:g} MHz"
    )


def proof_line(proof: Proof) -> str:
    """What was compared, and how it came out."""
    verdict = "0 mismatches" if not proof.mismatches else f"{proof.mismatches:,} MISMATCHES"
    floats = ""
    if proof.largest_float_error is not None:
        floats = f" (floats within {proof.largest_float_error:.1e}, relative)"
    return (
        f"proof               {proof.bytes_compared:,} output bytes of {proof.inputs} inputs, "
        f"emulated board against reference: {verdict}{floats}"
    )


def _layer_row(layer: LayerMeasurement, total_cycles: int | None) -> tuple[str, ...]:
    return (
        layer.name,
        layer.kernel,
        f"{layer.instructions:,}",
        _figure(layer.modelled_cycles),
        _share(layer.modelled_cycles, total_cycles),
        f"{layer.macs:,}",
        _ratio(layer.modelled_cycles, layer.macs),
        f"{layer.weight_bytes:,}",
    )


def _figure(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _share(part: int | None, whole: int | None) -> str:
    return "-" if part is None or whole is None else f"{100 * part / max(whole, 1):.1f} %"


def _ratio(cycles: int | None, macs: int) -> str:
    return "-" if cycles is None or not macs else f"{cycles / macs:.2f}"
