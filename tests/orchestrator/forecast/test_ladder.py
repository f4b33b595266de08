"""A ladder ends where the next rung would take too long, and a few rungs tell what all examples take."""

import pytest

from autoreg.orchestrator.forecast.ladder import Rung, climb, extrapolate


def test_what_is_cheap_is_timed_whole_and_each_rung_twice() -> None:
    asked: list[int] = []

    def run(examples: int) -> float:
        asked.append(examples)
        return 0.001 * examples / len(asked)

    rungs = climb(run, batch=10, whole=95, limit=100)
    assert asked == [1, 1, 4, 4, 10, 10, 40, 40, 95, 95]
    assert [rung.examples for rung in rungs] == [1, 4, 10, 40, 95]
    assert rungs[0].seconds == 0.0005, "the shorter of both"


def test_the_next_rung_would_take_longer_than_the_limit() -> None:
    assert climb(lambda examples: examples * 1.0, batch=100, whole=1000, limit=16) == [(1, 1), (4, 4), (16, 16)]
    assert climb(lambda examples: examples * 1.0, batch=100, whole=1000, limit=1) == [(1, 1)]


def test_a_few_examples_are_timed_even_if_they_take_longer() -> None:
    for patience, last in ((0.5, 8), (10, 8), (32, 32), (1000, 32)):
        rungs = climb(lambda examples: examples * 1.0, batch=100, whole=1000, limit=1, patience=patience)
        assert (rungs[0].examples, rungs[-1].examples) == (2, last)


def test_whole_batches_are_in_proportion() -> None:
    assert extrapolate([Rung(1, 5), Rung(8, 6), Rung(16, 10)], batch=8, whole=80) == 50
    assert extrapolate([Rung(1, 5), Rung(3, 6)], batch=8, whole=3) == 6


def test_parts_of_a_batch_tell_what_a_batch_and_what_an_example_adds() -> None:
    # A batch costs 2 and each example 0.5: 13 batches with 100 examples.
    assert extrapolate([Rung(1, 2.5), Rung(4, 4.0)], batch=8, whole=100) == pytest.approx(13 * 2 + 100 * 0.5)
    assert extrapolate([Rung(1, 2.5)], batch=8, whole=100) == 250
    assert extrapolate([Rung(1, 3.0), Rung(4, 2.0)], batch=8, whole=100) == 13 * 2, "noise makes no negative cost"
