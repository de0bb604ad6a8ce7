"""The deepest stack that AVR code can need: a walk along all its branches.

Frames and the code of libgcc are not told apart by symbols, so the walk goes from address to
address. It follows the stack pointer, the frame pointer Y, and constants in X and Z, by which
libgcc's shared prologues and epilogues allocate and jump. Encodings are those of the
AVR Instruction Set Manual (DS40002198). No interrupt is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from smidgen.emulate.linked.firmware import Firmware
from smidgen.emulate.stack.step import MOVES_BY_UNKNOWN, POINTER, UnknownError
from smidgen.targets.catalogue import Core

_MANY_STATES, _MOST_STATES = 32, 64
"""Further ways to one place would be those of a loop that pushes."""
_Y, _Z = 28, 30
_STACK_LOW, _STACK_HIGH = 0x3D, 0x3E
_FOLLOWED = frozenset({26, 27, 30, 31})
"""X and Z: registers that hold what libgcc's prologues take, and that a called function changes."""
_MASK = 0xFFFF


@dataclass(frozen=True, slots=True)
class _State:
    """Before an instruction: bytes on the stack, those at which Y stands (None: it is no frame
    pointer), and constants in registers.
    """

    depth: int = 0
    frame: int | None = None
    known: frozenset[tuple[int, int]] = frozenset()

    def value(self, register: int) -> int | None:
        """The constant in `register`, if there is one."""
        return dict(self.known).get(register)

    def pair(self, low: int) -> int | None:
        """The constant in two registers."""
        first, second = self.value(low), self.value(low + 1)
        return None if first is None or second is None else first | second << 8

    def written(self, registers: frozenset[int], value: int | None = None) -> _State:
        """After `registers` have got `value`, a constant, or something unknown."""
        known = {pair for pair in self.known if pair[0] not in registers}
        if value is not None:
            known |= {(each, value) for each in registers & _FOLLOWED}
        frame = None if registers & {_Y, _Y + 1} else self.frame
        return replace(self, frame=frame, known=frozenset(known))

    def moved(self, by: int) -> _State:
        """After `by` was added to Y."""
        return replace(self, frame=None if self.frame is None else (self.frame - by) & _MASK)


@dataclass(slots=True)
class _After:
    """What may come after an instruction."""

    ways: list[tuple[int, _State]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)


