"""Ray as the backend of a sweep: Tune trains, remote tasks measure."""

import time
from collections.abc import Iterable
from typing import Any

from autoreg.orchestrator import events as ev
from autoreg.orchestrator.failure import failure_of
from autoreg.orchestrator.jobs import Machine, MeasuringJob
from autoreg.orchestrator.ray_runtime import worker
from autoreg.orchestrator.ray_runtime.turn import Turn
from autoreg.orchestrator.runner import SweepRunner
from autoreg.training.checkpoints import DamagedCheckpoint


class RayBackend:
    """Trains and measures in the processes of a Ray session.

    Measuring takes no CPU from Ray: Tune keeps all of them reserved while it has trials, and a task would never start.

    Args:
        ray: the module, with a running session.
        runner: the sweep.
        turn: of the thread that runs it.
    """

    def __init__(self, ray: Any, runner: SweepRunner, turn: Turn) -> None:
        self._ray, self._runner, self._turn = ray, runner, turn
        total, nodes = ray.cluster_resources(), [node for node in ray.nodes() if node["Alive"]]
        resources = runner.plan.sweep.resources
        gpus = int(total.get("GPU", 0))
        self.machine = Machine(
            cores=max(int(node["Resources"].get("CPU", 0)) for node in nodes),
            slots=max(1, int(total["CPU"]) // resources.cpus),
            # On GPUs, whose memory they share, no more than asked for.
            measuring_slots=resources.measuring * gpus if gpus else int(total["CPU"]),
            gpus=gpus,
        )
        self._task = ray.remote(num_cpus=0, max_retries=0)(worker.measure)
        self._task_in_a_process_of_its_own = ray.remote(num_cpus=0, max_retries=0, max_calls=1)(worker.measure)
        self._running: dict[Any, tuple[str, float]] = {}

    def train(self, runner: SweepRunner) -> None:
        """Train what the runner gives until it says that it is over."""
        from autoreg.orchestrator.ray_runtime.tune import fit

        with self._turn.away():
            fit(runner, self.machine.slots, self._turn)

    def measure(self, job: MeasuringJob) -> None:
        """Have a task measure a trial."""
        task = self._task_in_a_process_of_its_own if job.has_own_code else self._task
        with self._turn.away():
            reference = task.remote(job)
        self._running[reference] = job.trial_id, time.monotonic()

    def measured(self, timeout: float) -> Iterable[ev.Event]:
        """Yield what has become of measuring within so many seconds."""
        if not self._running:
            return
        with self._turn.away():
            ended, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=timeout)
        for reference in ended:
            trial_id, since = self._running.pop(reference)
            try:
                with self._turn.away():
                    self._ray.get(reference)
            except Exception as error:
                cause = getattr(error, "cause", None) or error
                failure = self._runner.recorder.failure(trial_id, failure_of(cause))
                yield ev.MeasuringEnded(trial_id, failure=failure, is_damaged=isinstance(cause, DamagedCheckpoint))
            else:
                yield ev.MeasuringEnded(trial_id, time.monotonic() - since)
