"""Energy for one inference, and how long a battery lasts: a duty cycle of two currents.

    average = (active * t + sleep * (T - t)) / T + loads + self-discharge

with t the modelled time of one inference, T the period, and all currents taken at the battery's
voltage: a chip behind a linear regulator, or none, draws the same current from the battery. A
battery of less than 1.8 V, or of less than the 5 V that a board is given for, needs a step-up
converter, which draws more by the ratio of the voltages and loses 15 %. The time is modelled;
currents and capacities are typical values of data sheets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.core.errors import InputError
from smidgen.emulate.energy.batteries import Battery
from smidgen.emulate.measure import Measurement
from smidgen.targets.catalogue import Board, Currents

HOURS_A_MONTH = 365.25 * 24 / 12


_USUAL_VOLTS = 3.0
_LEAST_VOLTS, _CONVERTER_EFFICIENCY = 1.8, 0.85
_FIVE_VOLTS = 4.5
"""Of a supply of 5 V, within its tolerance."""
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-zµ]+)\s*", re.IGNORECASE)
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LOAD_EXAMPLES = "0.4mA, 15uA, 15uA:12mA with its peak"
_MILLIAMPERES = {"na": 1e-6, "ua": 1e-3, "µa": 1e-3, "ma": 1.0, "a": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    """A further current that flows all the time, on average: a sensor, a radio; and its peak."""

    name: str
    milliamperes: float
    peak_ma: float


@dataclass(frozen=True, slots=True)
class BatteryLife:
    """What a battery is good for, and all that was assumed.

    `battery` lasts `months`. `inference_mj` is the energy of the running chip for one inference,
    at `currents.volts`; `converter_factor` is what a step-up converter multiplies currents by (1:
    there is none); `average_ma` is drawn from the battery, and `peak_ma` at most. `months_low` and
    `months_high` follow from the error of the modelled time.
    """

    battery: Battery
    currents: Supply
    loads: tuple[Load, ...]
    period_s: float
    active_s: float
    active_error_percent: int | None
    inference_mj: float
    converter_factor: float
    average_ma: float
    peak_ma: float
    months: float
    months_low: float
    months_high: float

    @property
    def is_overloaded(self) -> bool:
        """Whether the peak is more than the battery's maker has it give."""
        return self.peak_ma > self.battery.most_ma

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "is_overloaded": self.is_overloaded}


def seconds(text: str) -> float:
    """A time such as "1s", "20ms" or "5min"; raises InputError."""
    return _quantity("period", text, _SECONDS, "1s, 20ms, 5min")


def parse_load(text: str) -> Load:
    """A load such as "sensor=0.4mA", or "radio=15uA:12mA" with its peak; raises InputError."""
    name, equals, current = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"load {text!r}", "is not NAME=CURRENT", "write it as sensor=0.4mA")
    mean, colon, peak = current.partition(":")
    average = _quantity("load", mean, _MILLIAMPERES, _LOAD_EXAMPLES)
    most = _quantity("load", peak, _MILLIAMPERES, _LOAD_EXAMPLES) if colon else average
    return Load(name.strip(), average, max(average, most))


def _quantity(what: str, text: str, units: Mapping[str, float], examples: str) -> float:
    found = _QUANTITY.fullmatch(text)
    factor = units.get(found.group(2).lower()) if found else None
    value = float(found.group(1)) * factor if found and factor else 0.0
    if not 0 < value < 1e12:
        raise InputError(
            f"{what} {text!r}", "is no positive number with a unit", f"e.g. {examples}"
        )
    return value


@dataclass(frozen=True, slots=True)
class Supply:
    """What the chip draws, at `volts`: running at `clock_hz`, and asleep; where that is from.

    `estimated` names which of "active" and "sleep" are estimates of the catalogue.
    """

    active_ma: float
    sleep_ua: float
    volts: float
    clock_hz: int
    source: str
    estimated: tuple[str, ...] = ()


def supply_for(
    board: Board, active_ma: float | None = None, sleep_ua: float | None = None
) -> Supply:
    """The board's currents, or the user's own instead of them.

    A current at another clock than the board's is scaled in proportion to the clock.

    Raises:
        InputError: one of them is not known and not given.
    """
    known = board.currents
    active, sleep = active_ma, sleep_ua
    if active is None and known and known.active_ma is not None:
        active = known.active_ma * board.clock_hz / known.clock_hz
    if sleep is None and known:
        sleep = known.sleep_ua
    if active is None or sleep is None:
        raise _unknown_currents(board, active is None, sleep is None)
    return Supply(
        active_ma=active,
        sleep_ua=sleep,
        volts=known.volts if known else _USUAL_VOLTS,
        clock_hz=board.clock_hz,
        source=_source(known, active_ma, sleep_ua),
        estimated=_estimated(known, active_ma, sleep_ua),
    )


