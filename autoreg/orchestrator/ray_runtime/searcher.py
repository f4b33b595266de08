"""The bridge between our schedule and Ray Tune: a searcher that hands out bundles of trials."""

from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from autoreg.orchestrator.bundles import Bundler
from autoreg.orchestrator.group_state import Assignment
from autoreg.orchestrator.schedule import Schedule


class ScheduleSearcher(Searcher):
    """Gives Tune what the schedule says: tuning trials of some groups, final trials of others, without a barrier.

    Args:
        schedule: our own account of what is left to do.
        bundler: hands out its trials in bundles, each of which is a trial to Tune.
        order: makes what the worker is told out of a bundle.
        draining: asked before each suggestion; when true, nothing new is handed out.
        gone_wrong: told of an exception, which would otherwise end the whole run; nothing new is handed out after it.
    """

    def __init__(
        self,
        schedule: Schedule,
        bundler: Bundler,
        order: Callable[[list[Assignment]], dict[str, Any]],
        draining: Callable[[], bool],
        gone_wrong: Callable[[Exception], None],
    ) -> None:
        super().__init__(metric="accuracy", mode="max")
        self._schedule, self._bundler, self._order = schedule, bundler, order
        self._draining, self._gone_wrong = draining, gone_wrong

    def suggest(self, trial_id: str) -> Any:
        """Return the config of a bundle, None for "not now", or FINISHED."""
        if self._draining():
            return Searcher.FINISHED
        try:
            if bundle := self._bundler.next():
                return {"order": self._order(bundle)}
            return Searcher.FINISHED if self._schedule.is_finished() else None
        except Exception as error:
            self._gone_wrong(error)
            return Searcher.FINISHED

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Do nothing: the sweep's callback tells the schedule, with the result from the run folder."""

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """Accept Tune's settings; the schedule does not depend on them."""
        return True

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the run folder is the record."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing: the run folder is the record."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the schedule: Tune pickles its searcher to files that we never read."""
        return {}
