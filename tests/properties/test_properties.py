"""A few hundred random networks: reference = Micro, generated C = reference, boards too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from properties.generate import Network, draw
from properties.judge import Verdict, judge
from properties.run import BOARDS
from properties.shrink import shrunk
from smidgen.frontends.tflite.conversion import CONVERTERS

SEED, ON_HOST, ON_BOARDS = 2, 300, 30
OBJECTIVES = ("balanced", "size", "speed")


def check(verdicts: Sequence[Verdict]) -> None:
    wrong = [
        f"{v.network.name} {v.network.operators}: {v.failure or v.refused}"
        for v in verdicts
        if v.failure or v.refused
    ]
    assert not wrong, "\n".join(wrong) + "\n(run.py --only makes it smaller)"


@pytest.mark.parametrize("place", range(len(OBJECTIVES)), ids=OBJECTIVES)
def test_networks_agree_on_this_computer(place: int) -> None:
    numbers = range(place, ON_HOST, len(OBJECTIVES))
    verdicts = judge([draw(SEED, number) for number in numbers], OBJECTIVES[place])
    check(verdicts)
    judged = [v for v in verdicts if not v.unjudged and not v.network.beyond_micro]
    # If Micro refused what is drawn, the test would say nothing.
    assert len(judged) > 0.85 * len(verdicts)


@pytest.mark.parametrize("board", BOARDS)
def test_networks_agree_on_emulated_boards(board: str) -> None:
    networks = [draw(SEED, 1000 + number) for number in range(ON_BOARDS)]
    check(judge(networks, boards=[board], micro=False, host=False))


# Taken where they follow from constants: see tests/unit/frontends/test_tflite_settled.py.
SETTLED = {"RANGE", "RANK", "REDUCE_PROD", "WHERE"}


def test_every_operator_is_drawn() -> None:
    drawn = {name for number in range(7000) for name in draw(SEED, number).operators}
    assert drawn == set(CONVERTERS) - SETTLED


def test_a_network_is_the_same_every_time() -> None:
    first, again = draw(SEED, 5), draw(SEED, 5)
    assert first.data == again.data
    assert all((a == b).all() for a, b in zip(first.runs[0], again.runs[0], strict=True))


def test_a_wrong_operator_is_found_and_cut_out() -> None:
    """Were SOFTMAX wrong, what is left of a failing network would be a single SOFTMAX."""
    drawn = (draw(SEED, number) for number in range(1000))
    network = next(n for n in drawn if len(n.operators) > 3 and "SOFTMAX" in n.operators)

    def fails(candidate: Network) -> bool:
        return "SOFTMAX" in candidate.operators

    assert shrunk(network, fails).operators == ("SOFTMAX",)
