"""What has processes train and measure, as the runner of a sweep sees it."""

from collections.abc import Iterable
from typing import Any, Protocol

from autoreg.orchestrator.events import Event
from autoreg.orchestrator.jobs import MeasuringJob


class Backend(Protocol):
    """What has processes train and measure."""

    def train(self, runner: Any) -> None:
        """Train what a `SweepRunner.next_job` gives until it is over, and tell it what happens."""

    def measure(self, job: MeasuringJob) -> None:
        """Have a process measure a trial."""

    def measured(self, timeout: float) -> Iterable[Event]:
        """Return what has become of measuring by now."""


class BackendLost(Exception):
    """No process of a sweep trains or measures any more, or will; the text says why."""
