"""The catalogue as a whole: what is promised of every board in it."""

import pytest

from smidgen.core.errors import InputError
from smidgen.targets.catalogue import (
    ACTIVE_CURRENT,
    FLASH_WAITS,
    SLEEP_CURRENT,
    board,
    boards,
    cores,
    load_board,
)

DERIVED = ("recalled", "sibling", "same die")
SEARCHED = ("STMicroelectronics", "NXP", "PJRC", "Silicon Labs")


def test_there_are_many_boards_and_most_are_emulated():
    assert len(boards()) >= 60
    assert sum(each.core.is_emulated for each in boards()) >= 60


def test_every_core_says_how_it_is_run_or_why_not():
    for core in cores():
        assert core.emulator in ("unicorn", "qemu", "qemu-user", "simavr", "none")
        assert bool(core.not_emulated) == (not core.is_emulated), core.name
        assert core.zig_target or core.gnu_compilers, core.name


def test_every_modelled_core_states_an_error_band():
    for core in cores():
        assert (core.cycle_error_percent is not None) == bool(core.cycle_model), core.name


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_a_board_is_plausible(each):
    assert each.ram and 1_000_000 <= each.clock_hz <= 3_000_000_000
    assert each.flash or each.core.system == "linux"
    if each.currents:
        assert 0.1 < (each.currents.active_ma or 1) < 1000
        # What runs Linux idles, and the K210 has no sleep that keeps its memory.
        sleeps = not each.core.system and each.name != "sipeed-maix-bit"
        assert 0 < (each.currents.sleep_ua or 1) < (5000 if sleeps else 1_000_000)
        assert 1.7 <= each.currents.volts <= 5 and each.currents.source
        assert each.currents.clock_hz <= each.clock_hz


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_every_fact_is_there_or_said_to_be_unknown(each):
    assert each.aliases and each.vendor and each.mcu and each.package and each.source
    known = each.currents
    assert (known is None or known.active_ma is None) == (ACTIVE_CURRENT in each.unknown)
    assert (known is None or known.sleep_ua is None) == (SLEEP_CURRENT in each.unknown)
    for region in (*each.flash, *each.ram):
        assert region.source or not region.wait_states, region.name
    for cache in each.caches:
        assert cache.source and cache.sets >= 1
    if FLASH_WAITS in each.unknown:
        assert not any(region.wait_states for region in each.flash)


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_what_was_only_recalled_or_derived_says_so(each):
    currents = each.currents.source if each.currents else ""
    sources = [part.source for part in (each, *each.flash, *each.ram, *each.caches)]
    for source in (currents, *sources):
        assert "recalled" not in source or "not looked up" in source
    assert "estimate" in currents or not any(word in currents for word in DERIVED)
    assert ("estimate" in currents) == bool(each.currents and each.currents.estimated)


def test_chips_of_these_vendors_have_currents_and_wait_states():
    lacking = {each.name for each in boards() if each.vendor in SEARCHED and each.unknown}
    assert lacking == {"stm32n6570-dk"}  # its process has no sibling to judge it by


def test_slow_flash_has_a_cache_or_a_buffer_or_neither_on_purpose():
    bare = [
        each.name
        for each in boards()
        if each.flash and each.flash[0].wait_states and not each.caches
    ]
    assert set(bare) == {"ch32v003", "nucleo-f091rc", "nucleo-f103rb", "bluepill", "nucleo-g071rb"}


def test_the_cache_of_the_samd21_is_direct_mapped():
    (cache,) = board("samd21").caches
    assert (cache.sets, cache.ways_in_set, cache.bytes) == (8, 1, 64)
    assert not board("samd21").flash[0].prefetch


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("arduino-uno-r3", "avr"), ("portenta", "cortex-m7f"), ("uno-r4", "cortex-m4f"),
        ("pi-zero", "arm1176"), ("pi-4", "cortex-a72"), ("pi-5", "cortex-a76"),
        ("esp32", "xtensa-lx6"), ("esp32-s3", "xtensa-lx7"), ("esp32-c6", "rv32imac"),
        ("esp32-p4", "rv32imafc"), ("samd21", "cortex-m0plus"), ("samd51", "cortex-m4f"),
        ("apollo4", "cortex-m4f"), ("xg24", "cortex-m33f"), ("ch32v003", "rv32ec"),
        ("ch32v307", "rv32imafc"), ("k210", "rv64imafdc"), ("ra8d1", "cortex-m85"),
        ("max78000", "cortex-m4f"), ("microbit-v1", "cortex-m0"), ("artemis", "cortex-m4f"),
        ("wio-terminal", "cortex-m4f"), ("xiao-samd21", "cortex-m0plus"),
        ("rt1060", "cortex-m7f"), ("stm32n6", "cortex-m55"),
        ("nucleo-f091rc", "cortex-m0"), ("lpc55s69", "cortex-m33f"),
    ],
)  # fmt: skip
def test_boards_have_their_core(name, core):
    assert board(name).core.name == core


def test_a_path_that_ends_in_toml_is_a_board_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\ncore = "cortex-m3"\nclock_hz = 1_000_000\n'
        '[[flash]]\nname = "f"\naddress = 0\nbytes = 1024\n'
        '[[ram]]\nname = "r"\naddress = 0x20000000\nbytes = 1024\n'
    )
    assert board(str(path)) == load_board(path)
    with pytest.raises(InputError, match=r"none\.toml"):
        board(str(tmp_path / "none.toml"))


def test_only_what_runs_linux_may_leave_out_its_flash(tmp_path):
    path = tmp_path / "b.toml"
    text = (
        'name = "b"\ncore = "{}"\nclock_hz = 1_000_000\n'
        '[[ram]]\nname = "r"\naddress = 0\nbytes = 1024\n'
    )
    path.write_text(text.format("cortex-a53"))
    assert load_board(path).flash == ()
    path.write_text(text.format("cortex-m3"))
    with pytest.raises(InputError, match="'flash' is missing"):
        load_board(path)
