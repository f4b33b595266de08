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

    def trial_ended(self, config: TrialConfig, trained: bool) -> None:
        """A trial has ended; trained is false if another sweep had trained it."""
        ...

    def try_failed(self, config: TrialConfig, error: str) -> None:
        """The machine let a trial down; error is all that is known of it."""
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
        self._tell(self._listener.trial_ended, _config(trial), trial.last_result.get("trained", True))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a worker died, or that the machine let it down."""
        self._tell(self._listener.try_failed, _config(trial), _error(trial))

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Let the sweep do its own work."""
        self._tell(self._listener.tick)

    def _tell(self, what: Callable[..., None], *about: Any) -> None:
        try:
            what(*about)
        except Exception as error:
            self._listener.gone_wrong(error)


def _error(trial: Any) -> str:
    """Return the text of the error that Tune noted for a trial."""
    path = Path(trial.error_file or "")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _config(trial: Any) -> TrialConfig:
    return TrialConfig.model_validate_json(trial.config["order"]["config"])
