"""Modelled clocks of blocks that were counted, and the sums by layer and by function.

Flash wait states, by how the board's flash is read (`MemoryRegion.fetch`), are modelled on top of
the core's table:

- "cache": code is taken to be in the cache. No clock is added.
- "prefetch": straight code is read ahead in time. Each jump that is taken, and each constant that
  is loaded from between the code, waits once for the flash.
- "none": as "prefetch", and each further 8 bytes of straight code wait once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from smidgen.emulate.counter import Block
from smidgen.emulate.cycle_models import BlockCost, cycle_model
from smidgen.emulate.disassembly import Instruction, disassemble
from smidgen.emulate.firmware import Firmware
from smidgen.targets.catalogue import Board, MemoryRegion

_FLASH_WORD_BYTES = 8
ROOT = "(outside layers)"
NO_FUNCTION = "(no function)"


@dataclass(frozen=True, slots=True)
class RegionCounts:
    """Instructions that were executed, and modelled clocks, of one layer or function.

    The clocks are None where the emulator has no model of them.
    """

    name: str
    instructions: int
    modelled_cycles: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """All that was counted, by layer and, independently, by function.

    `layers` starts with what ran outside of all layers and goes on with one entry per layer.
    `functions` are in order of falling modelled clocks.
    """

    layers: tuple[RegionCounts, ...]
    functions: tuple[RegionCounts, ...]
    instructions: int
    modelled_cycles: int | None


def count(
    blocks: Iterable[Block], layers: Sequence[str], firmware: Firmware, board: Board
) -> Counts:
    """Sums what `blocks` cost; `layers[i]` is the name of region i + 1."""
    costed = tuple(_costed(tuple(blocks), firmware, board))
    by_layer = _sums(costed, lambda block: block.region)
    by_function = _sums(costed, lambda block: _function_name(firmware, block.address))
    total = _sums(costed, lambda _: "total").get("total", (0, 0.0))
    functions = [_row(name, sums) for name, sums in by_function.items()]
    return Counts(
        layers=tuple(
            _row(name, by_layer.get(region, (0, 0.0)))
            for region, name in enumerate((ROOT, *layers))
        ),
        functions=tuple(sorted(functions, key=_most_clocks_first)),
        instructions=total[0],
        modelled_cycles=round(total[1]),
    )


def modelled_cycles(block: Block, firmware: Firmware, board: Board) -> float:
    """The modelled clocks of all executions of `block`."""
    cost = _block_cost(firmware.code_bytes(block.address, block.bytes), block.address, board)
    return block.executions * cost.straight + block.taken * cost.taken


def read_waits(flash: MemoryRegion, count: int) -> int:
    """The clocks for which reading `count` bytes of `flash` once, in order, waits."""
    return -(-count // _FLASH_WORD_BYTES) * flash.wait_states


def _costed(
    blocks: Sequence[Block], firmware: Firmware, board: Board
) -> Iterator[tuple[Block, float]]:
    return ((block, modelled_cycles(block, firmware, board)) for block in blocks)


def _sums(
    costed: Iterable[tuple[Block, float]], key: Callable[[Block], object]
) -> dict[object, tuple[int, float]]:
    sums: dict[object, tuple[int, float]] = {}
    for block, clocks in costed:
        instructions, before = sums.get(key(block), (0, 0.0))
        executed = block.instructions * block.executions
        sums[key(block)] = (instructions + executed, before + clocks)
    return sums


def _row(name: object, sums: tuple[int, float]) -> RegionCounts:
    return RegionCounts(str(name), sums[0], round(sums[1]))


def _most_clocks_first(row: RegionCounts) -> tuple[int, str]:
    return (-(row.modelled_cycles or 0), row.name)


def _function_name(firmware: Firmware, address: int) -> str:
    function = firmware.function_at(address)
    return function.name if function else NO_FUNCTION


@lru_cache(maxsize=65536)
def _block_cost(code: bytes, address: int, board: Board) -> BlockCost:
    block = tuple(disassemble(board.core, code, address))
    cost = cycle_model(board.core.cycle_model)(block)
    region = next((each for each in board.flash if each.address <= address < each.end), None)
    return _with_waits(cost, block, region) if region and region.wait_states else cost


def _with_waits(cost: BlockCost, block: Sequence[Instruction], flash: MemoryRegion) -> BlockCost:
    if flash.fetch == "cache":
        return cost
    literals = sum("pc" in instruction.address_registers for instruction in block)
    waits = literals
    if flash.fetch == "none":
        waits += sum(instruction.bytes for instruction in block) // _FLASH_WORD_BYTES
    taken = cost.taken + (flash.wait_states if cost.taken else 0)
    return BlockCost(cost.straight + waits * flash.wait_states, taken)
