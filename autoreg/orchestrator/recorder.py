"""What a sweep leaves behind: its record in the run folder, and its rows in results.db."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from autoreg.config.trial import TrialConfig
from autoreg.database.writer import Known, Writer
from autoreg.errors import DatabaseError, first_line
from autoreg.metrics.measure import is_measured
from autoreg.orchestrator.failure import Failure, out_of_time
from autoreg.orchestrator.jobs import Place
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import TrialFolder
from autoreg.runs.log import TrialLog
from autoreg.runs.records import TrialResult

#: How long a sweep waits at its end for somebody's shell to let go of results.db.
PATIENCE = 60.0


@dataclass(frozen=True)
class Summary:
    """How a sweep ended.

    Attributes:
        trained: trials that ended now, failed ones among them.
        skipped: trials that were done already.
        problems: one line for each trial that failed or could not be measured.
        unwritten: trials that wait for results.db, which another process holds.
        interrupted: whether the user stopped it.
    """

    trained: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)
    unwritten: int = 0
    interrupted: bool = False


class Recorder:
    """Writes down what has ended.

    Args:
        plan: the sweep.
        writer: brings trials from the run folder into results.db.
        place: where files are.
    """

    def __init__(self, plan: Plan, writer: Writer, place: Place) -> None:
        self._plan, self.writer, self._place = plan, writer, place
        self._recorded: set[str] | None = None
        self._known: Known | None = None
        self._warned_of = ""

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

    def is_measured(self, folder: TrialFolder, result: TrialResult | None) -> bool:
        """Whether a trial has every measurement that the sweep asks for."""
        return is_measured(folder, result.layers if result else [], self._plan.measurements)

    def log(self, trial_id: str, text: str) -> None:
        """Add lines to a trial's log."""
        with TrialLog(self.writer.runs.trial(trial_id).log_path) as log:
            log.say(text)

    def failure(self, trial_id: str, failure: Failure) -> Failure:
        """Return a failure of a trial, or that its time was over if its process has left its stacks."""
        try:
            stack = self._place.trace(trial_id).read_text(encoding="utf-8")
        except FileNotFoundError:
            return failure
        return out_of_time(stack, self._plan.sweep.resources.time_limit_hours) if stack else failure

    def give_up(self, config: TrialConfig, failure: Failure) -> TrialResult:
        """Write down that a trial has failed, and return its result."""
        folder = self.writer.runs.trial(config.trial_id)
        result = TrialResult.failed(f"{failure.why}\n{failure.details[:2000]}")
        folder.write_config(config)
        folder.write_result(result)
        return result

    def commit_if_possible(self, planned: Iterable[tuple[str, TrialConfig]]) -> str | None:
        """Write what is queued; if that fails it waits, and a line says why, once.

        Training goes on meanwhile: the run folder has the rows.
        """
        try:
            self.commit(planned)
        except (DatabaseError, OSError) as error:
            if first_line(error) != self._warned_of:
                self._warned_of = first_line(error)
                return f"rows wait: {self._warned_of}"
        return None

    def commit(self, planned: Iterable[tuple[str, TrialConfig]], patience: float = 0.0) -> bool:
        """Write what is queued, and return whether nothing is left; it is not if somebody holds results.db.

        Args:
            planned: the trials that the sweep has so far, each with its group's id.
            patience: how many seconds to wait for who holds it.

        Raises:
            DatabaseError: results.db is damaged or from a newer version.
            OSError: the run folder cannot be written.
        """
        trials = list(planned)
        ids = {config.trial_id for _, config in trials}
        if ids != self._recorded:
            self.writer.runs.write_sweep(self._plan.record(trials))
            self.writer.queue_sweep(self._plan.sweep.sweep_id)
            self._recorded = ids
        return self.writer.commit(patience)
