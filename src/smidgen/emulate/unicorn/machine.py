"""An emulated core with exactly the memory of a board, on which linked code is called."""

from __future__ import annotations

from collections import Counter

from unicorn import (
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_HOOK_MEM_READ,
    UC_HOOK_MEM_WRITE,
    UC_PROT_EXEC,
    UC_PROT_READ,
    UC_PROT_WRITE,
    Uc,
    UcError,
)

from smidgen.core.errors import EmulationError
from smidgen.emulate.faults import Fault
from smidgen.emulate.linked.alignment import aligned_sites
from smidgen.emulate.linked.firmware import Firmware, read_firmware
from smidgen.emulate.linked.legality import check_instructions
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import Counts, count
from smidgen.emulate.unicorn.abi import Abi, abi_for
from smidgen.emulate.unicorn.causes import explain
from smidgen.emulate.unicorn.counter import BlockCounter
from smidgen.emulate.unicorn.waits import MemoryWaits
from smidgen.targets.catalogue import Board, MemoryRegion

DEFAULT_INSTRUCTION_LIMIT = 20_000_000_000
_PAGE_BYTES = 4096
_NOWHERE = 0xFFFF_FFFF
"""An odd address, which no function has."""
_PAINT = 0xA5
# Pages for the return address, in the code area of every memory map; the first free one is used.
_TRAP_PAGES = (0x0F00_0000, 0x1E00_0000, 0x0700_0000)


