"""The boards and cores that smidgen knows, and boards that users bring."""

import pytest

from smidgen.core.errors import InputError, UnknownName
from smidgen.targets.catalogue import board, boards, core, cores, load_board
from smidgen.targets.describe import board_text

OWN_BOARD = """
name = "my-board"
core = "rv32imafc"
clock_hz = 100_000_000

[[flash]]
name = "rom"
address = 0x20000000
bytes = 65_536

[[ram]]
name = "sram"
address = 0x80000000
bytes = 16_384

[currents]
active_ma = 4.5
sleep_ua = 2
volts = 3.0
clock_hz = 100_000_000
source = "measured"
"""

CACHE = "[[cache]]\nbytes = 64\nline_bytes = 16\n"


def test_the_reference_board_has_the_memory_of_its_datasheet():
    found = board("nucleo-l4r5zi")
    assert (found.flash_bytes, found.ram_bytes) == (2 * 1024 * 1024, 640 * 1024)
    assert found.flash[0].address == 0x0800_0000
    assert (found.core.name, found.clock_hz) == ("cortex-m4f", 120_000_000)


@pytest.mark.parametrize(
    ("alias", "name"),
    [("pico", "raspberry-pi-pico"), ("RP2040", "raspberry-pi-pico"), ("esp32c3", "esp32-c3")],
)
def test_aliases_lead_to_the_board(alias, name):
    assert board(alias).name == name


def test_names_and_aliases_are_unique():
    names = [name for each in boards() for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))


def test_every_board_names_its_source():
    assert all(each.source and each.mcu and each.vendor for each in boards())


def test_a_misspelt_board_is_met_with_the_right_one():
    with pytest.raises(UnknownName, match="did you mean nucleo-l4r5zi"):
        board("nucleo-l4r5z")


def test_a_misspelt_core_is_met_with_the_right_one():
    with pytest.raises(UnknownName, match="cortex-m4f"):
        core("cortex-m4")


def test_cores_differ_in_what_they_can_do():
    features = {each.name: each.features for each in cores()}
    assert "dsp" in features["cortex-m4f"] and "dsp" not in features["cortex-m3"]
    assert "fpu" in features["rv32imafc"] and "fpu" not in features["rv32imc"]
    assert "mve" in features["cortex-m55"]
    assert features["rv32imac"] == features["rv32imac-hazard3"]  # they differ in their clocks only


def test_a_user_brings_a_board(tmp_path):
    (tmp_path / "b.toml").write_text(OWN_BOARD)
    found = load_board(tmp_path / "b.toml")
    assert (found.core.name, found.ram_bytes, found.flash[0].end) == (
        "rv32imafc",
        16384,
        0x2001_0000,
    )
    assert found.currents is not None and found.currents.active_ma == 4.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clock_hz = 100_000_000\n\n", "\n", "'clock_hz' is missing"),
        ("clock_hz = 100_000_000\n\n", 'clock_hz = "fast"\n', "must be an integer, not 'fast'"),
        ("bytes = 65_536", "bytes = true", r"'flash\[0\].bytes' must be an integer"),
        ("bytes = 16_384", "bytes = -1", "must be at least"),
        ("0x80000000", "0x20000000", "overlap"),
        ("0x80000000", "0xfffffc00", "32-bit"),
        ('name = "rom"', 'name = "my rom"', "letters"),
        ('name = "rom"', 'name = "sram"', "two regions"),
        ("volts = 3.0", "volts = inf", "finite"),
        ("volts = 3.0", "watts = 3.0", "'currents.watts' is no field"),
        ("[[flash]]", "[flash]", "array of tables"),
        ("[[ram]]", "[[ram", "is not TOML"),
        ("clock_hz = 100_000_000\n\n", 'clock_hz = 1\nunknown = ["colour"]\n\n', "names 'colour'"),
        ("bytes = 16_384", "bytes = 16_384\nprefetch = 1", "must be true or false"),
        ("bytes = 16_384", "bytes = 16_384\nread_bytes = 0", "at least 1"),
        ("[currents]", f"{CACHE}serves = 'all'\n[currents]", "'all'.*known: code, data, both"),
        ("[currents]", f"{CACHE}serves = 'code'\nregions = ['x']\n[currents]", "names .'x'."),
        ("[currents]", f"{CACHE}serves = 'code'\nregions = ['rom']\nways = 3\n[currents]", "whole"),
    ],
)
def test_a_wrong_board_file_is_explained(tmp_path, old, new, message):
    assert old in OWN_BOARD
    (tmp_path / "b.toml").write_text(OWN_BOARD.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        load_board(tmp_path / "b.toml")
    assert "b.toml" in str(caught.value)


def test_a_board_with_an_unknown_core_is_refused(tmp_path):
    (tmp_path / "b.toml").write_text(OWN_BOARD.replace("rv32imafc", "rv32imafd"))
    with pytest.raises(InputError, match=r"b\.toml.*rv32imafc"):
        load_board(tmp_path / "b.toml")


def test_a_board_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_board(tmp_path / "none.toml")


OWN_CYCLES = '[cycles]\nmodel = "esp32-c6"\nerror_percent = 12\nsource = "measured"\n'


def test_a_board_may_have_clocks_of_its_own(tmp_path):
    (tmp_path / "b.toml").write_text(OWN_BOARD + OWN_CYCLES)
    found, common = load_board(tmp_path / "b.toml"), core("rv32imafc")
    assert (found.core.name, found.core.features) == (common.name, common.features)
    assert (found.core.cycle_model, found.core.cycle_error_percent) == ("esp32-c6", 12)
    assert "as esp32-c6" in board_text(found) and found.cycles_source == "measured"
    assert common.cycle_model == "rv32"


def test_clocks_of_its_own_need_a_band_and_a_source(tmp_path):
    for line in OWN_CYCLES.splitlines()[1:]:
        (tmp_path / "b.toml").write_text(OWN_BOARD + OWN_CYCLES.replace(line, ""))
        with pytest.raises(InputError, match=rf"b\.toml.*{line.split()[0]}"):
            load_board(tmp_path / "b.toml")
