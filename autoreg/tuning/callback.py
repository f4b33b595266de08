"""Ray Tune's callback: it passes on what happens to the sweep that runs in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ray import tune

from autoreg.config import TrialConfig


class Listener(Protocol):
    """What a sweep wants to hear of."""

    def trial_started(self, config: TrialConfig) -> None:
        """A trial starts."""
        ...

    def trial_progressed(self, config: TrialConfig, report: dict[str, Any]) -> None:
        """A trial has reported."""
        ...

    def trial_ended(self, config: TrialConfig, error: str | None, trained: bool) -> None:
        """A trial has ended; error is set if it was given up, trained is false if another sweep had trained it."""
        ...

    def tick(self) -> None:
        """Some time has passed."""
        ...

    def gone_wrong(self, error: Exception) -> None:
        """One of the above raised an exception."""
        ...


class SweepCallback(tune.Callback):
    """Tells a listener about trials, by their own configuration.

    An exception in a callback would end the whole run, so it becomes a line for the user instead.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the listener: Tune pickles its callbacks to files that we never read."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a trial starts."""
        self._tell(self._listener.trial_started, _config(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Pass on a trial's report."""
        if "epoch" in result:
            self._tell(self._listener.trial_progressed, _config(trial), result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a trial has ended."""
        self._tell(self._listener.trial_ended, _config(trial), None, trial.last_result.get("trained", True))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a trial failed as often as it may: its worker died, or the machine let it down."""
        self._tell(self._listener.trial_ended, _config(trial), f"gave up after several tries: {_why(trial)}", True)

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Let the sweep do its own work."""
        self._tell(self._listener.tick)

    def _tell(self, what: Callable[..., None], *about: Any) -> None:
        try:
            what(*about)
        except Exception as error:
            self._listener.gone_wrong(error)


def _why(trial: Any) -> str:
    """Return the last line that says something of the error that Tune noted for a trial."""
    path = Path(trial.error_file or "")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else "the worker process died"


def _config(trial: Any) -> TrialConfig:
    return TrialConfig.model_validate_json(trial.config["order"]["config"])