class Machine:
    """A board that holds a firmware; functions are called on it from outside.

    RAM starts out as a fixed pattern and not as zeros, except for the sections that start-up code
    would initialise, so that code which reads memory that it never wrote is found out.

    Args:
        elf: a linked ELF file, as `targets.toolchain.compile_firmware` makes.
        board: whose core and memory are emulated.
        alignment_checked_calls: in so many first calls of each function every access is watched
            for an unaligned address that the core forbids but the emulator allows (with LDRD, LDM,
            VLDR and the like; with any instruction on RISC-V). Such calls take four times as long.
        simulated_calls: in so many first calls of each function the waits for memory are simulated
            (`timing.memory`), and in the next call after one that ran code which never was. What
            the latest of them waited is taken for all others; the first finds empty caches. Such
            calls take ten times as long.

    Raises:
        EmulationError: the core is not emulated, or the code has instructions that it lacks.
        ArtifactError: `elf` is no ELF file.
    """

    def __init__(
        self,
        elf: bytes,
        board: Board,
        *,
        alignment_checked_calls: int = 1,
        simulated_calls: int = 2,
    ) -> None:
        self.board = board
        self.firmware: Firmware = read_firmware(elf)
        check_instructions(elf, board.core)
        self._abi: Abi = abi_for(board.core)
        self._engine: Uc = self._abi.open()
        self._fault: Fault | None = None
        self._padding: list[range] = []
        self._map_memory()
        self._engine.hook_add(UC_HOOK_MEM_INVALID, self._on_bad_access)
        self._engine.hook_add(UC_HOOK_INTR, self._on_exception)
        self._counter = self._new_counter()
        self._alignment_checked_calls = alignment_checked_calls
        self._waits = MemoryWaits(board, self.firmware.code)
        self._simulated_calls = simulated_calls if board.waits_for_memory else 0
        self._calls: Counter[str] = Counter()
        self._to_simulate: set[str] = set()
        self._layers: tuple[str, ...] = ()
        self.reset()

    def _new_counter(self) -> BlockCounter:
        core = self.board.core
        return BlockCounter(
            self._engine,
            thumb=core.is_arm,
            pc_register=self._abi.pc,
            sites=aligned_sites(self.firmware.code, core),
        )

    def reset(self) -> None:
        """Memory as after power-up and start-up code; the stack is painted anew."""
        for region in self.board.ram:
            self._engine.mem_write(region.address, bytes([_PAINT]) * region.bytes)
        for span in self.firmware.zeroed:
            self._engine.mem_write(span.start, bytes(len(span)))
        for image in self.firmware.images:
            self._engine.mem_write(image.address, image.content)

    def set_regions(self, root: str | None, layers: tuple[str, ...] = ()) -> None:
        """Attributes counts from now on to `layers`: region i + 1 is what layer i runs.

        Everything in function `root` itself, and before any layer, is region 0. A layer that does
        nothing may have been left out by the C compiler.
        """
        known = self.firmware.symbols
        entries = [known[each].address if each in known else _NOWHERE for each in layers]
        span = range(0)
        if root is not None:
            found = self.firmware.function(root)
            span = range(found.address, found.address + found.bytes)
        self._counter.set_regions(span, entries)
        self._layers = layers

    def clear_counts(self) -> None:
        """Forgets what was counted; regions stay."""
        self._counter.clear()

    def counts(self) -> Counts:
        """Instructions and modelled clocks since the counts were cleared, by layer and function."""
        return count(self.blocks(), self._layers, self.firmware, self.board.core)

    def blocks(self) -> tuple[Block, ...]:
        """What ran since the counts were cleared."""
        return self._counter.blocks()

    def call(
        self, symbol: str, *args: int, instruction_limit: int = DEFAULT_INSTRUCTION_LIMIT
    ) -> int:
        """Calls the function `symbol` with up to 8 word arguments.

        Returns the first result register as an unsigned 32-bit number; for a function without a
        result it has no meaning.

        Raises:
            UnknownName: no such function.
            EmulationError: the core faulted, or ran more instructions than the limit.
        """
        function = self.firmware.function(symbol)
        self._abi.prepare_call(self._engine, args, self._trap, self.firmware.stack.stop)
        self._fault = None
        self._watch(symbol)
        self._counter.begin(instruction_limit)
        self._execute(function.address)
        self._check_padding()
        self._raise_fault(symbol, instruction_limit)
        self._counter.end()
        if self._counter.has_unsimulated:
            self._to_simulate.add(symbol)
        return int(self._engine.reg_read(self._abi.result))

    def _watch(self, symbol: str) -> None:
        """Looks closely at the first calls of a function."""
        before = self._calls[symbol]
        self._counter.check_alignment(before < self._alignment_checked_calls)
        simulated = before < self._simulated_calls or symbol in self._to_simulate
        self._counter.simulate_memory(self._waits, simulated and self._simulated_calls > 0)
        self._to_simulate.discard(symbol)
        self._calls[symbol] += 1

    def read(self, address: int, count: int) -> bytes:
        """`count` bytes from `address`; raises EmulationError outside of the board's memory."""
        self._require_memory(address, count)
        return bytes(self._engine.mem_read(address, count))

    def write(self, address: int, data: bytes) -> None:
        """Puts `data` at `address`; raises EmulationError outside of the board's memory."""
        self._require_memory(address, len(data))
        self._engine.mem_write(address, data)

    def symbol(self, name: str) -> tuple[int, int]:
        """Address and bytes of a function or object; raises UnknownName."""
        found = self.firmware.symbol(name)
        return found.address, found.bytes

    @property
    def stack_bytes(self) -> int:
        """The deepest stack of all calls since the last reset, by the paint that is gone."""
        stack = self.firmware.stack
        untouched = self._engine.mem_read(stack.start, len(stack))
        used = len(untouched.lstrip(bytes([_PAINT])))
        return used + -used % self.board.core.word_bytes

    def _map_memory(self) -> None:
        for region in self.board.flash:
            self._map(region, UC_PROT_READ | UC_PROT_EXEC)
        for region in self.board.ram:
            self._map(region, UC_PROT_READ | UC_PROT_WRITE)
        taken = [range(start, end + 1) for start, end, _ in self._engine.mem_regions()]
        free = [page for page in _TRAP_PAGES if not any(page in span for span in taken)]
        self._trap = free[0]
        self._engine.mem_map(self._trap, _PAGE_BYTES, UC_PROT_EXEC)

    def _map(self, region: MemoryRegion, access: int) -> None:
        start = region.address & -_PAGE_BYTES
        end = -(-region.end // _PAGE_BYTES) * _PAGE_BYTES
        self._engine.mem_map(start, end - start, access)
        for first, behind in ((start, region.address), (region.end, end)):
            if first < behind:
                self._guard(range(first, behind))

    def _guard(self, padding: range) -> None:
        """Watches bytes that are mapped only because the emulator maps whole pages.

        A memory hook disturbs the IT blocks of Thumb-2 code (see counter.c), so there the bytes are
        painted and looked at after each call: a read of them is missed, a write is not.
        """
        if "thumb2" in self.board.core.features:
            self._engine.mem_write(padding.start, bytes([_PAINT]) * len(padding))
            self._padding.append(padding)
        else:
            kinds = UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE
            self._engine.hook_add(kinds, self._on_padding, None, padding.start, padding.stop - 1)

    def _check_padding(self) -> None:
        for padding in self._padding:
            found = bytes(self._engine.mem_read(padding.start, len(padding)))
            if found.strip(bytes([_PAINT])):
                at = padding.start + next(i for i, byte in enumerate(found) if byte != _PAINT)
                why = f"wrote where the board has no memory ({at:#010x})"
                self._fault = self._fault or Fault(self._pc, why)

    def _on_padding(
        self, engine: Uc, access: int, address: int, count: int, value: int, user: object
    ) -> None:
        """Reached bytes that are mapped only because the emulator maps whole pages."""
        self._on_bad_access(engine, access, address, count, value, user)
        engine.emu_stop()

    def _on_bad_access(
        self, engine: Uc, access: int, address: int, count: int, value: int, user: object
    ) -> bool:
        del engine, value, user
        why = explain(self.board, self.firmware, access, address, self._sp)
        self._fault = self._fault or Fault(self._pc, f"{why} ({count} bytes at {address:#010x})")
        return False

    def _on_exception(self, engine: Uc, number: int, user: object) -> None:
        del user
        pc = self._pc - self._abi.exception_pc_offset
        self._fault = self._fault or Fault(pc, self._abi.exceptions.get(number, ""), number)
        engine.emu_stop()

    def _execute(self, start: int) -> None:
        """Runs from `start` until the call returns, or the core faults."""
        self._go_on(start)

    def _go_on(self, start: int) -> None:
        """Runs from `start` until something stops the core."""
        try:
            self._engine.emu_start(self._abi.code_address(start), self._trap)
        except UcError as problem:
            self._fault = self._fault or Fault(self._pc, self._abi.stopped(problem.errno))

    @property
    def _pc(self) -> int:
        return int(self._engine.reg_read(self._abi.pc))

    @property
    def _sp(self) -> int:
        return int(self._engine.reg_read(self._abi.sp))

    def _raise_fault(self, symbol: str, limit: int) -> None:
        unaligned = self._counter.unaligned_access()
        if unaligned:
            pc, address, count = unaligned
            self._fault = Fault(pc, f"unaligned access ({count} bytes at {address:#010x})")
        elif self._counter.reached_limit:
            self._fault = Fault(self._pc, f"ran more than {limit:,} instructions")
        if self._fault:
            raise self._fault.error(symbol, self.board, self.firmware)

    def _require_memory(self, address: int, count: int) -> None:
        regions = self.board.flash + self.board.ram
        if not any(each.address <= address and address + count <= each.end for each in regions):
            raise EmulationError(
                f"{count} bytes at {address:#010x}", f"are no memory of {self.board.name}"
            )
