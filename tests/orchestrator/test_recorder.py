"""What a sweep writes down: trials that are given up, and where one stood whose time was over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.database.writer import Writer
from autoreg.orchestrator.failure import Failure, Kind
from autoreg.orchestrator.jobs import Place
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.recorder import Recorder
from autoreg.runs.folder import Runs

DIED = Failure(Kind.MEMORY, "The actor died unexpectedly")


@pytest.fixture
def place(runs: Runs, tmp_path: Path) -> Place:
    return Place(runs.root, None, tmp_path / "scratch")


@pytest.fixture
def recorder(small: Callable[..., LoadedSweep], runs: Runs, place: Place) -> Recorder:
    plan = make_plan(small("tune=null", "resources.time_limit_hours=0.5"))
    return Recorder(plan, Writer(runs.root.parent / "results.db", runs), place)


def test_a_process_that_left_its_stacks_was_stopped_since_its_time_was_over(recorder: Recorder, place: Place) -> None:
    trace = place.trace("0123456789abcdef-r0")
    assert recorder.failure(trace.name, DIED) == DIED
    trace.parent.mkdir(parents=True)
    trace.touch()
    assert recorder.failure(trace.name, DIED) == DIED, "it ended in time"
    trace.write_text("File net.py, line 3")
    failure = recorder.failure(trace.name, DIED)
    assert failure.kind is Kind.TIME
    assert failure.why == "it was stopped after 0.5 h, which is resources.time_limit_hours"
    assert failure.details == "File net.py, line 3"


def test_a_trial_that_is_given_up_has_a_result_that_says_why(
    recorder: Recorder, runs: Runs, small: Callable[..., LoadedSweep]
) -> None:
    config = make_plan(small("tune=null")).groups[0][0].template
    result = recorder.give_up(config, Failure(Kind.TIME, "too long", "File net.py, line 3"))
    assert (result.status, result.error) == ("failed", "too long\nFile net.py, line 3")
    assert runs.trial(config.trial_id).read_result() == result
    assert runs.trial(config.trial_id).read_config() == config


def test_rows_that_cannot_be_written_wait_and_that_is_said_once(recorder: Recorder) -> None:
    recorder.writer.path.mkdir(parents=True)
    assert "is not a file" in (recorder.commit_if_possible([]) or "")
    assert recorder.commit_if_possible([]) is None
    recorder.writer.path.rmdir()
    assert recorder.commit_if_possible([]) is None
    assert recorder.writer.path.is_file()
