"""The block counter: how often each block of code ran, and what it waited for memory."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence

from unicorn import UC_HOOK_BLOCK, UC_HOOK_CODE, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE, Uc

from smidgen.emulate.linked.alignment import AlignedSite
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.unicorn.hooks import Hook, add_hook, remove_hook, unicorn_functions
from smidgen.emulate.unicorn.native import POINTER, U32, U64, library
from smidgen.emulate.unicorn.waits import MemoryWaits


class _BlockRecord(ctypes.Structure):
    _fields_ = (
        ("executions", U64),
        ("taken", U64),
        ("simulated", U64),
        ("waits", U64),
        ("address", U32),
        ("size", U32),
        ("region", U32),
        ("becomes", U32),
        ("instructions", U32),
        ("used", U32),
        ("epoch", U32),
        ("spare", U32),
    )


class _SiteRecord(ctypes.Structure):
    _fields_ = (("counter", POINTER), ("base_register", ctypes.c_int32))


class BlockCounter:
    """Counts the blocks that `engine` runs, and stops it at a limit of instructions."""

    def __init__(
        self, engine: Uc, *, thumb: bool, pc_register: int, sites: Sequence[AlignedSite] = ()
    ) -> None:
        self._library = library()
        functions = unicorn_functions("uc_mem_read", "uc_emu_stop", "uc_reg_read")
        self._state = self._library.smg_counter_new(*functions, int(thumb), pc_register)
        if not self._state:
            raise MemoryError("no memory for the block counter")
        weakref.finalize(self, self._library.smg_counter_free, self._state)
        self._engine = engine
        self._thumb = thumb
        self._entries: ctypes.Array[ctypes.c_uint32] | None = None
        self._sites = sites
        self._watched = (_SiteRecord * len(sites))(
            *(_SiteRecord(self._state, site.base_register) for site in sites)
        )
        self._alignment_hooks: list[Hook] = []
        self._is_watching = False
        add_hook(engine, UC_HOOK_BLOCK, self._library.smg_counter_block, self._state)

    def check_alignment(self, wanted: bool) -> None:
        """Whether to watch for unaligned accesses from now on; it makes runs slower."""
        if wanted == self._is_watching:
            return
        self._is_watching = wanted
        if wanted:
            self._watch()
        else:
            for hook in self._alignment_hooks:
                remove_hook(self._engine, hook)
            self._alignment_hooks.clear()
        self._engine.ctl_flush_tb()  # what is translated already does not know of the change

    def _watch(self) -> None:
        """Every access of a RISC-V core; of an Arm core the instructions that could fault."""
        if not self._thumb:
            kinds = UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE
            function = self._library.smg_counter_access
            self._alignment_hooks.append(add_hook(self._engine, kinds, function, self._state))
        for site, record in zip(self._sites, self._watched, strict=True):
            function = self._library.smg_counter_site
            hook = add_hook(
                self._engine, UC_HOOK_CODE, function, ctypes.addressof(record),
                site.address, site.address,
            )  # fmt: skip
            self._alignment_hooks.append(hook)

    def simulate_memory(self, waits: MemoryWaits, wanted: bool) -> None:
        """Whether the waits of each block are simulated from now on; it makes runs slower.

        What was simulated before is kept, until the same block is simulated again.
        """
        self._library.smg_counter_simulate(self._state, int(wanted))
        waits.attach(self._engine, self._state, wanted)

    def set_regions(self, root: range, entries: Sequence[int]) -> None:
        """Tells where the root function lies and where each layer starts; forgets all blocks."""
        self._entries = (U32 * len(entries))(*entries)
        self._library.smg_counter_regions(
            self._state, root.start, root.stop, self._entries, len(entries)
        )

    def clear(self) -> None:
        """Forgets all counts, but not what was simulated."""
        self._library.smg_counter_clear(self._state)

    def begin(self, instruction_limit: int) -> None:
        """Prepares for one call from outside."""
        self._library.smg_counter_begin(self._state, instruction_limit)

    def end(self) -> None:
        """Notes that the call has returned; not to be called after a fault."""
        self._library.smg_counter_end(self._state)

    def pause_after(self, instructions: int | None) -> None:
        """Stops the emulator, between two blocks, each time so many have run; None: never."""
        self._library.smg_counter_pause_after(self._state, instructions or 0)

    @property
    def is_paused(self) -> bool:
        """Whether the emulator was stopped by a pause; forgets it."""
        return bool(self._library.smg_counter_paused(self._state))

    def interrupted(self, pc: int) -> None:
        """Notes that what ran last was stopped from outside before the instruction at `pc`."""
        self._library.smg_counter_interrupted(self._state, self._engine._uch, pc)

    @property
    def reached_limit(self) -> bool:
        """Whether the last call was stopped at its limit."""
        return bool(self._library.smg_counter_stopped(self._state))

    @property
    def has_unsimulated(self) -> bool:
        """Whether the last call ran a block that never ran with simulated memory."""
        return bool(self._library.smg_counter_unknown(self._state))

    def unaligned_access(self) -> tuple[int, int, int] | None:
        """The forbidden unaligned access of the last call, if any: pc, address, bytes."""
        pc, address = U32(), U32()
        size = self._library.smg_counter_unaligned(
            self._state, ctypes.byref(pc), ctypes.byref(address)
        )
        return (pc.value, address.value, size) if size else None

    def blocks(self) -> tuple[Block, ...]:
        """What ran since the counts were cleared, by region and address."""
        records = (_BlockRecord * self._library.smg_counter_count(self._state))()
        self._library.smg_counter_copy(self._state, records)
        found = [_block(record) for record in records if record.executions]
        return tuple(sorted(found, key=lambda block: (block.region, block.address, block.bytes)))


def _block(record: _BlockRecord) -> Block:
    return Block(
        region=record.region,
        address=record.address,
        bytes=record.size,
        instructions=record.instructions,
        executions=record.executions,
        taken=record.taken,
        simulated=record.simulated,
        waits=record.waits,
    )
