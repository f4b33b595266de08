"""Running a sweep: from its plan to the last row in results.db."""

from collections.abc import Callable
from pathlib import Path

from autoreg.database.writer import Writer
from autoreg.orchestrator.driver import RunningSweep
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.progress.terminal import Verbosity, make_display
from autoreg.orchestrator.ray_runtime.session import check_address, ray_session
from autoreg.orchestrator.ray_runtime.signals import Interruption
from autoreg.orchestrator.recorder import Summary
from autoreg.runs.folder import Runs


def run_sweep(
    plan: Plan,
    runs: Runs,
    database: Path,
    address: str | None = None,
    retry_failed: bool = False,
    begun: Callable[[int], object] = lambda _: None,
    verbosity: Verbosity = Verbosity.NORMAL,
) -> Summary:
    """Train and measure what is not yet done of a sweep, bring everything into results.db, and say how it ended.

    What was done before, by this or another sweep, is not done again. Interrupted in whatever way, the same call goes
    on where it was.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        database: results.db, made if it is not there.
        address: a Ray cluster to join; None starts Ray on this machine.
        retry_failed: train failed trials of this sweep again.
        begun: called with the number of trials done before, once all that can be wrong before the first one is not.
        verbosity: how much is said on stderr meanwhile.

    Raises:
        ConfigError: there is no cluster at the address.
        DataError: the run folder cannot be written, or its trials are of other data.
        DatabaseError: results.db is damaged or from a newer version.
    """
    check_address(address)
    schedule = plan.schedule(runs)
    damaged = schedule.discard_damaged()
    if retry_failed:
        schedule.forget_failures()
    sweep = RunningSweep(plan, schedule, Writer(database, runs))
    damaged += sweep.begin()
    begun(sweep.counts.cached)
    with make_display(sweep.counts, verbosity) as sweep.display:
        for line in damaged:
            sweep.display.line(line)
        if sweep.has_work:
            # The interruption is the inner one, since Ray sets handlers of its own.
            with ray_session(address, sweep.scratch) as ray, Interruption(sweep.drain):
                sweep.run(ray)
        return sweep.end()
