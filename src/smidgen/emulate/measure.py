"""Measures a model on its emulated board: sizes, stack, instructions, modelled cycles, by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.compiler.artifact import ArenaPart, Bands, Layer, Manifest
from smidgen.core.dtypes import Array
from smidgen.emulate.device import Device
from smidgen.emulate.timing.cycles import Counts, RegionCounts, Share
from smidgen.targets.catalogue import FLASH_WAITS, Board


@dataclass(frozen=True, slots=True)
class LayerMeasurement:
    """One layer, per inference (means over the inputs that ran).

    `arena_bytes` is how far up the arena is in use while it runs; `code_bytes` are those of its own
    C function, without kernels that it calls.
    """

    name: str
    kind: str
    kernel: str
    macs: int
    weight_bytes: int
    scratch_bytes: int
    activation_bytes: int
    instructions: int
    modelled_cycles: int | None
    wait_cycles: int | None
    arena_bytes: int
    code_bytes: int

    @property
    def cycles_per_mac(self) -> float | None:
        """Modelled cycles for each multiply-accumulate; None for a layer without any."""
        return _per_mac(self.modelled_cycles, self.macs)


@dataclass(frozen=True, slots=True)
class FunctionMeasurement:
    """One C function, per inference, without what it calls.

    `macs`, `weight_bytes` and `arena_bytes` (the most) are those of the layers of which it takes
    the largest part; `code_bytes` is what it takes of the flash.
    """

    name: str
    instructions: int
    modelled_cycles: int | None
    wait_cycles: int | None
    macs: int
    weight_bytes: int
    arena_bytes: int
    code_bytes: int

    @property
    def cycles_per_mac(self) -> float | None:
        """Modelled cycles for each multiply-accumulate; None where it does none."""
        return _per_mac(self.modelled_cycles, self.macs)


def _per_mac(cycles: int | None, macs: int) -> float | None:
    return None if cycles is None or not macs else cycles / macs


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a build takes on its board. Cycles and milliseconds are modelled, the rest is counted.

    `emulator_note` says in what the emulation falls short of the board ("": nothing is known).
    `instructions` and `modelled_cycles` are means for one inference over `inferences` inputs, and
    `instructions_min` / `_max` the extremes. `weight_bytes` are all constants in flash (weights,
    biases, multipliers, parameters), `code_bytes` the rest of it. `static_ram_bytes` holds the
    arena; the stack comes on top. Modelled figures are None where no model serves the core, and
    may be off by `modelled_error_percent` either way; `wait_cycles` of them the core waits for the
    board's memory, and `waits_not_modelled` says what that leaves out. `stack_bytes` were measured;
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
    wait_cycles: int | None
    waits_not_modelled: str
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
    functions: tuple[FunctionMeasurement, ...]
    shares: tuple[Share, ...]
    bands: tuple[Bands, ...] = ()
    arenas: tuple[ArenaPart, ...] = ()

    @property
    def modelled_ms(self) -> float | None:
        """Modelled milliseconds of one inference at the board's clock."""
        if self.modelled_cycles is None:
            return None
        return self.modelled_cycles / self.clock_hz * 1e3

    @property
    def zero_wait_cycles(self) -> int | None:
        """Modelled cycles of one inference if memory never waited."""
        if self.modelled_cycles is None or self.wait_cycles is None:
            return None
        return self.modelled_cycles - self.wait_cycles

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, derived figures included."""
        content = asdict(self)
        milliseconds = self.modelled_ms
        content["modelled_ms"] = None if milliseconds is None else round(milliseconds, 6)
        content["zero_wait_cycles"] = self.zero_wait_cycles
        ratios = {
            "layers": [row.cycles_per_mac for row in self.layers],
            "functions": [row.cycles_per_mac for row in self.functions],
        }
        for key, found in ratios.items():
            for ratio, fields in zip(found, content[key], strict=True):
                fields["modelled_cycles_per_mac"] = None if ratio is None else round(ratio, 4)
        return content


def measure(device: Device, samples: Sequence[Sequence[Array]]) -> Measurement:
    """Run every sample once and account for it, layer by layer."""
    counts: list[Counts] = []
    for sample in samples:
        device.run(sample)
        counts.append(device.take_counts())
    return measurement_of(device, counts)


def measurement_of(device: Device, counts: Sequence[Counts]) -> Measurement:
    """The measurement whose runs cost `counts`, one entry an inference."""
    columns = zip(*(run.layers[1:] for run in counts), strict=True)
    layers = tuple(
        _layer(device, layer, column)
        for layer, column in zip(device.artifact.manifest.layers, columns, strict=True)
    )
    return _measurement(device, counts, layers)


def _layer(device: Device, layer: Layer, runs: Sequence[RegionCounts]) -> LayerMeasurement:
    return LayerMeasurement(
        name=layer.name,
        kind=layer.kind,
        kernel=layer.kernel,
        macs=layer.macs,
        weight_bytes=layer.weight_bytes,
        scratch_bytes=layer.scratch_bytes,
        activation_bytes=layer.activation_bytes,
        instructions=_mean([run.instructions for run in runs]),
        modelled_cycles=_mean_known([run.modelled_cycles for run in runs]),
        wait_cycles=_mean_known([run.wait_cycles for run in runs]),
        arena_bytes=_arena_in_use(device.artifact.manifest, layer),
        code_bytes=_code_bytes(device, layer.symbol),
    )


def _arena_in_use(manifest: Manifest, layer: Layer) -> int:
    """How far up the arena is in use in the step that is the layer."""
    step = next((at for at, name in enumerate(manifest.steps) if name == layer.name), None)
    if step is None:
        return 0
    ends = [
        each.offset + each.nbytes for each in manifest.memory if each.first <= step <= each.last
    ]
    return max(ends, default=0)


def _code_bytes(device: Device, symbol: str) -> int:
    found = device.machine.firmware.symbols.get(symbol)
    return found.bytes if found else 0


def _mean_known(clocks: Sequence[int | None], runs: int | None = None) -> int | None:
    """The mean over `runs` (default: as many as there are clocks); None if any is not known."""
    known = [value for value in clocks if value is not None]
    return _mean(known, runs) if len(known) == len(clocks) else None


def _mean(values: Sequence[int], runs: int | None = None) -> int:
    return round(sum(values) / max(len(values) if runs is None else runs, 1))


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
        modelled_cycles=_mean_known([run.modelled_cycles for run in counts]),
        modelled_error_percent=board.core.cycle_error_percent,
        wait_cycles=_mean_known([run.wait_cycles for run in counts]),
        waits_not_modelled=_left_out(board, counts),
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
        functions=_functions(device, counts, layers),
        shares=_shares(counts),
        bands=manifest.bands,
        arenas=manifest.arenas,
    )


def _left_out(board: Board, counts: Sequence[Counts]) -> str:
    if FLASH_WAITS in board.unknown:
        return "the wait states of the board's flash are not known, and not in the modelled cycles"
    clocks_alone = (run.modelled_cycles is not None and run.wait_cycles is None for run in counts)
    if board.waits_for_memory and any(clocks_alone):
        return "the emulator does not follow the waits for the board's memory"
    return ""


def _shares(counts: Sequence[Counts]) -> tuple[Share, ...]:
    """What each function takes of each layer, means over the inferences."""
    cells: dict[tuple[int, str], list[Share]] = {}
    for count in counts:
        for share in count.shares:
            cells.setdefault((share.layer, share.function), []).append(share)
    runs = len(counts)
    return tuple(
        Share(
            layer,
            name,
            _mean([share.instructions for share in found], runs),
            _mean_known([share.modelled_cycles for share in found], runs),
            _mean_known([share.wait_cycles for share in found], runs),
        )
        for (layer, name), found in sorted(cells.items())
    )


def _functions(
    device: Device, counts: Sequence[Counts], layers: Sequence[LayerMeasurement]
) -> tuple[FunctionMeasurement, ...]:
    """Every C function that ran, means over the inferences, the costliest first."""
    runs: dict[str, list[RegionCounts]] = {}
    for count in counts:
        for function in count.functions:
            runs.setdefault(function.name, []).append(function)
    served = _served(counts, layers)
    found = [
        _function(device, name, rows, served.get(name, []), len(counts))
        for name, rows in runs.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.instructions, row.name)))


def _served(
    counts: Sequence[Counts], layers: Sequence[LayerMeasurement]
) -> dict[str, list[LayerMeasurement]]:
    """The layers of which a function takes the largest part, by the function's name."""
    served: dict[str, list[LayerMeasurement]] = {}
    shares = _shares(counts)
    for number, layer in enumerate(layers, start=1):
        parts = [share for share in shares if share.layer == number]
        if parts:
            largest = max(parts, key=lambda share: share.instructions)
            served.setdefault(largest.function, []).append(layer)
    return served


def _function(
    device: Device,
    name: str,
    rows: Sequence[RegionCounts],
    layers: Sequence[LayerMeasurement],
    runs: int,
) -> FunctionMeasurement:
    return FunctionMeasurement(
        name=name,
        instructions=_mean([run.instructions for run in rows], runs),
        modelled_cycles=_mean_known([run.modelled_cycles for run in rows], runs),
        wait_cycles=_mean_known([run.wait_cycles for run in rows], runs),
        macs=sum(layer.macs for layer in layers),
        weight_bytes=sum(layer.weight_bytes for layer in layers),
        arena_bytes=max((layer.arena_bytes for layer in layers), default=0),
        code_bytes=_code_bytes(device, name),
    )
