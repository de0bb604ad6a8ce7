"""Batteries by name: what they hold, lose by themselves, and can give at most."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smidgen.core.errors import UnknownName

HOURS_A_YEAR = 365.25 * 24
_LIPO_NAME = re.compile(r"(?:lipo|li-?ion)[-: ]?(\d{1,6})(?:mah)?", re.IGNORECASE)
_LIPO_USABLE, _LIPO_LOSS_A_YEAR = 0.8, 30


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery: what can be taken out of it, in mAh, and what it loses by itself in a year.

    `most_ma` is what it can give for a moment without its voltage falling too far.
    """

    name: str
    volts: float
    usable_mah: float
    self_discharge_percent_a_year: float
    most_ma: float
    source: str

    @property
    def self_discharge_ma(self) -> float:
        """Self-discharge as a current, of the fresh battery."""
        share = self.self_discharge_percent_a_year / 100
        return self.usable_mah * share / HOURS_A_YEAR


_COIN = (
    "data sheets of Energizer and Panasonic (IEC 60086): to 2.0 V at fractions of a mA; their "
    "pulse tests draw 6.8 mA"
)
_CR123A = "Energizer EL123AP data sheet: to 2.0 V; 1.5 A continuously"
_CELL_18650 = "a protected cell rated 2600 mAh, of which 80 % are taken as usable; at most one C"
_ALKALINE = "Energizer E91, E92 data sheets and alkaline handbook: to 0.8 V at 25 mA and below"
_LIPO = "makers' data sheets; 80 % of the rating is taken as usable; at most one C"
_LITHIUM = "Energizer L91, L92 data sheets: to 0.8 V at 25 mA"
_THIONYL = "Saft LS 14500 data sheet: to 2.0 V at 2 mA"
_NIMH = "Panasonic eneloop BK-3MCC data sheet: to 1.0 V; keeps about 85 % in a year"

BATTERIES: Mapping[str, Battery] = MappingProxyType(
    {
        battery.name.lower(): battery
        for battery in (
            Battery("CR1632", 3.0, 130, 1, 6.8, _COIN),
            Battery("CR2016", 3.0, 90, 1, 6.8, _COIN),
            Battery("CR2025", 3.0, 160, 1, 6.8, _COIN),
            Battery("CR2032", 3.0, 220, 1, 6.8, _COIN),
            Battery("CR2450", 3.0, 600, 1, 6.8, _COIN),
            Battery("CR2477", 3.0, 950, 1, 6.8, _COIN),
            Battery("CR123A", 3.0, 1500, 1, 1500, _CR123A),
            Battery("18650", 3.6, 2080, 30, 2600, _CELL_18650),
            Battery("AA", 1.5, 2500, 2, 1000, _ALKALINE),
            Battery("2xAA", 3.0, 2500, 2, 1000, _ALKALINE),
            Battery("AAA", 1.5, 1100, 2, 500, _ALKALINE),
            Battery("2xAAA", 3.0, 1100, 2, 500, _ALKALINE),
            Battery("2xAA-lithium", 3.0, 3000, 0.6, 2500, _LITHIUM),
            Battery("2xAAA-lithium", 3.0, 1200, 0.6, 1500, _LITHIUM),
            Battery("2xAA-NiMH", 2.4, 1900, 15, 2000, _NIMH),
            Battery("AA-LiSOCl2", 3.6, 2600, 1, 250, _THIONYL),
        )
    }
)


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
    usable = rated * _LIPO_USABLE
    return Battery(f"LiPo-{rated}mAh", 3.7, usable, _LIPO_LOSS_A_YEAR, rated, _LIPO)
