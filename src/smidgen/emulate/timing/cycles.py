"""Modelled clocks of blocks that were counted, and the sums by layer and by function.

They are what the core's table says for memory that never waits, and the simulated waits for the
board's memory (`memory`) on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from smidgen.emulate.linked.disassembly import disassemble
from smidgen.emulate.linked.firmware import Firmware
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.models import BlockCost, cycle_model
from smidgen.targets.catalogue import Core

ROOT = "(outside layers)"
NO_FUNCTION = "(no function)"


@dataclass(frozen=True, slots=True)
class RegionCounts:
    """Instructions that were executed, and modelled clocks, of one layer or function.

    `modelled_cycles` contain the `wait_cycles`, for which the core waits for memory. Both are None
    where there is no model of them.
    """

    name: str
    instructions: int
    modelled_cycles: int | None
    wait_cycles: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one function took in one layer: `layer` is 0 outside of all layers, i + 1 in layer i."""

    layer: int
    function: str
    instructions: int
    modelled_cycles: int | None
    wait_cycles: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """All that was counted, by layer and, independently, by function.

    `layers` starts with what ran outside of all layers and goes on with one entry per layer.
    `functions` are in order of falling modelled clocks; `shares` tell them apart by layer.
    """

    layers: tuple[RegionCounts, ...]
    functions: tuple[RegionCounts, ...]
    instructions: int
    modelled_cycles: int | None
    wait_cycles: int | None = None
    shares: tuple[Share, ...] = ()


_Sums = tuple[int, float, float]  # instructions, clocks of the table, clocks of waiting
_NOTHING: _Sums = (0, 0.0, 0.0)


def count(blocks: Iterable[Block], layers: Sequence[str], firmware: Firmware, core: Core) -> Counts:
    """Sums what `blocks` cost; `layers[i]` is the name of region i + 1."""
    costed = [(block, _costs(block, firmware, core)) for block in blocks]
    by_layer = _sums(costed, lambda block: block.region)
    by_function = _sums(costed, lambda block: _function_name(firmware, block.address))
    total = _row("total", _sums(costed, lambda _: 0).get(0, _NOTHING))
    functions = [_row(str(name), sums) for name, sums in by_function.items()]
    return Counts(
        layers=tuple(
            _row(name, by_layer.get(region, _NOTHING))
            for region, name in enumerate((ROOT, *layers))
        ),
        functions=tuple(sorted(functions, key=_most_clocks_first)),
        instructions=total.instructions,
        modelled_cycles=total.modelled_cycles,
        wait_cycles=total.wait_cycles,
        shares=shares_of(costed, firmware),
    )


def shares_of(costed: Iterable[tuple[Block, _Sums]], firmware: Firmware) -> tuple[Share, ...]:
    """The sums by layer and function together."""
    cells: dict[tuple[int, str], _Sums] = {}
    for block, costs in costed:
        key = (block.region, _function_name(firmware, block.address))
        cells[key] = _added(cells.get(key, _NOTHING), costs)
    return tuple(
        Share(layer, name, row.instructions, row.modelled_cycles, row.wait_cycles)
        for (layer, name), sums in sorted(cells.items())
        for row in [_row(name, sums)]
    )


def table_cycles(block: Block, firmware: Firmware, core: Core) -> float:
    """The modelled clocks of all executions of `block`, if memory never waits.

    A predictor is taken to always say what the jump at the block's end does more often.
    """
    cost = _block_cost(firmware.code_bytes(block.address, block.bytes), block.address, core)
    mispredicted = min(block.taken, block.executions - block.taken)
    clocks = block.executions * cost.straight + block.taken * cost.taken
    return clocks + mispredicted * cost.mispredicted


def _costs(block: Block, firmware: Firmware, core: Core) -> _Sums:
    executed = block.instructions * block.executions
    return executed, table_cycles(block, firmware, core), block.modelled_waits


def _sums(
    costed: Iterable[tuple[Block, _Sums]], key: Callable[[Block], object]
) -> dict[object, _Sums]:
    sums: dict[object, _Sums] = {}
    for block, costs in costed:
        sums[key(block)] = _added(sums.get(key(block), _NOTHING), costs)
    return sums


def _added(sums: _Sums, more: _Sums) -> _Sums:
    return (sums[0] + more[0], sums[1] + more[1], sums[2] + more[2])


def _row(name: str, sums: _Sums) -> RegionCounts:
    instructions, clocks, waits = sums
    return RegionCounts(name, instructions, round(clocks + waits), round(waits))


def _most_clocks_first(row: RegionCounts) -> tuple[int, str]:
    return (-(row.modelled_cycles or 0), row.name)


def _function_name(firmware: Firmware, address: int) -> str:
    function = firmware.function_at(address)
    return function.name if function else NO_FUNCTION


@lru_cache(maxsize=65536)
def _block_cost(code: bytes, address: int, core: Core) -> BlockCost:
    return cycle_model(core.cycle_model)(tuple(disassemble(core, code, address)))
