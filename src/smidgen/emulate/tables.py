"""Measurements as text tables: aligned, plain, the same on every terminal."""

from __future__ import annotations

from smidgen.core.table import render
from smidgen.emulate.measure import FunctionMeasurement, LayerMeasurement, Measurement
from smidgen.emulate.proof import Proof

LAYER_HEADER = (
    "layer", "kernel", "instructions", "modelled cycles", "waiting", "share", "MACs", "cyc/MAC",
    "arena B", "weights B",
)  # fmt: skip
FUNCTION_HEADER = (
    "function", "instructions", "modelled cycles", "waiting", "share", "MACs", "cyc/MAC", "arena B",
    "code B", "weights B",
)  # fmt: skip


def layer_table(measurement: Measurement) -> str:
    """One line for each layer, with all its figures, and the total."""
    rows = [layer_cells(layer, measurement) for layer in measurement.layers]
    return render(LAYER_HEADER, [*rows, total_cells(measurement)])


def function_table(measurement: Measurement) -> str:
    """One line for each C function, the costliest first."""
    rows = [function_cells(row, measurement) for row in measurement.functions]
    return render(FUNCTION_HEADER, rows, left=1)


def layer_cells(layer: LayerMeasurement, measurement: Measurement) -> tuple[str, ...]:
    """A layer's line, under LAYER_HEADER."""
    return (
        layer.name,
        layer.kernel,
        *_cost(layer, measurement),
        f"{layer.arena_bytes:,}",
        f"{layer.weight_bytes:,}",
    )


def function_cells(row: FunctionMeasurement, measurement: Measurement) -> tuple[str, ...]:
    """A function's line, under FUNCTION_HEADER."""
    return (
        row.name,
        *_cost(row, measurement),
        f"{row.arena_bytes:,}",
        f"{row.code_bytes:,}",
        f"{row.weight_bytes:,}",
    )


def total_cells(m: Measurement) -> tuple[str, ...]:
    """The last line, under LAYER_HEADER."""
    return ("total", "", *_cost(m, m), f"{m.arena_bytes:,}", f"{m.weight_bytes:,}")


def _cost(
    row: LayerMeasurement | FunctionMeasurement | Measurement, whole: Measurement
) -> tuple[str, ...]:
    return (
        f"{row.instructions:,}",
        _figure(row.modelled_cycles),
        _figure(row.wait_cycles),
        _share(row.modelled_cycles, whole.modelled_cycles),
        f"{row.macs:,}",
        _ratio(row.modelled_cycles, row.macs),
    )


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
    if m.wait_cycles:
        lines.append(f"of these, waiting   {_waits(m, m.wait_cycles)}")
    if m.modelled_cycles is not None and m.waits_not_modelled:
        lines.append(f"not modelled        {m.waits_not_modelled}")
    return "\n".join(lines)


def _bound(m: Measurement) -> str:
    if m.stack_bound_bytes is None:
        return f"no bound known: {m.stack_unbounded}"
    return f"at most {m.stack_bound_bytes:,} B by the call graph"


def _waits(m: Measurement, wait_cycles: int) -> str:
    share = 100 * wait_cycles / max(m.modelled_cycles or 0, 1)
    return (
        f"{wait_cycles:,} ({share:.0f} %) for flash and other memory; "
        f"{m.zero_wait_cycles or 0:,} without wait states"
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


def _figure(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _share(part: int | None, whole: int | None) -> str:
    return "-" if part is None or whole is None else f"{100 * part / max(whole, 1):.1f} %"


def _ratio(cycles: int | None, macs: int) -> str:
    return "-" if cycles is None or not macs else f"{cycles / macs:.2f}"
