"""Running a sweep: from its plan to the last row in results.db."""

from pathlib import Path

from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.events import Connected
from autoreg.orchestrator.older import older_note
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.progress.counts import Verbosity
from autoreg.orchestrator.progress.terminal import JsonLines
from autoreg.orchestrator.ray_runtime.backend import RayBackend
from autoreg.orchestrator.ray_runtime.session import check_address, check_interpreter, check_not_imported, ray_session
from autoreg.orchestrator.ray_runtime.signals import StopOnSignal
from autoreg.orchestrator.ray_runtime.stuck import is_stuck
from autoreg.orchestrator.ray_runtime.turn import Turn, watched
from autoreg.orchestrator.ray_runtime.watch import Watch, lost_process
from autoreg.orchestrator.recorder import Summary
from autoreg.orchestrator.resume import superseded
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs


def run_sweep(
    plan: Plan,
    runs: Runs,
    database: Path,
    address: str | None = None,
    retry_failed: bool = False,
    verbosity: Verbosity = Verbosity.NORMAL,
    *,
    as_json: bool = False,
) -> Summary:
    """Train and measure what is not yet done of a sweep, bring everything into results.db, and say how it ended.

    What was done before, by this or another sweep, is not done again. Interrupted in whatever way, the same call
    resumes it.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        database: results.db, made if it is not there.
        address: a Ray cluster to join; None starts Ray on this machine.
        retry_failed: train failed trials of this sweep again.
        verbosity: how much is said on stderr meanwhile.
        as_json: whether it is said on stdout, as JSON, an object on each line.

    Raises:
        ConfigError: there is no cluster at the address; Python drops the docstrings that Ray needs.
        DataError: the run folder cannot be written, or its trials are of other data.
        DatabaseError: results.db is damaged or from a newer version.
    """
    check_interpreter()
    if not address:
        check_not_imported()
    check_address(address)
    runner = SweepRunner(plan, runs, database, verbosity)
    if as_json:
        runner.display = JsonLines(runner.driver.counts, verbosity)
    damaged = runner.begin(retry_failed)
    other = superseded([group for group, _ in plan.groups], runs)
    with runner.display:
        shared = runner.driver.finished.shared if runner.driver.has_work else []
        said = (*shared, *other, *older_note(runner.driver.schedule), *damaged)
        for line in (f"{plan.sweep.name}: {plan.counts_text}", *said):
            runner.display.line(line)
        if runner.driver.has_work:
            _outlive(runner, address)
        return runner.end()


def _outlive(runner: SweepRunner, address: str | None) -> None:
    """Run a sweep, and go on with it once more if Ray is lost."""
    for is_last in (False, True):
        try:
            _run(runner, address)
        except BackendLost as error:
            is_over = is_last or is_stuck()
            runner.lose_backend(str(error), is_over)
            if not (is_over or runner.stop_requested):
                continue
        break


def _run(runner: SweepRunner, address: str | None) -> None:
    # The signals are taken last, since Ray sets handlers of its own.
    with ray_session(address, runner.scratch) as session, StopOnSignal(runner.request_stop):
        turn = Turn(lambda: lost_process(session.processes) is not None)

        def run() -> None:
            with turn.away():
                backend = RayBackend(session.ray, runner, turn)
            runner.tell(Connected(backend.machine))
            runner.run(backend)

        watched(run, Watch(session.processes, runner, turn).look, turn)
