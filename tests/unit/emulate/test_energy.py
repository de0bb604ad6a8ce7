"""Battery life, against sums done by hand."""

from dataclasses import replace

import pytest

from smidgen.core.errors import InputError, UnknownName
from smidgen.emulate.energy.batteries import BATTERIES, Battery, battery
from smidgen.emulate.energy.life import (
    HOURS_A_MONTH,
    Load,
    Supply,
    battery_life,
    parse_load,
    seconds,
    supply_for,
)
from smidgen.targets.catalogue import Board, Currents, board

CURRENTS = Supply(10.0, 5.0, 3.0, 100_000_000, "test")
CELL = Battery("cell", 3.0, 200.0, 0.0, 15.0, "test")


def test_a_duty_cycle_by_hand():
    life = battery_life(CELL, CURRENTS, period_s=1.0, active_s=0.01)
    average = 10.0 * 0.01 + 0.005 * 0.99
    assert life.average_ma == pytest.approx(average)
    assert life.months == pytest.approx(200 / average / HOURS_A_MONTH)
    assert life.inference_mj == pytest.approx(10.0 * 3.0 * 0.01)


def test_loads_and_self_discharge_shorten_it():
    leaking = Battery("cell", 3.0, 200.0, 10.0, 15.0, "test")
    bare = battery_life(CELL, CURRENTS, 1.0, 0.01).months
    assert battery_life(leaking, CURRENTS, 1.0, 0.01).months < bare
    loaded = battery_life(CELL, CURRENTS, 1.0, 0.01, (Load("radio", 1.0, 1.0),))
    assert loaded.average_ma == pytest.approx(1.0 + 0.10495)


def test_a_battery_that_only_leaks_lasts_by_its_self_discharge():
    idle = Supply(0.0, 0.0, 3.0, 1, "test")
    half_a_year = Battery("cell", 3.0, 100.0, 200.0, 15.0, "test")
    assert battery_life(half_a_year, idle, 1.0, 0.0).months == pytest.approx(6)


def test_the_band_of_the_modelled_time_gives_a_range():
    life = battery_life(CELL, CURRENTS, 1.0, 0.5, active_error_percent=20)
    assert life.months_low < life.months < life.months_high
    exact = battery_life(CELL, CURRENTS, 1.0, 0.5)
    assert exact.months_low == exact.months == exact.months_high


def test_a_low_voltage_needs_a_converter():
    single = Battery("AA", 1.5, 2500.0, 0.0, 15.0, "test")
    life = battery_life(single, CURRENTS, 1.0, 0.01)
    assert life.converter_factor == pytest.approx(3.0 / 1.5 / 0.85)
    assert life.average_ma == pytest.approx(0.10495 * life.converter_factor)


def test_a_board_of_five_volts_needs_a_converter_on_a_lithium_cell():
    board_of_5_volts = replace(CURRENTS, volts=5.0)
    life = battery_life(CELL, board_of_5_volts, 1.0, 0.01)
    assert life.converter_factor == pytest.approx(5.0 / 3.0 / 0.85)
    assert battery_life(replace(CELL, volts=6.0), board_of_5_volts, 1.0, 0.01).converter_factor == 1


def test_an_inference_longer_than_its_period_is_refused():
    with pytest.raises(InputError, match="shorter than one inference"):
        battery_life(CELL, CURRENTS, 1.0, 1.5)


def test_batteries_by_name():
    assert battery("cr2032") is BATTERIES["cr2032"]
    assert battery("LiPo-500mAh").usable_mah == battery("lipo 500").usable_mah == 400
    assert all(each.source and each.usable_mah > 0 for each in BATTERIES.values())
    for wrong in ("CR2033", "lipo-0", "lipo-", "lipo-9999999", ""):
        with pytest.raises(UnknownName, match="battery"):
            battery(wrong)


@pytest.mark.parametrize(
    ("text", "value"), [("1s", 1), ("20 ms", 0.02), ("5min", 300), ("1e3us", 1e-3), ("0.5h", 1800)]
)
def test_periods(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "1", "s", "-1s", "0s", "1 fortnight", "nan s", "1e999s", "1s2"]
)
def test_wrong_periods_are_refused(text):
    with pytest.raises(InputError, match="period"):
        seconds(text)


def test_loads_by_name():
    assert parse_load("sensor=0.4mA") == Load("sensor", pytest.approx(0.4), pytest.approx(0.4))
    assert parse_load("radio = 15 uA") == Load("radio", pytest.approx(0.015), pytest.approx(0.015))
    assert parse_load("radio=15uA:12mA") == Load("radio", pytest.approx(0.015), pytest.approx(12.0))
    for wrong in ("a=1uA:", "a=1uA:x", "sensor", "=1mA", "a=1", "a=1V", "a=-1mA"):
        with pytest.raises(InputError, match="load"):
            parse_load(wrong)


def with_currents(active_ma: float | None, sleep_ua: float | None) -> Board:
    """A board of which only these currents are known."""
    known = Currents(active_ma, sleep_ua, volts=3.3, clock_hz=120_000_000, source="measured")
    nothing = active_ma is None and sleep_ua is None
    return replace(board("nucleo-l4r5zi"), currents=None if nothing else known)


def test_currents_of_the_board_or_of_the_user():
    known = supply_for(board("nrf52840-dk"))
    assert (known.active_ma, known.sleep_ua) == (3.3, 3.16)
    mixed = supply_for(board("nrf52840-dk"), sleep_ua=100.0)
    assert (mixed.active_ma, mixed.sleep_ua) == (3.3, 100.0) and "by the user" in mixed.source
    own = supply_for(with_currents(None, None), 20.0, 0.0)
    assert (own.active_ma, own.sleep_ua) == (20.0, 0.0)


def test_estimates_are_told_from_what_the_user_gives():
    known = Currents(20.0, 3.0, 3.3, 120_000_000, "estimate", estimated=("active", "sleep"))
    derived = replace(board("nucleo-l4r5zi"), currents=known)
    assert supply_for(derived).estimated == ("active", "sleep")
    assert supply_for(derived, active_ma=21.0).estimated == ("sleep",)


@pytest.mark.parametrize(
    ("known", "given", "lacks"),
    [
        ((None, None), (None, None), "active and sleep currents are not known.*--active-ma and"),
        ((None, None), (20.0, None), "its sleep current is not known.*--sleep-ua"),
        ((None, 3.0), (None, None), "its active current is not known.*--active-ma"),
        ((20.0, None), (None, None), "its sleep current is not known.*--sleep-ua"),
    ],
)
def test_what_is_not_known_is_asked_for(known, given, lacks):
    with pytest.raises(InputError, match=lacks):
        supply_for(with_currents(*known), *given)


def test_a_peak_beyond_the_battery_is_known():
    calm = battery_life(CELL, CURRENTS, 1.0, 0.01)
    assert calm.peak_ma == 10.0 and not calm.is_overloaded
    busy = battery_life(CELL, CURRENTS, 1.0, 0.01, (Load("radio", 0.01, 12.0),))
    assert busy.peak_ma == 22.0 and busy.is_overloaded and busy.to_dict()["is_overloaded"]
    assert busy.average_ma == pytest.approx(calm.average_ma + 0.01)


def test_every_battery_gives_more_than_it_leaks():
    for each in BATTERIES.values():
        assert each.most_ma > 1000 * each.self_discharge_ma and each.source
    assert battery("18650").most_ma > battery("CR123A").most_ma > battery("CR2032").most_ma
