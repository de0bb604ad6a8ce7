"""A battery's life as text, with everything that was assumed."""

from __future__ import annotations

from smidgen.emulate.energy.life import BatteryLife, Load, Supply
from smidgen.emulate.measure import Measurement

_MONTHS_A_YEAR = 12
_DAYS_A_MONTH = 365.25 / 12
_SHELF_YEARS = 10


def life_text(measurement: Measurement, life: BatteryLife) -> str:
    """What lasts how long, then the assumptions, one a line."""
    m, cell, currents = measurement, life.battery, life.currents
    band = f", +-{life.active_error_percent} %" if life.active_error_percent else ""
    loads = [f"  load              {_load(each)}" for each in life.loads]
    return "\n".join(
        [
            f"{m.model} on {m.board}, once every {life.period_s:g} s, from {cell.name}: "
            f"{_span(life.months)}{_range(life)}",
            f"average current     {life.average_ma:.4g} mA, at most {life.peak_ma:.4g} mA",
            *_doubt(currents),
            *_overload(life),
            f"energy              {life.inference_mj:.4g} mJ per inference (modelled time x active "
            "power)",
            "assumed",
            f"  inference         modelled {life.active_s * 1e3:.3f} ms ({m.modelled_cycles:,} "
            f"modelled cycles at {m.clock_hz / 1e6:g} MHz{band})",
            f"  active current    {_about(currents, 'active')}{currents.active_ma:g} mA at "
            f"{currents.clock_hz / 1e6:g} MHz, {currents.volts:g} V; "
            f"{life.active_s / life.period_s:.3%} of the time",
            f"  sleep current     {_about(currents, 'sleep')}{currents.sleep_ua:g} uA with RAM "
            "retained, the rest of the time",
            f"  source            {currents.source}",
            *loads,
            *_converter(life),
            f"  battery           {cell.usable_mah:g} mAh usable at {cell.volts:g} V, loses "
            f"{cell.self_discharge_percent_a_year:g} % a year by itself",
            f"  source            {cell.source}",
            "  not counted       waking up, start-up, regulators and other parts of the board, "
            "sampling the input",
            "  temperature       20 to 25 degrees Celsius; typical chips, a fresh battery",
        ]
    )


def _about(currents: Supply, which: str) -> str:
    return "about " if which in currents.estimated else ""


def _doubt(currents: Supply) -> list[str]:
    if not currents.estimated:
        return []
    names = " and ".join(currents.estimated)
    return [
        f"estimate            of the {names} current, which may be off by a factor of two: measure "
        "it, or give the data sheet's"
    ]


def _load(load: Load) -> str:
    peak = f", at most {load.peak_ma:g} mA" if load.peak_ma > load.milliamperes else ""
    return f"{load.name}: {load.milliamperes:g} mA{peak}"


def _overload(life: BatteryLife) -> list[str]:
    if not life.is_overloaded:
        return []
    return [
        f"WARNING             the peak of {life.peak_ma:.3g} mA is more than the "
        f"{life.battery.most_ma:g} mA that a {life.battery.name} is tested for: its voltage may "
        "fall too far, and it holds less; put a capacitor beside it, or take a larger battery"
    ]


def _converter(life: BatteryLife) -> list[str]:
    if life.converter_factor == 1:
        return []
    return [
        f"  converter         {life.battery.volts:g} V do not run a chip at "
        f"{life.currents.volts:g} V: all currents x {life.converter_factor:.2f}, for a step-up "
        "converter of 85 %"
    ]


def _span(months: float) -> str:
    if months > _SHELF_YEARS * _MONTHS_A_YEAR:
        return f"{months:,.0f} months, beyond the battery's own shelf life of about ten years"
    if months >= 1:
        return f"{months:.1f} months"
    days = months * _DAYS_A_MONTH
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"


def _range(life: BatteryLife) -> str:
    if not life.active_error_percent or life.months > _SHELF_YEARS * _MONTHS_A_YEAR:
        return ""
    low, high = _span(life.months_low), _span(life.months_high)
    return f" ({low} to {high} as the modelled time errs)" if low != high else ""
