"""Where what is linked for QEMU's machine lies on the board itself, for its simulated memory."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from smidgen.emulate.linked.firmware import Firmware, Symbol
from smidgen.emulate.timing.memory import U32, cache_records, region_records
from smidgen.targets.catalogue import Board


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from `start` to before `end` lie at `to` and behind it on the board."""

    start: int
    end: int
    to: int
    is_code: bool

    @property
    def distance(self) -> int:
        """From here to the board."""
        return self.to - self.start


class _SpanRecord(ctypes.Structure):
    _fields_ = tuple((name, U32) for name in ("start", "end", "to", "is_code"))


class _Header(ctypes.Structure):
    _fields_ = tuple((name, U32) for name in ("regions", "caches", "spans", "spare"))


def board_record(board: Board, firmware: Firmware, here: Firmware) -> bytes:
    """What the plugin must know of `board`, on which `firmware` is what `here` is on QEMU."""
    caches, regions = cache_records(board), region_records(board)
    spans = placement(firmware, here)
    records = (_SpanRecord * len(spans))(
        *(_SpanRecord(span.start, span.end, span.to, int(span.is_code)) for span in spans)
    )
    header = _Header(len(regions), len(caches), len(spans), 0)
    return b"".join(map(bytes, (header, caches, records, regions)))


def placement(firmware: Firmware, here: Firmware) -> tuple[Span, ...]:
    """All spans by address: those of functions, of objects, and of the stack.

    What has no symbol of its own, as strings have none, lies behind what it follows. Functions that
    are only here, those of the monitor, have no span.
    """
    spans = sorted(_same_symbols(firmware, here), key=lambda span: span.start)
    starts = sorted(symbol.address for symbol in here.symbols.values())
    return tuple(_joined(spans, [*starts, here.stack.start]))


def _same_symbols(firmware: Firmware, here: Firmware) -> Iterator[Span]:
    stack = here.stack
    yield Span(stack.start, stack.stop, firmware.stack.stop - len(stack), is_code=False)
    for name, symbol in here.symbols.items():
        other = firmware.symbols.get(name)
        if other is not None and symbol.bytes and _is_same(symbol, other):
            end = symbol.address + symbol.bytes
            yield Span(symbol.address, end, other.address, symbol.is_function)


def _is_same(symbol: Symbol, other: Symbol) -> bool:
    return (symbol.bytes, symbol.is_function) == (other.bytes, other.is_function)


def _joined(spans: list[Span], starts: list[int]) -> Iterator[Span]:
    """The spans without gaps between neighbours that lie together on the board too.

    Spans of data reach as far as the next symbol in any case.
    """
    behind = Span(1 << 32, 1 << 32, 0, is_code=True)
    for span, following in pairwise([*spans, behind]):
        limit = following.start
        is_together = span.distance == following.distance and span.is_code == following.is_code
        if not is_together:
            limit = span.end if span.is_code else _next(starts, span.end, limit)
        yield replace(span, end=min(limit, 0xFFFF_FFFF))


def _next(starts: list[int], end: int, limit: int) -> int:
    return min((start for start in starts if start >= end), default=min(end, limit))
