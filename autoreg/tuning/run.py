"""Running a sweep: from its plan to the last row in results.db."""

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from autoreg.config import TrialConfig, canonical_json
from autoreg.database import Writer, record_sweep
from autoreg.errors import AutoregError, first_line
from autoreg.progress import Counts, Display, describe, make_display, outcome
from autoreg.runs import Runs, TrialFolder
from autoreg.tuning import worker
from autoreg.tuning.plan import Plan
from autoreg.tuning.schedule import Assignment, Schedule
from autoreg.tuning.session import ray_session

SECONDS_BETWEEN_COMMITS = 2.0
#: How long the end of a sweep waits for somebody's shell to let go of results.db.
PATIENCE = 60.0


@dataclass
class Summary:
    """How a sweep ended.

    Attributes:
        trained: trials that ended now, failed ones among them.
        cached: trials that had ended before.
        problems: one line for each trial that failed or could not be measured.
        unwritten: trials that wait for results.db, which another process holds.
        interrupted: whether the user stopped it.
    """

    trained: int = 0
    cached: int = 0
    problems: list[str] = field(default_factory=list)
    unwritten: int = 0
    interrupted: bool = False


def run_sweep(plan: Plan, runs: Runs, database: Path, address: str | None = None, retry_failed: bool = False) -> Summary:
    """Train and measure what is not yet done of a sweep, bring everything into results.db, and say how it ended.

    What was done before, by this or another sweep, is not done again. Interrupted in whatever way, the same call goes
    on where it was.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        database: results.db, made if it is not there.
        address: a Ray cluster to join; None starts Ray on this machine.
        retry_failed: train failed trials of this sweep again.
    """
    schedule = plan.schedule(runs)
    if retry_failed:
        _forget_failures(schedule)
    sweep = _RunningSweep(plan, schedule, runs, Writer(database, runs))
    sweep.begin()
    with make_display(sweep.counts) as display:
        sweep.display = display
        if sweep.has_work:
            with _Interruption(sweep), ray_session(address) as ray:
                sweep.run(ray)
        return sweep.end()