@dataclass(slots=True)
class AvrStack:
    """Bounds by address of a firmware's functions, each computed once."""

    firmware: Firmware
    return_bytes: int
    bounds: dict[int, int] = field(default_factory=dict)
    active: list[int] = field(default_factory=list)

    def bound(self, start: int) -> int:
        """The bytes that a call of `start` takes, with its return address; raises UnknownError."""
        if start in self.active:
            raise UnknownError(f"{self._name(start)} calls itself")
        if start not in self.bounds:
            self.active.append(start)
            self.bounds[start] = self.return_bytes + self._walk(start)
            self.active.pop()
        return self.bounds[start]

    def _walk(self, start: int) -> int:
        seen: dict[int, set[_State]] = {}
        waiting, deepest = [(start, _State())], 0
        while waiting:
            at, state = waiting.pop()
            states = seen.setdefault(at, set())
            if len(states) >= _MANY_STATES:
                state = replace(state, known=frozenset())
            if state in states:
                continue
            states.add(state)
            if len(states) > _MOST_STATES:
                raise UnknownError(f"{self._name(start)} pushes in a loop")
            after = self._after(at, state)
            inner = [self.bound(each) for each in after.calls]
            deepest = max([deepest, state.depth, *(state.depth + each for each in inner)])
            waiting += after.ways
        return deepest

    def _after(self, at: int, state: _State) -> _After:
        word = self._word(at)
        behind = at + 2 * _words(word)
        control = self._control(word, at, behind, state)
        return control or _After([(behind, self._step(word, at, state))])

    # -- jumps, calls and skips

    def _control(self, word: int, at: int, behind: int, state: _State) -> _After | None:
        """What a jump, call, return or skip does; None for all other instructions."""
        if word in (0x9508, 0x9518):  # RET, RETI
            return _After()
        if word & 0xF800 == 0xF000:  # BRBS, BRBC
            return _After([(behind, state), (behind + 2 * _signed(word >> 3, 7), state)])
        if _skips(word):
            return _After([(behind, state), (behind + 2 * _words(self._word(behind)), state)])
        target = self._target(word, at, behind, state)
        if target is None:
            return None
        is_call = _is_call(word)
        return self._call(target, behind, state) if is_call else _After([(target, state)])

    def _target(self, word: int, at: int, behind: int, state: _State) -> int | None:
        """Where a jump or call goes; None for what is neither."""
        if word & 0xFEEF == 0x9409:  # IJMP, EIJMP, ICALL, EICALL
            return 2 * self._pointer(at, state)
        if word & 0xFE0C == 0x940C:  # JMP, CALL
            high = (word >> 4 & 0x1F) << 17 | (word & 1) << 16
            return 2 * (high | self._word(at + 2))
        if word & 0xE000 == 0xC000:  # RJMP, RCALL
            return behind + 2 * _signed(word, 12)
        return None

    def _call(self, target: int, behind: int, state: _State) -> _After:
        if target == behind:  # by which the compiler allocates as many bytes
            return _After([(behind, replace(state, depth=state.depth + self.return_bytes))])
        return _After([(behind, replace(state, known=frozenset()))], [target])

    def _pointer(self, at: int, state: _State) -> int:
        target = state.pair(_Z)
        if target is None:
            raise UnknownError(f"{self._name(at)} {POINTER}")
        return target

    # -- the stack, Y and constants

    def _step(self, word: int, at: int, state: _State) -> _State:
        register = word >> 4 & 0x1F
        if word & 0xFE0F == 0x920F:  # PUSH
            return replace(state, depth=state.depth + 1)
        if word & 0xFE0F == 0x900F:  # POP
            popped = state.written(frozenset({register}))
            return replace(popped, depth=max(state.depth - 1, 0))
        if word & 0xF000 == 0xB000:  # IN, OUT
            return self._ported(word, at, state)
        if word & 0xF000 == 0xE000:  # LDI
            value = (word >> 4 & 0xF0) | (word & 0xF)
            return state.written(frozenset({16 + (word >> 4 & 0xF)}), value)
        added = _added_to_y(word, state)
        if added is not None:
            return state.moved(added)
        return state.written(written_registers(word))

    def _ported(self, word: int, at: int, state: _State) -> _State:
        port, register = (word >> 5 & 0x30) | (word & 0xF), word >> 4 & 0x1F
        if word & 0x0800:
            if port not in (_STACK_LOW, _STACK_HIGH):
                return state
            half = _Y if port == _STACK_LOW else _Y + 1
            if state.frame is None or register != half:
                raise UnknownError(f"{self._name(at)} {MOVES_BY_UNKNOWN}")
            return replace(state, depth=state.frame) if port == _STACK_LOW else state
        if (port, register) in ((_STACK_LOW, _Y), (_STACK_HIGH, _Y + 1)):
            return replace(state.written(frozenset({register})), frame=state.depth)
        return state.written(frozenset({register}))

    def _word(self, address: int) -> int:
        try:
            return int.from_bytes(self.firmware.code_bytes(address, 2), "little")
        except KeyError:
            raise UnknownError(f"code goes to {address:#x}, where there is none") from None

    def _name(self, address: int) -> str:
        found = self.firmware.function_at(address)
        return found.name if found else f"the code at {address:#x}"


def avr_stack(firmware: Firmware, core: Core, starts: Sequence[int]) -> int:
    """The bytes that suffice for calls of the functions at `starts`; raises UnknownError."""
    stack = AvrStack(firmware, 3 if core.isa == "avr6" else 2)
    return max(map(stack.bound, starts), default=0)


def _words(word: int) -> int:
    """How many words an instruction has: LDS, STS, JMP and CALL have two."""
    return 2 if word & 0xFC0F == 0x9000 or word & 0xFE0C == 0x940C else 1


def _skips(word: int) -> bool:
    """CPSE, SBRC, SBRS, SBIC and SBIS."""
    return word & 0xFC00 == 0x1000 or word & 0xFC08 == 0xFC00 or word & 0xFD00 == 0x9900


def _is_call(word: int) -> bool:
    """RCALL, CALL, ICALL and EICALL, among jumps and calls."""
    if word & 0xE000 == 0xC000:
        return bool(word & 0x1000)
    return bool(word & 0x0002 if word & 0xFE0C == 0x940C else word & 0x0100)


def _signed(bits: int, count: int) -> int:
    value = bits & (1 << count) - 1
    return value - (1 << count) if value >> count - 1 else value


