"""The end of a sweep: trials start when they may and when there is room."""

import pytest

from autoreg.orchestrator.forecast.timetable import Job, makespan

HALF = 0.5


def test_nothing_takes_no_time() -> None:
    assert makespan([]) == 0
    assert makespan([Job(1.0)]) == 0


@pytest.mark.parametrize(
    ("share", "seconds"),
    [(1.0, 6 * 10), (HALF, 3 * 10), (1 / 3, 2 * 10), (1 / 4, 2 * 10), (0.1, 10), (0.7, 6 * 10)],
)
def test_as_many_final_trials_run_at_once_as_there_is_room_for(share: float, seconds: float) -> None:
    assert makespan([Job(share, finals=[[10]] * 6)]) == seconds


def test_the_first_round_of_a_search_runs_at_once_and_the_rest_one_by_one() -> None:
    # 4 at once on 2 lanes: 20; then 3 one after another: 30; then 2 final trials at once: 5.
    assert makespan([Job(HALF, tuning=[10] * 7, at_once=4, finals=[[5], [5]])]) == 20 + 30 + 5


def test_another_group_fills_the_lane_that_a_search_leaves() -> None:
    searching = Job(HALF, tuning=[10] * 3, at_once=1)
    assert makespan([searching, Job(HALF, finals=[[10]] * 3)]) == 30
    assert makespan([searching, Job(HALF, finals=[[10]] * 4)]) == 40


def test_a_longer_trial_waits_for_the_shorter_one_that_it_goes_on_from() -> None:
    assert makespan([Job(0.25, finals=[[10, 2, 3], [4]])]) == 15


def test_a_large_trial_waits_for_room_and_keeps_no_small_one_from_it() -> None:
    assert makespan([Job(HALF, finals=[[10]]), Job(1.0, finals=[[5]]), Job(HALF, finals=[[10]])]) == 15


def test_ten_thousand_trials_take_a_moment() -> None:
    jobs = [Job(1 / 8, tuning=[1] * 10, at_once=4, finals=[[3]] * 3) for _ in range(770)]
    assert makespan(jobs) == pytest.approx(770 * 19 / 8, rel=0.02)
