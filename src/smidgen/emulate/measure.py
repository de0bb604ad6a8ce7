"""Measures a model on its emulated board: sizes, stack, instructions, modelled cycles, by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.compiler.artifact import ArenaPart, Bands, Layer
from smidgen.core.dtypes import Array
from smidgen.emulate.cycles import Counts, RegionCounts, read_waits
from smidgen.emulate.device import Device


@dataclass(frozen=True, slots=True)
class LayerMeasurement:
    """One layer, per inference (means over the inputs that ran)."""

    name: str
    kind: str
    kernel: str
    macs: int
    weight_bytes: int
    scratch_bytes: int
    activation_bytes: int
    instructions: int
    modelled_cycles: int | None

    @property
    def cycles_per_mac(self) -> float | None:
        """Modelled cycles for each multiply-accumulate; None for a layer without any."""
        if self.modelled_cycles is None or not self.macs:
            return None
        return self.modelled_cycles / self.macs


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a build takes on its board. Cycles and milliseconds are modelled, the rest is counted.

    `emulator_note` says in what the emulation falls short of the board ("": nothing is known).
    `instructions` and `modelled_cycles` are means for one inference over `inferences` inputs, and
    `instructions_min` / `_max` the extremes. `weight_bytes` are all constants in flash (weights,
    biases, multipliers, parameters), `code_bytes` the rest of it. `static_ram_bytes` holds the
    arena; the stack comes on top. Modelled figures are None where no model serves the core, and
    may be off by `modelled_error_percent` either way, and by `flash_wait_cycles` at least where
    constants do not stay in a cache: what reading each of them once from flash waits, which is not
    in the modelled cycles. `stack_bytes` were measured;
    `stack_bound_bytes` is what the call graph allows at most, or None for `stack_unbounded`.
    """

    model: str
    board: str
    core: str
    emulator_note: str
    clock_hz: int
    inferences: int
    instructions: int
    instructions_min: int
    instructions_max: int
    modelled_cycles: int | None
    modelled_error_percent: int | None
    flash_wait_cycles: int
    macs: int
    arena_bytes: int
    arena_lower_bound_bytes: int
    static_ram_bytes: int
    stack_bytes: int
    stack_bound_bytes: int | None
    stack_unbounded: str
    code_bytes: int
    weight_bytes: int
    flash_bytes: int
    layers: tuple[LayerMeasurement, ...]
    functions: tuple[RegionCounts, ...]
    bands: tuple[Bands, ...] = ()
    arenas: tuple[ArenaPart, ...] = ()

    @property
    def modelled_ms(self) -> float | None:
        """Modelled milliseconds of one inference at the board's clock."""
        if self.modelled_cycles is None:
            return None
        return self.modelled_cycles / self.clock_hz * 1e3

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, derived figures included."""
        content = asdict(self)
        milliseconds = self.modelled_ms
        content["modelled_ms"] = None if milliseconds is None else round(milliseconds, 6)
        for layer, fields in zip(self.layers, content["layers"], strict=True):
            ratio = layer.cycles_per_mac
            fields["modelled_cycles_per_mac"] = None if ratio is None else round(ratio, 4)
        return content


def measure(device: Device, samples: Sequence[Sequence[Array]]) -> Measurement:
    """Run every sample once and account for it, layer by layer."""
    counts: list[Counts] = []
    for sample in samples:
        device.run(sample)
        counts.append(take_counts(device))
    return measurement_of(device, counts)


def take_counts(device: Device) -> Counts:
    """What the runs since the last take cost."""
    return device.take_counts()


def measurement_of(device: Device, counts: Sequence[Counts]) -> Measurement:
    """The measurement whose runs cost `counts`, one entry an inference."""
    columns = zip(*(run.layers[1:] for run in counts), strict=True)
    layers = tuple(
        _layer(layer, column)
        for layer, column in zip(device.artifact.manifest.layers, columns, strict=True)
    )
    return _measurement(device, counts, layers)


def _layer(layer: Layer, runs: Sequence[RegionCounts]) -> LayerMeasurement:
    return LayerMeasurement(
        layer.name,
        layer.kind,
        layer.kernel,
        layer.macs,
        layer.weight_bytes,
        layer.scratch_bytes,
        layer.activation_bytes,
        _mean([run.instructions for run in runs]),
        _mean_clocks(runs),
    )


def _mean_clocks(runs: Sequence[RegionCounts | Counts]) -> int | None:
    clocks = [run.modelled_cycles for run in runs if run.modelled_cycles is not None]
    return _mean(clocks) if len(clocks) == len(runs) else None


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / max(len(values), 1))


def _measurement(
    device: Device, counts: Sequence[Counts], layers: tuple[LayerMeasurement, ...]
) -> Measurement:
    totals = [run.instructions for run in counts]
    manifest, board = device.artifact.manifest, device.machine.board
    sizes = device.machine.firmware.sizes
    bound = device.stack_bound()
    return Measurement(
        model=manifest.name,
        board=board.name,
        core=board.core.name,
        emulator_note=board.core.emulator_note,
        clock_hz=board.clock_hz,
        inferences=len(totals),
        instructions=_mean(totals),
        instructions_min=min(totals, default=0),
        instructions_max=max(totals, default=0),
        modelled_cycles=_mean_clocks(counts),
        modelled_error_percent=board.core.cycle_error_percent,
        flash_wait_cycles=read_waits(board.flash[0], sizes.constants) if board.flash else 0,
        macs=manifest.macs,
        arena_bytes=manifest.arena_bytes,
        arena_lower_bound_bytes=manifest.arena_lower_bound_bytes,
        static_ram_bytes=sizes.ram_bytes,
        stack_bytes=device.machine.stack_bytes,
        stack_bound_bytes=bound.bytes,
        stack_unbounded=bound.why_unknown,
        code_bytes=sizes.code,
        weight_bytes=sizes.constants + sizes.data,
        flash_bytes=sizes.flash_bytes,
        layers=layers,
        functions=_functions(counts),
        bands=manifest.bands,
        arenas=manifest.arenas,
    )


def _functions(counts: Sequence[Counts]) -> tuple[RegionCounts, ...]:
    """Every C function that ran, means over the inferences, the costliest first."""
    runs: dict[str, list[RegionCounts]] = {}
    for count in counts:
        for function in count.functions:
            runs.setdefault(function.name, []).append(function)
    means = [
        RegionCounts(
            name,
            round(sum(run.instructions for run in found) / len(counts)),
            _mean_clocks(found),
        )
        for name, found in runs.items()
    ]
    return tuple(sorted(means, key=lambda row: (-row.instructions, row.name)))
