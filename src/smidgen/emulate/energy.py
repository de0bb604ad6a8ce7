"""Energy for one inference, and how long a battery lasts: a duty cycle of two currents.

    average = (active * t + sleep * (T - t)) / T + loads + self-discharge

with t the modelled time of one inference, T the period, and all currents taken at the battery's
voltage: a chip behind a linear regulator, or none, draws the same current from the battery. A
battery of less than 1.8 V needs a step-up converter, which draws more by the ratio of the voltages
and loses 15 %. The time is modelled; currents and capacities are typical values of data sheets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from smidgen.core.errors import InputError, UnknownName
from smidgen.emulate.measure import Measurement
from smidgen.targets.catalogue import Board, Currents

HOURS_A_MONTH = 365.25 * 24 / 12
_HOURS_A_YEAR = 365.25 * 24


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery: what can be taken out of it, in mAh, and what it loses by itself in a year."""

    name: str
    volts: float
    usable_mah: float
    self_discharge_percent_a_year: float
    source: str

    @property
    def self_discharge_ma(self) -> float:
        """Self-discharge as a current, of the fresh battery."""
        share = self.self_discharge_percent_a_year / 100
        return self.usable_mah * share / _HOURS_A_YEAR


_COIN = "data sheets of Energizer and Panasonic (IEC 60086): to 2.0 V at fractions of a mA"
_ALKALINE = "Energizer E91, E92 data sheets and alkaline handbook: to 0.8 V at 25 mA and below"
_LIPO = "makers' data sheets; 80 % of the rating is taken as usable"
_LITHIUM = "Energizer L91, L92 data sheets: to 0.8 V at 25 mA"
_THIONYL = "Saft LS 14500 data sheet: to 2.0 V at 2 mA"
_NIMH = "Panasonic eneloop BK-3MCC data sheet: to 1.0 V; keeps about 85 % in a year"

BATTERIES: Mapping[str, Battery] = MappingProxyType(
    {
        battery.name.lower(): battery
        for battery in (
            Battery("CR1632", 3.0, 130, 1, _COIN),
            Battery("CR2016", 3.0, 90, 1, _COIN),
            Battery("CR2025", 3.0, 160, 1, _COIN),
            Battery("CR2032", 3.0, 220, 1, _COIN),
            Battery("CR2450", 3.0, 600, 1, _COIN),
            Battery("CR2477", 3.0, 950, 1, _COIN),
            Battery("AA", 1.5, 2500, 2, _ALKALINE),
            Battery("2xAA", 3.0, 2500, 2, _ALKALINE),
            Battery("AAA", 1.5, 1100, 2, _ALKALINE),
            Battery("2xAAA", 3.0, 1100, 2, _ALKALINE),
            Battery("2xAA-lithium", 3.0, 3000, 0.6, _LITHIUM),
            Battery("2xAAA-lithium", 3.0, 1200, 0.6, _LITHIUM),
            Battery("2xAA-NiMH", 2.4, 1900, 15, _NIMH),
            Battery("AA-LiSOCl2", 3.6, 2600, 1, _THIONYL),
        )
    }
)
_LIPO_NAME = re.compile(r"(?:lipo|li-?ion)[-: ]?(\d{1,6})(?:mah)?", re.IGNORECASE)
_LEAST_VOLTS, _CONVERTER_EFFICIENCY = 1.8, 0.85
_LIPO_USABLE, _LIPO_LOSS_A_YEAR = 0.8, 30
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-zµ]+)\s*", re.IGNORECASE)
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_MILLIAMPERES = {"na": 1e-6, "ua": 1e-3, "µa": 1e-3, "ma": 1.0, "a": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    """A further current that flows all the time, on average: a sensor, a radio."""

    name: str
    milliamperes: float


@dataclass(frozen=True, slots=True)
class BatteryLife:
    """What a battery is good for, and all that was assumed.

    `battery` lasts `months`. `inference_mj` is the energy of the running chip for one inference,
    at `currents.volts`; `converter_factor` is what a step-up converter multiplies currents by (1:
    there is none); `average_ma` is drawn from the battery. `months_low` and `months_high` follow
    from the error of the modelled time.
    """

    battery: Battery
    currents: Currents
    loads: tuple[Load, ...]
    period_s: float
    active_s: float
    active_error_percent: int | None
    inference_mj: float
    converter_factor: float
    average_ma: float
    months: float
    months_low: float
    months_high: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def battery(name: str) -> Battery:
    """The battery called `name`: one of `BATTERIES`, or "LiPo-500mAh" with any capacity.

    Raises UnknownName.
    """
    if name.lower() in BATTERIES:
        return BATTERIES[name.lower()]
    lipo = _LIPO_NAME.fullmatch(name.strip())
    if not lipo or not int(lipo.group(1)):
        known = [*(each.name for each in BATTERIES.values()), "LiPo-500mAh (any capacity)"]
        raise UnknownName("battery", name, known)
    rated = int(lipo.group(1))
    return Battery(f"LiPo-{rated}mAh", 3.7, rated * _LIPO_USABLE, _LIPO_LOSS_A_YEAR, _LIPO)


def seconds(text: str) -> float:
    """A time such as "1s", "20ms" or "5min"; raises InputError."""
    return _quantity("period", text, _SECONDS, "1s, 20ms, 5min")


def parse_load(text: str) -> Load:
    """A load such as "sensor=0.4mA"; raises InputError."""
    name, equals, current = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"load {text!r}", "is not NAME=CURRENT", "write it as sensor=0.4mA")
    return Load(name.strip(), _quantity("load", current, _MILLIAMPERES, "0.4mA, 15uA"))


