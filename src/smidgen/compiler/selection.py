"""Picks one offer for each layer: the least time plus flash at a rate, or the least time in flash.

Code that several layers run is paid for once, so offers cannot be compared layer by layer: this is
facility location. Functions are closed, or exchanged for others, while that lowers the price most;
each layer takes its best offer among open functions, and then the one that adds least to what the
others take. The same input gives the same picks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from smidgen.core.errors import DoesNotFit

FLASH_BUDGET = "flash budget"
"""What an error about it is about."""
_STARTS = (1.0, 0.0, 1000.0)
_STEPS = 20
_DEAREST = 1e9
"""Time for a byte of flash at which only flash counts."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One way of running a layer: time, flash of its own, and bytes of functions it shares."""

    time: float
    flash_bytes: float = 0.0
    functions: Mapping[str, int] = field(default_factory=dict)


Menu = Sequence[Offer]


def pick(menus: Sequence[Menu], rate: float) -> list[int]:
    """The offer for each menu with `rate` as the time that a byte of flash is worth.

    The search starts from the offers that are best apart at this rate, at none and at a high one.
    """
    opened = frozenset(name for menu in menus for offer in menu for name in offer.functions)
    starts = [_assigned(menus, opened, rate * factor) or [] for factor in _STARTS]
    found = [_improved(menus, start, rate) for start in starts]
    return min(found, key=lambda picks: price(menus, picks, rate))


def _improved(menus: Sequence[Menu], start: list[int], rate: float) -> list[int]:
    """`start` after functions were closed, or exchanged for others, while that lowers the price."""
    best, rivals = _settled(menus, start, rate), _rivals(menus)
    while True:
        used = frozenset(_used(menus, best))
        sets = [used - {name} for name in sorted(used)]
        sets += [
            used - {name} | {other}
            for name in sorted(used)
            for other in sorted(rivals[name] - used)
        ]
        able = [picks for each in sets if (picks := _assigned(menus, each, rate)) is not None]
        found = min(
            (_settled(menus, picks, rate) for picks in able),
            key=lambda picks: price(menus, picks, rate),
            default=None,
        )
        if found is None or price(menus, found, rate) >= price(menus, best, rate):
            return best
        best = found


def _neighbours(
    used: frozenset[str], rivals: Mapping[str, frozenset[str]]
) -> Iterator[frozenset[str]]:
    """`used` with one function less, or with another one in its place."""
    for name in sorted(used):
        yield used - {name}
        yield from (used - {name} | {other} for other in sorted(rivals[name] - used))


def _rivals(menus: Sequence[Menu]) -> Mapping[str, frozenset[str]]:
    """For each function those that other offers for the same layers run."""
    together: dict[str, set[str]] = defaultdict(set)
    for menu in menus:
        names = {name for offer in menu for name in offer.functions}
        for name in names:
            together[name] |= names
    return {name: frozenset(names) for name, names in together.items()}


def _settled(menus: Sequence[Menu], picks: list[int], rate: float) -> list[int]:
    """`picks` after each layer in turn took what adds least to what the others take."""
    picks = list(picks)
    users = Counter(
        name for menu, at in zip(menus, picks, strict=True) for name in menu[at].functions
    )
    changed = True
    while changed:
        changed = False
        for index, menu in enumerate(menus):
            users.subtract(menu[picks[index]].functions.keys())
            found = min(range(len(menu)), key=lambda at: _beside(menu[at], users, rate))
            changed |= _beside(menu[found], users, rate) < _beside(menu[picks[index]], users, rate)
            picks[index] = found
            users.update(menu[found].functions.keys())
    return picks


def _beside(offer: Offer, users: Counter[str], rate: float) -> tuple[float, float]:
    """The price of an offer where the functions that have `users` are there anyway."""
    new = sum(size for name, size in offer.functions.items() if not users[name])
    return offer.time + rate * (offer.flash_bytes + new), offer.flash_bytes + new


def pick_within(menus: Sequence[Menu], flash_bytes: float) -> list[int]:
    """The offers with the least time found whose flash is at most `flash_bytes`.

    The rate is lowered for as long as they fit; what is left is spent on single layers, the most
    time for each byte first. Raises DoesNotFit where not even the smallest fit.
    """
    low, high = 0.0, _DEAREST
    best = pick(menus, high)
    if flash_of(menus, best) > flash_bytes:
        raise DoesNotFit(
            FLASH_BUDGET,
            f"the layers take at least {flash_of(menus, best):.0f} B of the "
            f"{flash_bytes:.0f} B that are left for them",
            "raise the budget",
        )
    fastest = pick(menus, low)
    if flash_of(menus, fastest) <= flash_bytes:
        return fastest
    for _ in range(_STEPS):
        rate = (max(low, 1e-6) * high) ** 0.5
        tried = pick(menus, rate)
        if flash_of(menus, tried) <= flash_bytes:
            best, high = tried, rate
        else:
            low = rate
    return _filled(menus, best, flash_bytes)


def price(menus: Sequence[Menu], picks: Sequence[int], rate: float) -> tuple[float, float]:
    """Time plus flash at `rate`; the flash itself decides between equals."""
    flash = flash_of(menus, picks)
    return time_of(menus, picks) + rate * flash, flash


def time_of(menus: Sequence[Menu], picks: Sequence[int]) -> float:
    """The time of all layers."""
    return sum(menu[at].time for menu, at in zip(menus, picks, strict=True))


def flash_of(menus: Sequence[Menu], picks: Sequence[int]) -> float:
    """The flash of all layers, each function counted once."""
    own = sum(menu[at].flash_bytes for menu, at in zip(menus, picks, strict=True))
    return own + sum(_used(menus, picks).values())


def _used(menus: Sequence[Menu], picks: Sequence[int]) -> dict[str, int]:
    used: dict[str, int] = {}
    for menu, at in zip(menus, picks, strict=True):
        used.update(menu[at].functions)
    return used


def _assigned(menus: Sequence[Menu], opened: frozenset[str], rate: float) -> list[int] | None:
    """The best offer of each menu that needs no closed function; None where one has none."""
    picks = []
    for menu in menus:
        able = [at for at, offer in enumerate(menu) if opened.issuperset(offer.functions)]
        if not able:
            return None
        picks.append(min(able, key=lambda at: _apart(menu[at], rate)))
    return picks


def _apart(offer: Offer, rate: float) -> tuple[float, float]:
    return offer.time + rate * offer.flash_bytes, offer.flash_bytes


def _filled(menus: Sequence[Menu], picks: list[int], flash_bytes: float) -> list[int]:
    """`picks` with single layers made faster while there is room."""
    while True:
        flash = flash_of(menus, picks)
        best, most = None, 0.0
        for saved, tried in _faster(menus, picks):
            spent = flash_of(menus, tried)
            worth = saved / max(spent - flash, 1.0)
            if spent <= flash_bytes and worth > most:
                best, most = tried, worth
        if best is None:
            return picks
        picks = best


def _faster(menus: Sequence[Menu], picks: list[int]) -> Iterator[tuple[float, list[int]]]:
    """All picks that differ in one layer, which is faster, and the time that it saves."""
    for index, menu in enumerate(menus):
        now = menu[picks[index]].time
        for at, offer in enumerate(menu):
            if offer.time < now:
                yield now - offer.time, [*picks[:index], at, *picks[index + 1 :]]
