"""The one call of Ray Tune, and what stands between it and the runner of a sweep."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from autoreg.orchestrator import events as ev
from autoreg.orchestrator.failure import failure_in
from autoreg.orchestrator.ray_runtime import worker
from autoreg.orchestrator.ray_runtime.turn import Turn
from autoreg.orchestrator.runner import SweepRunner


def fit(runner: SweepRunner, slots: int, turn: Turn) -> None:
    """Train in so many processes at once until the runner says that it is over; it is called in its turn."""
    # Or Tune would ask for one trial at a time, and start its first processes one after another.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(slots)
    tuner = tune.Tuner(
        tune.with_resources(worker.train_for_tune, worker.resources),
        tune_config=tune.TuneConfig(
            metric="metric",
            mode="max",
            num_samples=-1,
            search_alg=_Bundles(runner, turn),
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name=f"tune-{runner.driver.schedule.handed_out}",
            storage_path=str(runner.scratch),
            verbose=0,
            log_to_file=True,
            callbacks=[_Callback(runner, turn)],
            # The driver tries again: Tune would do so with the same share of the machine.
            failure_config=tune.FailureConfig(max_failures=0),
        ),
    )
    tuner.fit()


def _name(trial: Any) -> str:
    return str(trial.config["job"].name)


class _Bundles(Searcher):
    """Gives Tune the runner's bundles, each of which is a trial to Tune; what it learns of them it does not need."""

    def __init__(self, runner: SweepRunner, turn: Turn) -> None:
        super().__init__(metric="metric", mode="max")
        self._runner, self._turn = runner, turn

    def suggest(self, trial_id: str) -> Any:
        """Return the config of a bundle, None for "not now", or FINISHED."""
        try:
            with self._turn.held():
                job = None if self._runner.is_over else self._runner.next_job()
        except Exception as error:  # which would end Tune
            self._runner.note_error(error)
            job = None
        return {"job": job} if job else Searcher.FINISHED if self._runner.is_over else None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Do nothing: the callback tells the runner."""

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """Accept Tune's settings, on which nothing depends."""
        return True

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the run folder is the record."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing: the run folder is the record."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the runner: Tune pickles its searcher to files that we never read."""
        return {}


class _Callback(tune.Callback):
    """Tells the runner of what becomes of bundles.

    An exception in a callback would end the whole run, so it becomes a line for the user instead.
    """

    def __init__(self, runner: SweepRunner, turn: Turn) -> None:
        self._runner, self._turn = runner, turn

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the runner: Tune pickles its callbacks to files that we never read."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tell that a bundle has started."""
        self._guarded(self._runner.tell, ev.BundleStarted(_name(trial)))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Tell what a bundle's process has reported."""
        if "report" in result:
            self._guarded(self._runner.take, _name(trial), result["report"])

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tell that a bundle has ended."""
        self._guarded(self._runner.end_bundle, _name(trial))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tell that a bundle's process is gone, and what Ray says of it."""
        self._guarded(self._runner.end_bundle, _name(trial), failure_in(_error_text(trial)))

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Let the runner do what is due."""
        self._guarded(self._runner.tick)

    def _guarded(self, tell: Callable[..., None], *arguments: Any) -> None:
        try:
            with self._turn.held():
                tell(*arguments)
        except Exception as error:
            self._runner.note_error(error)


def _error_text(trial: Any) -> str:
    """Return the text of the error that Tune noted for a trial."""
    path = Path(trial.error_file or "")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
