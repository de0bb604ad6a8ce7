"""The deepest stack that linked code can need, from its disassembly: frames along the call graph.

Each function is walked along its branches with the number of bytes that are on the stack, from
which come its own deepest point and the depth at each call. The bound of a function is the deepest
of its own frame and of depth plus bound over its calls. It counts what the code pushes, not what an
interrupt would add. Nothing is bounded, and the reason is given, where code calls through a
pointer, calls itself, or moves the stack pointer by what is not a constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from smidgen.emulate.linked.disassembly import Instruction, disassemble
from smidgen.emulate.linked.firmware import Firmware, Symbol
from smidgen.emulate.stack.avr import avr_stack
from smidgen.emulate.stack.step import Step, UnknownError
from smidgen.emulate.stack.steps import step_of
from smidgen.targets.catalogue import Core

_MOST_VISITS = 8
"""The depth at one place changes more often than this only where a loop pushes."""


@dataclass(frozen=True, slots=True)
class StackBound:
    """The bytes of stack that suffice, or None and `why_unknown`."""

    bytes: int | None
    why_unknown: str = ""


def stack_bound(firmware: Firmware, core: Core, entries: Sequence[str]) -> StackBound:
    """The bound over calls of those of the functions `entries` that `firmware` has."""
    is_avr = "avr" in core.features
    if not (core.is_riscv or core.isa.startswith("arm") or is_avr):
        return StackBound(None, f"code of {core.isa} is not analysed")
    known = [firmware.symbols[name] for name in entries if name in firmware.symbols]
    try:
        if is_avr:
            return StackBound(avr_stack(firmware, core, [each.address for each in known]))
        graph = _CallGraph(firmware, core)
        return StackBound(max(map(graph.bound, known), default=0))
    except UnknownError as problem:
        return StackBound(None, str(problem))


@dataclass(slots=True)
class _CallGraph:
    """Bounds of the functions of one firmware, each computed once."""

    firmware: Firmware
    core: Core
    bounds: dict[int, int] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)

    def bound(self, function: Symbol) -> int:
        """The deepest stack of `function` and all that it calls; raises UnknownError."""
        if function.name in self.active:
            raise UnknownError(f"{function.name} calls itself")
        if function.address not in self.bounds:
            self.active.append(function.name)
            walk = _Walk(function, self._steps(function))
            walk.run()
            below = [depth + self._callee(to, function) for to, depth in walk.calls.items()]
            self.bounds[function.address] = max([walk.deepest, *below])
            self.active.pop()
        return self.bounds[function.address]

    def _callee(self, address: int, caller: Symbol) -> int:
        found = self.firmware.function_at(address)
        if found is None:
            raise UnknownError(f"{caller.name} calls {address:#010x}, which is no function")
        return self.bound(found)

    def _steps(self, function: Symbol) -> dict[int, Step]:
        steps: dict[int, Step] = {}
        for piece in self.firmware.code:
            start = max(function.address, piece.address)
            stop = min(function.address + function.bytes, piece.address + len(piece.content))
            if start < stop:
                content = piece.content[start - piece.address : stop - piece.address]
                steps.update(self._decoded(tuple(disassemble(self.core, content, start))))
        return steps

    def _decoded(self, block: Sequence[Instruction]) -> dict[int, Step]:
        def word(address: int) -> int:
            return int.from_bytes(self.firmware.code_bytes(address, 4), "little")

        return {
            each.address: step_of(block[: at + 1], self.core, word) for at, each in enumerate(block)
        }


@dataclass(slots=True)
class _Walk:
    """One function's own deepest point, and the deepest point at which it calls each address."""

    function: Symbol
    steps: Mapping[int, Step]
    deepest: int = 0
    calls: dict[int, int] = field(default_factory=dict)
    depths: dict[int, int] = field(default_factory=dict)
    visits: dict[int, int] = field(default_factory=dict)
    goes_anywhere: bool = False

    @property
    def start(self) -> int:
        """The function's entry."""
        return self.function.address

    def run(self) -> None:
        """Walks all instructions; raises UnknownError.

        What no branch leads to is where a table of jumps leads, at most as deep as all the rest.
        """
        self._follow(self.start, 0)
        missed = [each for each in self.steps if each not in self.depths]
        if self.goes_anywhere and not missed:
            raise UnknownError(f"{self.function.name} calls through a pointer")
        for address in missed:
            if address not in self.depths:
                self._follow(address, self.deepest)

    def _follow(self, start: int, depth_at_start: int) -> None:
        waiting = [(start, depth_at_start)]
        while waiting:
            at, depth = waiting.pop()
            if at not in self.steps:
                self._leave(at, depth)
            elif self.depths.get(at, -1) < depth:
                waiting += self._visit(at, depth)

    def _leave(self, target: int, depth: int) -> None:
        """A jump out of the function is a call that does not come back."""
        inside = range(self.start, self.start + self.function.bytes)
        if target not in inside:
            self.calls[target] = max(self.calls.get(target, 0), depth)

    def _visit(self, at: int, depth: int) -> list[tuple[int, int]]:
        step = self.steps[at]
        self.depths[at] = depth
        self.visits[at] = self.visits.get(at, 0) + 1
        if step.problem or self.visits[at] > _MOST_VISITS:
            raise UnknownError(f"{self.function.name} {step.problem or 'pushes in a loop'}")
        depth = max(depth + step.pushes, 0)
        self.deepest = max(self.deepest, depth)
        inside = [each for each in step.calls if each in self.steps and each != self.start]
        for target in step.calls:
            if target not in inside:
                self.calls[target] = max(self.calls.get(target, 0), depth)
        # Armv6-M jumps far inside a function with BL, for want of a longer branch.
        return [(target, depth) for target in (*step.next, *inside)]