def _estimated(
    known: Currents | None, active_ma: float | None, sleep_ua: float | None
) -> tuple[str, ...]:
    """Those that the user did not give."""
    given = {"active": active_ma, "sleep": sleep_ua}
    return tuple(name for name in (known.estimated if known else ()) if given[name] is None)


def _unknown_currents(board: Board, no_active: bool, no_sleep: bool) -> InputError:
    names = [name for name, lacks in (("active", no_active), ("sleep", no_sleep)) if lacks]
    options = {"active": "--active-ma", "sleep": "--sleep-ua"}
    return InputError(
        f"board {board.name}",
        f"its {' and '.join(names)} current{'s are' if len(names) > 1 else ' is'} not known",
        "measure, or look in the data sheet, and pass "
        + " and ".join(options[name] for name in names),
    )


def _source(known: Currents | None, active_ma: float | None, sleep_ua: float | None) -> str:
    given = [
        title for title, value in (("active", active_ma), ("sleep", sleep_ua)) if value is not None
    ]
    parts = [f"{' and '.join(given)} current given by the user"] if given else []
    if len(given) < 2 and known:
        parts.append(known.source)
    return "; ".join(parts)


def battery_life(
    chosen: Battery,
    currents: Supply,
    period_s: float,
    active_s: float,
    loads: tuple[Load, ...] = (),
    active_error_percent: int | None = None,
) -> BatteryLife:
    """How long `chosen` lasts with one inference of `active_s` seconds every `period_s`.

    Raises:
        InputError: an inference takes longer than the period.
    """
    if active_s > period_s:
        raise InputError(
            f"period of {period_s:g} s",
            f"is shorter than one inference, modelled {active_s:g} s",
            "choose a longer period, a faster board or a smaller model",
        )
    error = (active_error_percent or 0) / 100
    step_up = _step_up(chosen, currents)
    drawn = [
        step_up * _average_ma(currents, period_s, min(active_s * factor, period_s), loads)
        for factor in (1 + error, 1.0, 1 - error)
    ]
    low, months, high = (_months(chosen, current) for current in drawn)
    return BatteryLife(
        battery=chosen,
        currents=currents,
        loads=loads,
        period_s=period_s,
        active_s=active_s,
        active_error_percent=active_error_percent,
        inference_mj=currents.active_ma * currents.volts * active_s,
        converter_factor=step_up,
        average_ma=drawn[1],
        peak_ma=step_up * (currents.active_ma + sum(load.peak_ma for load in loads)),
        months=months,
        months_low=low,
        months_high=high,
    )


def _step_up(chosen: Battery, currents: Supply) -> float:
    needs_more = currents.volts >= _FIVE_VOLTS and chosen.volts < currents.volts
    if chosen.volts >= _LEAST_VOLTS and not needs_more:
        return 1.0
    return currents.volts / chosen.volts / _CONVERTER_EFFICIENCY


def life_of(
    measurement: Measurement,
    chosen: Battery,
    currents: Supply,
    period_s: float,
    loads: tuple[Load, ...] = (),
) -> BatteryLife:
    """`battery_life` for a measured model.

    Raises:
        InputError: its clocks are not modelled, or it takes longer than the period.
    """
    if measurement.modelled_ms is None:
        raise InputError(
            f"board {measurement.board}",
            f"the clocks of {measurement.core} are not modelled, so the time is not known",
            "choose a board whose core's clocks are; docs/measuring.md lists them",
        )
    active_s = measurement.modelled_ms / 1e3
    error = measurement.modelled_error_percent
    return battery_life(chosen, currents, period_s, active_s, loads, error)


def _average_ma(
    currents: Supply, period_s: float, active_s: float, loads: tuple[Load, ...]
) -> float:
    share = active_s / period_s
    chip = currents.active_ma * share + currents.sleep_ua / 1000 * (1 - share)
    return chip + sum(load.milliamperes for load in loads)


def _months(chosen: Battery, average_ma: float) -> float:
    return chosen.usable_mah / (average_ma + chosen.self_discharge_ma) / HOURS_A_MONTH
