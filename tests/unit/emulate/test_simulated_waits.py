"""Which calls on QEMU are simulated, and what is taken for the others."""

from dataclasses import replace

import pytest

from smidgen.core.errors import EmulationError
from smidgen.emulate.qemu.blocks import BlockTable
from smidgen.emulate.qemu.waits import SimulatedWaits
from smidgen.emulate.timing.blocks import Block

BLOCK = Block(region=1, address=0x100, bytes=8, instructions=3, executions=10, taken=2)
WAITED = replace(BLOCK, executions=0, taken=0, simulated=5, waits=20)


def test_the_first_calls_of_each_function_are_simulated():
    waits = SimulatedWaits(2)
    wanted = [waits.wants(name) for name in ("f", "f", "f", "g", "g", "g")]
    assert wanted == [True, True, False, True, True, False]


def test_no_calls_are_simulated_where_none_are_wanted():
    waits = SimulatedWaits(0)
    waits.ran("f", [BLOCK])
    assert not waits.are_simulated
    assert not waits.wants("f")


def test_other_calls_are_taken_to_wait_like_the_latest():
    waits = SimulatedWaits(1)
    waits.learn([replace(WAITED, waits=99)])
    waits.learn([WAITED])
    assert waits.added_to(BLOCK).modelled_waits == 10 * 20 / 5
    elsewhere = replace(BLOCK, region=2)
    assert waits.added_to(elsewhere) == elsewhere


def test_new_code_is_simulated_once_more_but_not_a_part_of_known_code():
    waits = SimulatedWaits(1)
    assert waits.wants("f")
    waits.learn([WAITED])
    waits.ran("f", [BLOCK, replace(BLOCK, address=0x104, bytes=4)])
    assert not waits.wants("f")
    waits.ran("f", [replace(BLOCK, address=0x108)])
    assert [waits.wants("f"), waits.wants("f")] == [True, False]


def test_other_regions_are_simulated_anew():
    waits = SimulatedWaits(1)
    waits.learn([WAITED])
    waits.forget()
    assert waits.added_to(BLOCK) == BLOCK


def test_a_table_that_is_full_is_told(tmp_path):
    table = BlockTable()
    table.install(tmp_path)
    assert table.take().blocks == ()
    table._table.count = table._table.capacity
    with pytest.raises(EmulationError, match="more than 131,072 blocks"):
        table.take()