def _quantity(what: str, text: str, units: Mapping[str, float], examples: str) -> float:
    found = _QUANTITY.fullmatch(text)
    factor = units.get(found.group(2).lower()) if found else None
    value = float(found.group(1)) * factor if found and factor else 0.0
    if not 0 < value < 1e12:
        raise InputError(
            f"{what} {text!r}", "is no positive number with a unit", f"e.g. {examples}"
        )
    return value


def currents_for(
    board: Board, active_ma: float | None = None, sleep_ua: float | None = None
) -> Currents:
    """The board's currents, or the user's own instead of them.

    A current at another clock than the board's is scaled in proportion to the clock.

    Raises:
        InputError: one of them is not known and not given.
    """
    known = board.currents
    if (active_ma is None or sleep_ua is None) and known is None:
        raise InputError(
            f"board {board.name}",
            "its currents are not in the catalogue",
            "measure them, or take them from the data sheet, and pass --active-ma and --sleep-ua",
        )
    scale = board.clock_hz / known.clock_hz if known else 1.0
    return Currents(
        active_ma=known.active_ma * scale if active_ma is None and known else active_ma or 0.0,
        sleep_ua=known.sleep_ua if sleep_ua is None and known else sleep_ua or 0.0,
        volts=known.volts if known else 3.0,
        clock_hz=board.clock_hz,
        source=_source(known, active_ma, sleep_ua),
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
    currents: Currents,
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
        months=months,
        months_low=low,
        months_high=high,
    )


def _step_up(chosen: Battery, currents: Currents) -> float:
    if chosen.volts >= _LEAST_VOLTS:
        return 1.0
    return currents.volts / chosen.volts / _CONVERTER_EFFICIENCY


def life_of(
    measurement: Measurement,
    chosen: Battery,
    currents: Currents,
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
    currents: Currents, period_s: float, active_s: float, loads: tuple[Load, ...]
) -> float:
    share = active_s / period_s
    chip = currents.active_ma * share + currents.sleep_ua / 1000 * (1 - share)
    return chip + sum(load.milliamperes for load in loads)


def _months(chosen: Battery, average_ma: float) -> float:
    return chosen.usable_mah / (average_ma + chosen.self_discharge_ma) / HOURS_A_MONTH
