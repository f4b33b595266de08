"""A sweep whose processes, files and clock are made up: what happens to it is told to its driver by hand."""

from collections import deque
from pathlib import Path

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator import events as ev
from autoreg.orchestrator.driver import Driver
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob, Place
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.records import Epoch, TrialResult


def result_of(config: TrialConfig, status: str = "done", seconds: float = 0.1) -> TrialResult:
    """A result whose validation accuracy is highest at a learning rate of 0.03."""
    score = 1 / (1 + abs(config.learning_rate - 0.03))
    epochs = [
        Epoch(
            epoch=number, learning_rate=config.learning_rate, train_loss=1.0, train_accuracy=0.5, validation_loss=1.0,
            validation_accuracy=score * number / config.epochs, seconds=seconds,
        )
        for number in range(1, config.epochs + 1)
    ]  # fmt: skip
    return TrialResult.model_validate(
        {
            "status": status, "error": "no" if status == "failed" else None, "epochs_run": config.epochs,
            "best_epoch": config.epochs, "validation_accuracy": score, "seconds": seconds * config.epochs,
            "epochs": epochs, "finished_at": "2026-01-01T00:00:00+00:00",
        }
    )  # fmt: skip


class SimulatedSweep:
    """A driver, and what it has ordered so far.

    Args:
        plan: the sweep.
        slots: how many bundles run at once.
    """

    def __init__(self, plan: Plan, slots: int = 2) -> None:
        place = Place(Path("/nowhere/runs"), None, Path("/nowhere/scratch"))
        self.now = 1000.0
        self.driver = Driver(plan, Schedule([group for group, _ in plan.groups]), place, self.now)
        self.orders: list[ev.Order] = []
        self.started: deque[BundleJob] = deque()
        self.measuring: deque[MeasuringJob] = deque()
        self.tell(ev.Connected(Machine(cores=slots, slots=slots, measuring_slots=slots)))

    def tell(self, *events: ev.Event) -> list[ev.Order]:
        """Tell the driver of events, and answer what it asks; return what it ordered meanwhile."""
        before, waiting = len(self.orders), deque(events)
        while waiting:
            for order in self.driver.step(waiting.popleft(), self.now):
                self.orders.append(order)
                match order:
                    case ev.Propose():
                        rate = 0.02 * (1 + len(self.driver.schedule.search(order.study_id).proposals))
                        waiting.append(ev.Proposed(order.study_id, {"learning_rate": rate}))
                    case ev.StartBundle():
                        self.started.append(order.job)
                    case ev.StartMeasuring():
                        self.measuring.append(order.job)
                    case ev.GiveUp():
                        result = TrialResult.failed(order.failure.why)
                        waiting.append(ev.TrialEnded(order.config.trial_id, result))
        return self.orders[before:]

    def next(self) -> BundleJob | None:
        """Give a free worker its next bundle, and have it begin."""
        self.tell(ev.WorkerFree())
        if not self.started:
            return None
        job = self.started.popleft()
        self.tell(ev.BundleStarted(job.name))
        return job

    def train(self, job: BundleJob, status: str = "done") -> None:
        """Have a bundle's trials end."""
        for trial in job.trials:
            self.tell(ev.TrialEnded(trial.config.trial_id, result_of(trial.config, status)))
        self.tell(ev.BundleEnded(job.name))

    def measure_all(self) -> None:
        """Have all that waits measured."""
        self.tell(ev.Tick())
        while self.measuring:
            self.tell(ev.MeasuringEnded(self.measuring.popleft().trial_id, 0.5), ev.Tick())

    def run(self) -> None:
        """Train and measure all that is left."""
        while job := self.next():
            self.train(job)
        self.measure_all()

    def said(self) -> list[str]:
        """All that the user was told."""
        return [order.text for order in self.orders if isinstance(order, ev.Say)]

    def count(self, kind: type[ev.Order]) -> int:
        """How often something was ordered."""
        return sum(isinstance(order, kind) for order in self.orders)