def _added_to_y(word: int, state: _State) -> int | None:
    """What is added to one half of Y, as 16 bits; None where that is not told or is another."""
    if word & 0xFE30 == 0x9620:  # ADIW, SBIW of Y
        constant = (word >> 2 & 0x30) | (word & 0xF)
        return -constant if word & 0x0100 else constant
    if word & 0xE000 == 0x4000 and word & 0x00E0 == 0x00C0:  # SBCI, SUBI of r28 and r29
        constant = (word >> 4 & 0xF0) | (word & 0xF)
        return -(constant << (8 if word & 0x10 else 0))
    return _register_added_to_y(word, state)


def _register_added_to_y(word: int, state: _State) -> int | None:
    kind, target = word & 0xFC00, word >> 4 & 0x1F
    signs = {0x0C00: 1, 0x1C00: 1, 0x1800: -1, 0x0800: -1}  # ADD, ADC, SUB, SBC
    if kind not in signs or target not in (_Y, _Y + 1):
        return None
    source = (word >> 5 & 0x10) | (word & 0xF)
    value = 0 if source == 1 else state.value(source)  # r1 is kept zero
    return None if value is None else signs[kind] * value << (8 if target > _Y else 0)


# Mask, code, whether the register of bits 8 to 4 is written, and what else is; the first that fits
# counts. Products are in r0 and r1.
_NOTHING: frozenset[int] = frozenset()
_PRODUCT, _IN_X, _IN_Y, _IN_Z = (frozenset({low, low + 1}) for low in (0, 26, 28, 30))
_WRITES = (
    (0xFC00, 0x0000, False, _PRODUCT),  # MULS, MULSU, FMUL and kin; NOP
    (0xFC00, 0x9C00, False, _PRODUCT),  # MUL
    (0xEC00, 0x0400, False, _NOTHING),  # CPC, CP
    (0xF000, 0x3000, False, _NOTHING),  # CPI
    (0xC000, 0x0000, True, _NOTHING),  # SBC to MOV
    (0xD200, 0x8000, True, _NOTHING),  # LDD
    (0xFE0F, 0x9001, True, _IN_Z),  # LD Z+
    (0xFE0F, 0x9002, True, _IN_Z),  # LD -Z
    (0xFE0D, 0x9005, True, _IN_Z),  # LPM, ELPM Z+
    (0xFE0F, 0x9009, True, _IN_Y),  # LD Y+
    (0xFE0F, 0x900A, True, _IN_Y),  # LD -Y
    (0xFE0F, 0x900D, True, _IN_X),  # LD X+
    (0xFE0F, 0x900E, True, _IN_X),  # LD -X
    (0xFE00, 0x9000, True, _NOTHING),  # LDS, LD X, LPM, ELPM Z
    (0xFE0C, 0x9204, True, _NOTHING),  # XCH, LAS, LAC, LAT
    (0xFE0F, 0x9201, False, _IN_Z),  # ST Z+
    (0xFE0F, 0x9202, False, _IN_Z),  # ST -Z
    (0xFE0F, 0x9209, False, _IN_Y),  # ST Y+
    (0xFE0F, 0x920A, False, _IN_Y),  # ST -Y
    (0xFE0F, 0x920D, False, _IN_X),  # ST X+
    (0xFE0F, 0x920E, False, _IN_X),  # ST -X
    (0xFFEF, 0x95C8, False, frozenset({0})),  # LPM, ELPM to r0
    (0xFFFF, 0x95F8, False, _IN_Z),  # SPM Z+
    (0xFE08, 0x9400, True, _NOTHING),  # COM to ROR
    (0xFE0F, 0x940A, True, _NOTHING),  # DEC
    (0xFE08, 0xF800, True, _NOTHING),  # BLD
)


def written_registers(word: int) -> frozenset[int]:
    """What an instruction writes, of those that neither push, pop, LDI nor IN tells."""
    if word & 0xFF00 == 0x0100:  # MOVW
        pair = (word >> 4 & 0xF) * 2
        return frozenset({pair, pair + 1})
    if word & 0xC000 == 0x4000:  # SBCI, SUBI, ORI, ANDI
        return frozenset({16 + (word >> 4 & 0xF)})
    if word & 0xFE00 == 0x9600:  # ADIW, SBIW
        pair = 24 + 2 * (word >> 4 & 3)
        return frozenset({pair, pair + 1})
    for mask, code, has_target, others in _WRITES:
        if word & mask == code:
            return others | {word >> 4 & 0x1F} if has_target else others
    return _NOTHING
