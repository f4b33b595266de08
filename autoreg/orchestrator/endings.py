"""How each trial of a sweep has ended so far; every count of the sweep follows from that."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.progress.counts import Counts, MeasuredTrial
from autoreg.runs.describe import describe, outcome
from autoreg.runs.records import TrialResult


class Ending(NamedTuple):
    """How a trial ended, and whether in this run of the sweep."""

    config: TrialConfig
    status: str
    is_here: bool


class Endings:
    """The trials that have ended, those that are measured, and what went wrong."""

    def __init__(self) -> None:
        self._endings: dict[str, Ending] = {}
        self._tally: Counter[tuple[str, str, bool]] = Counter()
        self._measured: set[str] = set()
        #: A line for each trial that failed or could not be measured, and for whatever else went wrong, by its subject.
        self.problems: dict[str, str] = {}

    def __contains__(self, trial_id: str) -> bool:
        return trial_id in self._endings

    def config(self, trial_id: str) -> TrialConfig:
        """Return a trial that has ended."""
        return self._endings[trial_id].config

    def add(self, config: TrialConfig, result: TrialResult, *, is_here: bool) -> None:
        """Note how a trial ended; told again, the last word counts."""
        trial_id = config.trial_id
        self.remove(trial_id)
        self._endings[trial_id] = Ending(config, result.status, is_here)
        self._tally[config.kind, result.status, is_here] += 1
        # A tuning trial may diverge, since it only tries hyperparameters.
        if result.status == "failed" or (result.status == "diverged" and config.kind == "final"):
            self.problems[trial_id] = f"{trial_id}  {outcome(config, result)}"

    def remove(self, trial_id: str) -> None:
        """Take back that a trial has ended, with all that followed from it."""
        if ending := self._endings.pop(trial_id, None):
            self._tally[ending.config.kind, ending.status, ending.is_here] -= 1
            self._measured.discard(trial_id)
            self.problems.pop(trial_id, None)

    def add_measured(self, trial_id: str) -> bool:
        """Note that a trial is measured, and return whether that is news."""
        is_news = trial_id in self._endings and trial_id not in self._measured
        if is_news:
            self._measured.add(trial_id)
        return is_news

    def add_unmeasured(self, trial_id: str, why: str) -> None:
        """Note that a trial could not be measured."""
        self.problems[f"measuring {trial_id}"] = f"{trial_id}  not measured: {describe(self.config(trial_id))}: {why}"

    def shown(self, measuring: Mapping[str, float]) -> dict[str, MeasuredTrial]:
        """Return trials that are being measured, each since a time, as they are shown."""
        return {
            trial_id: MeasuredTrial(describe(self.config(trial_id)), since)
            for trial_id, since in measuring.items()
            if trial_id in self
        }

    @property
    def trained(self) -> int:
        """How many trials ended in this run, failed ones among them."""
        return sum(number for (_, _, is_here), number in self._tally.items() if is_here)

    @property
    def skipped(self) -> int:
        """How many trials had ended before, or were trained by another sweep."""
        return self._tally.total() - self.trained

    def update(self, counts: Counts, finals: int) -> None:
        """Bring the counts of a sweep with so many final trials up to date."""
        failed = lost = 0
        for (kind, status, is_here), number in self._tally.items():
            failed += number if is_here and status == "failed" else 0
            lost += number if kind == "final" and status != "done" else 0
        counts.skipped, counts.failed, counts.done = self.skipped, failed, self.trained - failed
        counts.to_measure, counts.measured = finals - lost, len(self._measured)
