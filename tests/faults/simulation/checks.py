"""What must hold of a sweep, whatever befell it."""

from autoreg.orchestrator.recorder import Summary
from autoreg.orchestrator.runner import SweepRunner
from tests.faults.simulation.rows import Rows, row_of
from tests.faults.simulation.world import World

#: How long a sweep may take to end after the first Ctrl-C, if no process hangs.
SECONDS_TO_STOP = 20.0


def check_stop(world: World) -> None:
    """Look whether a sweep that was asked to stop has done so soon."""
    if world.asked_to_stop_at is not None and not world.hangs:
        seconds = world.now - world.asked_to_stop_at
        assert seconds <= SECONDS_TO_STOP, f"it ended {seconds:.1f} s after Ctrl-C"


def check_run(world: World, rows: Rows, runner: SweepRunner, summary: Summary, losses: int) -> None:
    """Look at what must hold whenever a run of a sweep has come to its end, with its backend lost so often."""
    driver = runner.driver
    errors = [line for line in runner._errors if not line.startswith("stopped, since ")]
    assert not errors, f"an error of ours: {errors}"
    is_cut_short = summary.interrupted or driver.is_blocked or bool(runner._errors)
    planned = {config.trial_id: config for _, config in driver.schedule.planned()}
    # Unless a full disk kept a trial from being given up, which the next run finds untrained.
    assert driver.is_blocked or not driver.schedule.in_flight, f"still in flight: {list(driver.schedule.in_flight)}"
    assert not driver.running.names, f"still running: {driver.running.names}"
    counts = driver.counts
    known = [trial_id for trial_id in planned if trial_id in driver.endings]
    assert summary.trained + summary.skipped == len(known), "counts do not add up"
    assert counts.done + counts.failed + counts.skipped == len(known), "counts do not add up"
    assert not driver.measuring.running or is_cut_short
    assert summary.unwritten == 0, f"{summary.unwritten} rows are not written"
    for trial_id in known:
        folder = runner.runs.trial(trial_id)
        if folder.is_trained:  # else it was found damaged since, by an orphan
            assert rows.of(trial_id) == row_of(folder), f"rows of {trial_id} are not as the run folder is"
    for trial_id in planned:  # those of second sweeps, and of processes that outlived a driver, are not this one's
        tries = world.tries[trial_id, driver.place.scratch]
        assert tries <= 3 + losses + world.discarded[trial_id], f"{trial_id} was tried {tries} times"
    if not is_cut_short:
        assert not driver.has_work, "it ended with work left"
        lost = [trial_id for trial_id in planned if trial_id not in driver.endings]
        assert not lost, f"lost: {lost}"
        for trial_id in known:
            status = driver.endings._endings[trial_id].status
            told = f"measuring {trial_id}" in driver.endings.problems
            is_measured = trial_id in driver.endings._measured
            assert (planned[trial_id].kind, status) != ("final", "done") or told or is_measured, (
                f"{trial_id} is neither measured nor told of"
            )


def check_end(world: World, runner: SweepRunner) -> dict[str, str]:
    """Look at what must hold when a sweep is done, and return how each of its trials ended."""
    for trial_id, trained in world.trained.items():
        assert trained - world.discarded[trial_id] <= 1, f"{trial_id} was trained {trained} times"
    ended = {trial_id: ending.status for trial_id, ending in runner.driver.endings._endings.items()}
    failed = [trial_id for trial_id, status in ended.items() if status == "failed"]
    assert not failed or world.blows, f"failed without a reason: {failed}"
    total = runner.driver.counts.total
    assert len(ended) == total or failed, f"{len(ended)} of {total} trials ended"
    return ended
