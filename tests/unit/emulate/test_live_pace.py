"""How a live device is held back to the speed of its board."""

from __future__ import annotations

from typing import cast

import pytest

from smidgen.emulate.live.clock import Clock, Pace


class World:
    """A board's clock and this computer's."""

    def __init__(self) -> None:
        self.board_us = self.latest_us = self.readings = 0
        self.now_s = 100.0
        self.pace = Pace(cast(Clock, self), lambda: self.now_s)

    def read_us(self) -> int:
        self.readings += 1
        self.latest_us = self.board_us
        return self.board_us

    def run(self, board_us: int, computer_s: float) -> None:
        self.board_us += board_us
        self.now_s += computer_s


@pytest.fixture
def world() -> World:
    return World()


def test_a_device_that_has_not_begun_waits_for_nothing(world: World) -> None:
    world.run(1_000_000, 0.0)
    assert world.pace.ahead_s(is_last=True) == 0.0


def test_what_the_computer_took_itself_is_not_waited_for_again(world: World) -> None:
    world.pace.begin()
    world.run(500_000, 0.125)
    assert world.pace.ahead_s(is_last=True) == pytest.approx(0.375)
    world.run(0, 0.375)
    world.run(250_000, 1.0)
    assert world.pace.ahead_s(is_last=True) == pytest.approx(-0.75)


def test_time_between_two_commands_is_not_made_up_for(world: World) -> None:
    world.pace.begin()
    world.run(1_000, 0.001)
    world.pace.end()
    world.run(0, 60.0)
    world.pace.begin()
    world.run(500_000, 0.0)
    assert world.pace.ahead_s(is_last=True) == pytest.approx(0.5)


def test_work_that_has_begun_does_not_begin_again(world: World) -> None:
    world.pace.begin()
    world.run(500_000, 0.0)
    world.pace.begin()
    assert world.pace.ahead_s(is_last=True) == pytest.approx(0.5)


def test_the_clock_is_not_read_for_each_small_step(world: World) -> None:
    world.pace.begin()
    for _ in range(100):
        world.run(1_000, 0.001)
        assert abs(world.pace.ahead_s(is_last=False)) < 0.03
    assert world.readings < 10
