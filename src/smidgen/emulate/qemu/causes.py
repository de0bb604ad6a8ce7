"""What a fault on an Armv7-M or Armv8-M core was, by its fault status registers."""

from __future__ import annotations

from smidgen.emulate.qemu.session import FaultReport

STACK_OVERFLOW = "stack overflow"
# Configurable Fault Status Register: the first bit that is set (Armv8-M ARM, D1.2.21).
_CAUSES = (
    (0, "instruction fetch where no code may be"),
    (1, "data access to where none is allowed"),
    (8, "jump to where no code is"),
    (9, "access to an address where the board has no memory"),
    (10, "access to an address where the board has no memory"),
    (16, "undefined instruction"),
    (17, "invalid processor state"),
    (18, "invalid return from an exception"),
    (19, "floating-point or vector instruction without that unit"),
    (24, "unaligned access"),
    (25, "division by zero"),
)
_MEMORY_ADDRESS_VALID, _BUS_ADDRESS_VALID = 7, 15


def explain(report: FaultReport, stack: range) -> str:
    """The cause in words, with the address where the core kept it."""
    if report.stack_pointer < stack.start:
        return STACK_OVERFLOW
    found = next((words for bit, words in _CAUSES if _has(report, bit)), "")
    why = found or f"HardFault (CFSR {report.cause:#010x}, HFSR {report.hard_cause:#010x})"
    if _has(report, _BUS_ADDRESS_VALID):
        return f"{why} ({report.bus_address:#010x})"
    if _has(report, _MEMORY_ADDRESS_VALID):
        return f"{why} ({report.memory_address:#010x})"
    return why


def _has(report: FaultReport, bit: int) -> bool:
    return bool(report.cause >> bit & 1)
