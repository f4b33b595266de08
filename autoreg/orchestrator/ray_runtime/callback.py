"""Ray Tune's callback: it passes on what happens to the sweep that runs in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ray import tune

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.bundles import Bundle


class Listener(Protocol):
    """What a sweep wants to hear of."""

    def pack_started(self, pack: Bundle) -> None:
        """The first trial of a pack starts."""
        ...

    def pack_progressed(self, pack: Bundle, report: dict[str, Any]) -> None:
        """A pack has reported what has ended, and what runs."""
        ...

    def pack_ended(self, pack: Bundle) -> None:
        """A pack has ended; trials that were not reported as such have not."""
        ...

    def pack_failed(self, pack: Bundle, error: str) -> None:
        """The machine let a pack down; error is all that is known of it."""
        ...

    def tick(self) -> None:
        """Some time has passed."""
        ...

    def gone_wrong(self, error: Exception) -> None:
        """One of the above raised an exception."""
        ...


class SweepCallback(tune.Callback):
    """Tells a listener about packs of trials, by their own configurations.

    An exception in a callback would end the whole run, so it becomes a line for the user instead.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the listener: Tune pickles its callbacks to files that we never read."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a pack starts."""
        self._tell(self._listener.pack_started, _pack(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Pass on a pack's report."""
        if "ended" in result:
            self._tell(self._listener.pack_progressed, _pack(trial), result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a pack has ended."""
        self._tell(self._listener.pack_ended, _pack(trial))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Pass on that a worker died, or that the machine let it down."""
        self._tell(self._listener.pack_failed, _pack(trial), _error(trial))

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


def _pack(trial: Any) -> Bundle:
    configs = [TrialConfig.model_validate_json(made["config"]) for made in trial.config["order"]["trials"]]
    return {config.trial_id: config for config in configs}
