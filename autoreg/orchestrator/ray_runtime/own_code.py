"""The user's own code in a worker: imported before a trial begins, and the same that the trial's id was made of."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from autoreg.config.trial import CHOICES, TrialConfig
from autoreg.errors import ConfigError
from autoreg.metrics.measure import Measurement
from autoreg.metrics.registries import REGISTRIES


def import_own_code(configs: Iterable[TrialConfig], measurements: Iterable[Measurement]) -> None:
    """Import what trials and measurements name, so that what it sets on import holds for all of them alike.

    What cannot be imported fails with the trial that needs it.
    """
    named = {(field, getattr(config, field).name) for config in configs for field in CHOICES}
    named |= {("metric", measurement.metric) for measurement in measurements}
    for kind, name in named:
        if ":" in name:
            with suppress(ConfigError):
                _sources(kind, name)


def check_own_code(config: TrialConfig) -> None:
    """Raise ConfigError if the code that runs here is not that of the trial's id, since it was edited meanwhile."""
    for field in CHOICES:
        choice = getattr(config, field)
        if choice.source and choice.source not in _sources(field, choice.name):
            raise ConfigError(
                f"{field} {choice.name!r} was edited since the sweep began: start the sweep again, "
                "which then trains its new trials"
            )


@cache
def _sources(kind: str, name: str) -> tuple[str | None, str | None]:
    """Return the hash of code when it was imported here, and the one that an earlier version gave it."""
    registry = REGISTRIES[f"{kind}s"]
    return registry.source(name), registry.source_of_file(name)