class _RunningSweep:
    """The driver's state: what is running, what is to be measured, what is to be written."""

    def __init__(self, plan: Plan, schedule: Schedule, runs: Runs, writer: Writer) -> None:
        self.plan, self.schedule, self.runs, self.writer = plan, schedule, runs, writer
        total = schedule.final_count + schedule.tuning_count
        self.counts = Counts(total=total, cached=schedule.done_count(), to_measure=schedule.final_count)
        self.summary = Summary(cached=self.counts.cached)
        self.display: Display
        self.draining = False
        self.stop_file = runs.scratch / f"stop-{time.time_ns()}"
        self._planned: set[str] = set()
        self._to_measure: list[TrialFolder] = []
        self._measuring: dict[Any, TrialFolder] = {}
        self._committed_at = time.monotonic()
        self._cpus = 1
        self._measure_task: Callable[[TrialFolder], Any] = lambda folder: None

    @property
    def has_work(self) -> bool:
        return bool(self._to_measure) or not self.schedule.is_finished()

    def begin(self) -> None:
        """Queue what earlier runs left: rows for results.db, trials to be measured."""
        self.runs.scratch.mkdir(parents=True, exist_ok=True)
        for _, config in self.schedule.planned():
            folder = self.runs.trial(config.trial_id)
            if folder.is_trained:
                self.writer.queue_trial(folder)
                self._queue_measuring(config, folder)
        self._record()
        self.writer.commit(PATIENCE)

    def run(self, ray: Any) -> None:
        """Train and measure until nothing is left or the user stops it."""
        found = ray.cluster_resources()
        gpus, self._cpus = found.get("GPU", 0), int(found["CPU"])
        share = self.plan.sweep.resources.measure_gpu if gpus else 0.0
        task = ray.remote(num_cpus=0, num_gpus=share, max_retries=3)(worker.measure)
        root = str(self.plan.root.absolute()) if self.plan.root else None
        self._measure_task = lambda folder: task.remote(
            folder.trial_id, str(self.runs.root), self.plan.measurements, root, share
        )
        self._start_measuring()
        if not self.schedule.is_finished():
            self._fit(ray, bool(gpus))
        while (self._measuring or self._to_measure) and not self.draining:
            self.tick(ray, timeout=0.1)

    def _fit(self, ray: Any, gpus: bool) -> None:
        from ray import tune

        from autoreg.tuning.callback import SweepCallback
        from autoreg.tuning.searcher import ScheduleSearcher

        resources = self.plan.sweep.resources
        cpus = min(resources.cpus, self._cpus)

        def order(assignment: Assignment) -> dict[str, Any]:
            return {
                "config": canonical_json(assignment.config),
                "trial_id": assignment.config.trial_id,
                "prune_below": assignment.prune_below,
                "runs": str(self.runs.root),
                "root": str(self.plan.root.absolute()) if self.plan.root else None,
                "stop_file": str(self.stop_file),
                "cpus": cpus,
                "gpu": resources.gpu_share(assignment.config.width) if gpus else 0.0,
            }

        def bundle(config: dict[str, Any]) -> Any:
            wanted = {"CPU": config["order"]["cpus"], "GPU": config["order"]["gpu"]}
            return tune.PlacementGroupFactory([{kind: amount for kind, amount in wanted.items() if amount}])

        name = f"{self.plan.sweep.name}-{time.time_ns()}"
        tune.Tuner(
            tune.with_resources(worker.train, bundle),
            tune_config=tune.TuneConfig(
                metric="accuracy",
                mode="max",
                num_samples=-1,
                search_alg=ScheduleSearcher(self.schedule, order, lambda: self.draining),
                reuse_actors=True,
                trial_name_creator=_trial_id,
                trial_dirname_creator=_trial_id,
            ),
            run_config=tune.RunConfig(
                name=name,
                storage_path=str(self.runs.scratch),
                verbose=0,
                log_to_file=True,
                callbacks=[SweepCallback(self, ray)],
                failure_config=tune.FailureConfig(max_failures=2),
            ),
        ).fit()
        shutil.rmtree(self.runs.scratch / name, ignore_errors=True)

    def trial_started(self, config: TrialConfig) -> None:
        """Show a trial that starts; record a sweep's new trials before they have rows."""
        self.counts.running[config.trial_id] = describe(config)
        self.display.update(self.counts)

    def trial_progressed(self, config: TrialConfig, report: dict[str, Any]) -> None:
        """Show how far a running trial is."""
        text = f"{describe(config)} · epoch {report['epoch']}/{report['epochs']} · {report['accuracy']:.1%}"
        self.counts.running[config.trial_id] = text
        self.display.update(self.counts)

    def trial_ended(self, config: TrialConfig, error: str | None) -> None:
        """Take note of a trial that is no longer running, and have it measured and written."""
        folder = self.runs.trial(config.trial_id)
        if error and not folder.is_trained:  # its worker died as often as it may
            folder.write_config(config)
            folder.write_result(worker.failed_result(AutoregError(error)))
        self.counts.running.pop(config.trial_id, None)
        result = self.schedule.finished(config.trial_id)
        if result is None:
            return  # stopped by the user; its state is saved
        self.summary.trained += 1
        if result.status == "failed":
            self.counts.failed += 1
        else:
            self.counts.done += 1
        self.display.update(self.counts)
        self.display.line(outcome(config, result))
        self.writer.queue_trial(folder)
        self._queue_measuring(config, folder)
        self._record()

    def tick(self, ray: Any, timeout: float = 0.0) -> None:
        """Start and collect measuring tasks, and bring what is finished into results.db every two seconds."""
        if self._measuring:
            finished, _ = ray.wait(list(self._measuring), num_returns=1, timeout=timeout)
            for reference in finished:
                folder = self._measuring.pop(reference)
                try:
                    ray.get(reference)
                except Exception as error:
                    self._measuring_failed(folder, error)
                else:
                    self.counts.measured += 1
                    self.writer.queue_trial(folder)
        self._start_measuring()
        self.display.update(self.counts)
        if time.monotonic() - self._committed_at >= SECONDS_BETWEEN_COMMITS:
            self.writer.commit()
            self._committed_at = time.monotonic()

    def end(self) -> Summary:
        """Write the last rows and return how the sweep ended."""
        self.summary.interrupted = self.draining
        if not self.writer.commit():
            self.display.line(f"waiting for {self.writer.path}, which another process holds…")
            self.writer.commit(PATIENCE)
        self.summary.unwritten = self.writer.pending
        self.summary.problems += self._failures()
        self.stop_file.unlink(missing_ok=True)
        return self.summary

    def _failures(self) -> list[str]:
        lines = []
        for _, config in self.schedule.planned():
            folder = self.runs.trial(config.trial_id)
            if folder.is_trained and (result := folder.read_result()).status in {"failed", "diverged"}:
                if config.kind == "final" or result.status == "failed":
                    lines.append(f"{config.trial_id}  {outcome(config, result)}")
        for state in self.schedule.states:
            if state.final_trials() == []:
                lines.append(f"no tuning trial of {describe(state.group.template)} succeeded, so it has no final trials")
        return lines

    def _queue_measuring(self, config: TrialConfig, folder: TrialFolder) -> None:
        if config.kind != "final" or folder.read_result().status != "done":
            self.counts.to_measure -= config.kind == "final"
            return
        if all(measurement.path(folder).is_file() for measurement in self.plan.measurements):
            self.counts.measured += 1
        else:
            self._to_measure.append(folder)

    def _start_measuring(self) -> None:
        limit = self.plan.sweep.resources.measuring
        if not self.counts.running:  # nothing trains any more: the cores are free
            limit = max(limit, self._cpus)
        while self._to_measure and len(self._measuring) < limit and not self.draining:
            folder = self._to_measure.pop(0)
            self._measuring[self._measure_task(folder)] = folder

    def _measuring_failed(self, folder: TrialFolder, error: Exception) -> None:
        cause = getattr(error, "cause", None) or error
        line = f"{folder.trial_id}  not measured: {type(cause).__name__}: {first_line(cause)}"
        self.summary.problems.append(line)
        self.display.line(line)

    def _record(self) -> None:
        planned = list(self.schedule.planned())
        if {config.trial_id for _, config in planned} == self._planned and self._planned:
            return
        self._planned = {config.trial_id for _, config in planned}
        sweep = self.plan.sweep
        record = {
            "sweep_id": sweep.sweep_id,
            "name": sweep.name,
            "figures": sweep.figures,
            "definition": sweep.model_dump(mode="json"),
            "updated_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sweep_trials": [
                {"trial_id": config.trial_id, "group_id": group.template.config_id, "kind": config.kind}
                for group, config in planned
            ],
            "sweep_measurements": [
                {"metric": made.metric, "split": made.split, "measurement_id": made.measurement_id}
                for made in self.plan.measurements
            ],
        }
        record_sweep(self.runs, record)
        self.writer.queue_sweep(sweep.sweep_id)


class _Interruption:
    """The first Ctrl-C (or SIGTERM) lets running trials save their state at the end of their epoch; the second stops now."""

    def __init__(self, sweep: _RunningSweep) -> None:
        self._sweep = sweep
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._sweep.draining:
            raise KeyboardInterrupt
        self._sweep.draining = True
        self._sweep.stop_file.touch()
        self._sweep.display.line("stopping: running trials save their state after this epoch; Ctrl-C again stops now")


def _trial_id(trial: Any) -> str:
    name: str = trial.config["order"]["trial_id"]
    return name


def _forget_failures(schedule: Schedule) -> None:
    for _, config in list(schedule.planned()):
        folder = schedule.runs.trial(config.trial_id)
        if folder.is_trained and folder.read_result().status == "failed":
            folder.result_path.unlink()
            schedule.finished(config.trial_id)
