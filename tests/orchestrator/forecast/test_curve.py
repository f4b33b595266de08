"""Costs between and beyond the widths that were timed follow their FLOPs."""

import pytest

from autoreg.orchestrator.forecast.curve import Known, cost_at, middle


def test_one_known_cost_is_in_proportion() -> None:
    assert cost_at(30, [Known(10, 2)]) == pytest.approx(6)
    assert cost_at(5, [Known(10, 2)]) == 1


def test_between_two_the_line_is_straight() -> None:
    known = [Known(1600, 8), Known(100, 2), Known(1700, 18)]
    assert cost_at(100, known) == 2
    assert cost_at(600, known) == 4
    assert cost_at(1600, known) == 8
    assert cost_at(1650, known) == 13


def test_below_the_first_and_beyond_the_last_the_cost_is_in_proportion() -> None:
    assert cost_at(6400, [Known(100, 2), Known(1600, 8)]) == 32
    assert cost_at(50, [Known(100, 2), Known(1600, 8)]) == 1


def test_what_costs_nothing_and_what_is_not_known() -> None:
    assert cost_at(200, [Known(10, 0)]) == 0
    with pytest.raises(ValueError, match="no cost is known"):
        cost_at(200, [])


def test_the_middle_of_twice_and_half_is_one() -> None:
    assert middle([2, 0.5]) == pytest.approx(1)
