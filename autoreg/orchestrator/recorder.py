"""What a sweep has to show for itself: its record in the run folder, its rows in results.db, what failed."""

import time
from dataclasses import dataclass, field

from autoreg.config.trial import TrialConfig
from autoreg.database.writer import Known, Writer
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.describe import describe, outcome
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import TrialResult

SECONDS_BETWEEN_COMMITS = 2.0
#: How long a sweep waits at its end for somebody's shell to let go of results.db.
PATIENCE = 60.0


@dataclass
class Summary:
    """How a sweep ended.

    Attributes:
        trained: trials that ended now, failed ones among them.
        cached: trials that had ended before.
        problems: one line for each trial that failed or could not be measured.
        unwritten: trials that wait for results.db, which another process holds.
        interrupted: whether the user stopped it.
    """

    trained: int = 0
    cached: int = 0
    problems: list[str] = field(default_factory=list)
    unwritten: int = 0
    interrupted: bool = False


class Ledger:
    """Writes down what has ended: soon, but not once for each trial.

    Args:
        plan: the sweep.
        schedule: which of its trials are known so far.
        writer: brings trials from the run folder into results.db.
    """

    def __init__(self, plan: Plan, schedule: Schedule, writer: Writer) -> None:
        self._plan, self._schedule, self.writer = plan, schedule, writer
        self._failures: dict[str, str] = {}
        self._recorded: set[str] | None = None
        self._known: Known | None = None
        self._committed_at = time.monotonic()

    def add(self, folder: TrialFolder) -> None:
        """Have a trial's rows brought up to date."""
        self.writer.queue_trial(folder)

    def add_if_missing(self, folder: TrialFolder, config: TrialConfig, result: TrialResult) -> None:
        """Have a trial of an earlier run brought up to date if something of it is not in results.db."""
        if self._known is None:
            self._known = self.writer.known()
        if not self._known.has_all_of(folder, result):
            folder.write_config(config)  # or a damaged one would keep its rows out
            self.add(folder)

    def note(self, trial_id: str, config: TrialConfig, result: TrialResult) -> None:
        """Note how a trial ended; a tuning trial may diverge, since it only tries a setting."""
        self._failures.pop(trial_id, None)
        if result.status == "failed" or (result.status == "diverged" and config.kind == "final"):
            self._failures[trial_id] = f"{trial_id}  {outcome(config, result)}"

    def tick(self) -> None:
        """Write what is queued if it is time to."""
        if time.monotonic() - self._committed_at >= SECONDS_BETWEEN_COMMITS:
            self.commit()

    def commit(self, patience: float = 0.0) -> bool:
        """Write what is queued, and return whether nothing is left; it is not if somebody holds results.db.

        Raises:
            DatabaseError: results.db is damaged or from a newer version.
            OSError: the run folder cannot be written.
        """
        self._committed_at = time.monotonic()
        ids = {trial_id for _, trial_id, _ in self._schedule.planned()}
        if ids != self._recorded:
            self.writer.runs.write_sweep(self._plan.record(self._schedule.planned()))
            self.writer.queue_sweep(self._plan.sweep.sweep_id)
            self._recorded = ids
        return self.writer.commit(patience)

    def problems(self) -> list[str]:
        """Return a line for each trial that failed or has no rows, and each search that found nothing."""
        in_vain = [
            f"no tuning trial of {describe(state.group.template)} succeeded, so it has no final trials"
            for state in self._schedule.states
            if state.group.final_count and state.final_trials() == {}
        ]
        return [*self.writer.problems, *self._failures.values(), *in_vain]
