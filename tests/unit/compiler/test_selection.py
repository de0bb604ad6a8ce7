"""The selection of offers against trying all of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from smidgen.compiler.selection import Offer, flash_of, pick, pick_within, price, time_of
from smidgen.core.errors import DoesNotFit

SHARED = (
    Offer(100, 500),
    Offer(110, 20, {"f": 300}),
)


def drawn(seed: int) -> list[list[Offer]]:
    """Five layers with own copies, and offers that run some of three functions."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(100, 900)) for name in "fgh"}
    menus = []
    for _ in range(5):
        menu = [Offer(int(rng.integers(50, 200)), int(rng.integers(200, 900)))]
        for name in "fgh":
            time, flash = int(rng.integers(60, 300)), int(rng.integers(10, 100))
            menu.append(Offer(time, flash, {name: sizes[name]}))
        menus.append(menu)
    return menus


def best(menus: list[list[Offer]], rate: float) -> float:
    every = product(*(range(len(menu)) for menu in menus))
    return min(price(menus, picks, rate)[0] for picks in every)


def test_one_layer_keeps_its_own_copy_and_many_share() -> None:
    assert pick([SHARED], 1.0) == [0] or price([SHARED], pick([SHARED], 1.0), 1.0)[0] <= 430
    assert pick([SHARED] * 5, 1.0) == [1] * 5
    assert pick([SHARED] * 5, 0.0) == [0] * 5


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2, 1.0, 50.0])
def test_the_price_is_nearly_always_the_lowest(rate: float) -> None:
    ratios = []
    for seed in range(60):
        menus = drawn(seed)
        ratios.append(price(menus, pick(menus, rate), rate)[0] / best(menus, rate))
    assert max(ratios) < 1.1
    assert sum(ratio < 1.000001 for ratio in ratios) >= 54


@pytest.mark.parametrize("seed", range(20))
def test_more_flash_never_costs_time_by_much_and_is_never_exceeded(seed: int) -> None:
    menus = drawn(seed)
    least = int(flash_of(menus, pick(menus, 1e9)))
    times = []
    for budget in range(least, least + 2500, 250):
        picks = pick_within(menus, budget)
        assert flash_of(menus, picks) <= budget
        within = [
            time_of(menus, each)
            for each in product(*(range(len(menu)) for menu in menus))
            if flash_of(menus, each) <= budget
        ]
        times.append(time_of(menus, picks) / min(within))
    assert max(times) < 1.5
    assert np.mean(times) < 1.08


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(DoesNotFit, match="at least"):
        pick_within([SHARED], 300)
