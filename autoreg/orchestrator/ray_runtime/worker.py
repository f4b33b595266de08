"""What runs inside Ray, or in the one process of `autoreg trial`: training a bundle of trials, measuring one trial.

Workers import this module, and Ray keeps its functions until the driver's process ends: it leads to no DuckDB.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from autoreg.config.trial import TrialConfig, content_id
from autoreg.errors import DataError, first_line
from autoreg.metrics.measure import Measurement, measure_trial
from autoreg.orchestrator.events import EpochEnded, Report
from autoreg.orchestrator.failure import Failure, Kind, failure_of
from autoreg.orchestrator.jobs import BundleJob, MeasuringJob, TrialJob
from autoreg.orchestrator.ray_runtime.kept_state import kept_state
from autoreg.orchestrator.ray_runtime.own_code import check_own_code, import_own_code
from autoreg.orchestrator.ray_runtime.process import (
    emptiest_gpu,
    ended_by,
    give_memory_back,
    machine,
    prepare_process,
    time_limit,
)
from autoreg.runs.describe import describe
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.log import TrialLog
from autoreg.runs.records import Epoch, TrialResult
from autoreg.training.checkpoints import DamagedCheckpoint

#: The driver is told of a trial's progress at most this often; a tiny trial is over before that.
SECONDS_BETWEEN_REPORTS = 1.0
#: A trial that trains for longer is measured by a task of its own, beside the training of others.
SECONDS_OF_A_TINY_TRIAL = 2.0


class Reporter:
    """Tells the runner of a bundle, at most once a second.

    Args:
        deliver: brings a report to the runner; it may wait until that has taken it.
    """

    def __init__(self, deliver: Callable[[Report], object]) -> None:
        self._deliver = deliver
        self._sent_at = time.monotonic()
        self._ended: dict[str, bool] = {}

    def note_epoch(self, bundle: str, config: TrialConfig, epoch: Epoch) -> None:
        """Tell how far a trial is, if it is time to."""
        if time.monotonic() - self._sent_at >= SECONDS_BETWEEN_REPORTS:
            numbers = (epoch.epoch, epoch.train_loss, epoch.validation_accuracy, epoch.seconds)
            self.send(epoch=EpochEnded(bundle, config.trial_id, *numbers))

    def note_end(self, config: TrialConfig, was_trained: bool) -> None:
        """Tell with the next report that a trial has ended, and whether it was trained here."""
        self._ended[config.trial_id] = was_trained

    def send(self, epoch: EpochEnded | None = None, failure: Failure | None = None) -> None:
        """Report now."""
        self._sent_at = time.monotonic()
        self._deliver(Report(self._ended, epoch, failure))
        self._ended = {}


def resources(config: dict[str, Any]) -> Any:
    """Return what of a machine Ray Tune gives a bundle."""
    from ray import tune

    share = config["job"].share
    wanted = {"CPU": share.cpus, "GPU": share.gpu, "memory": code_mark(config["job"])}
    return tune.PlacementGroupFactory([{kind: amount for kind, amount in wanted.items() if amount}])


def code_mark(job: BundleJob) -> int:
    """Return so many bytes, less than a million or so, that they tell a user's own code from other code; else 0.

    Tune has a process go on with another bundle that asks for the very same resources, these among them.
    """
    own = job.trials[0].config.own_code
    return 1 + int(content_id([choice.model_dump() for choice in own]), 16) % 2**20 if own else 0


def train_for_tune(config: dict[str, Any]) -> None:
    """Train a bundle, as Ray Tune's function trainable, whose reports need a metric."""
    from ray import tune

    job: BundleJob = config["job"]
    waiting = job.place.waiting(job.name)

    def deliver(report: Report) -> None:
        with suppress(OSError):  # a full disk: then the wait counts as work
            waiting.touch()
        tune.report({"metric": 0.0, "report": report})
        waiting.unlink(missing_ok=True)

    with ended_by(job.place.over(job.name)):
        train(job, Reporter(deliver))


def train(job: BundleJob, reporter: Reporter) -> None:
    """Train a bundle in a process of its own; see `train_trials`."""
    import_own_code((trial.config for trial in job.trials), job.packaged)
    train_trials(job, reporter, prepare_process(job.share.threads, "cuda" if job.share.gpu else "cpu"))


def train_trials(job: BundleJob, reporter: Reporter, device: str) -> None:
    """Train the trials of a bundle one after another; once stopped, no further one.

    What a trial itself got wrong is its result, and it raises nothing. What is not the trial's fault (a full disk, no
    memory, a GPU in a bad state) is raised, so that the driver has the trial tried again in a new process.
    """
    import torch._dynamo  # noqa: F401 - the first optimizer would, and its seconds would count as the trial's

    stop_file, where = job.place.stop_file, machine(device)
    for trial in job.trials:
        if stop_file.exists():  # Tune starts what it was given before
            break
        config, folder = trial.config, Runs(job.place.runs).trial(trial.config.trial_id)
        with folder.locked(give_up=stop_file.exists) as is_held:
            was_trained = is_held and not folder.is_trained  # else another sweep has trained it meanwhile
            if was_trained:
                with TrialLog(folder.log_path) as log:
                    log.say(f"start: {describe(config)} on {where}")
                    limit = time_limit(job.place.seconds, job.place.trace(config.trial_id))
                    with limit, log.with_warnings(), kept_state(log.say):
                        _train(trial, job, folder, device, reporter, log)
                    _measure_if_tiny(job, folder, device, log)
        reporter.note_end(config, was_trained)
    reporter.send()


def _train(
    trial: TrialJob, job: BundleJob, folder: TrialFolder, device: str, reporter: Reporter, log: TrialLog
) -> None:
    from autoreg.training.loop import train_trial

    config, last = trial.config, 0

    def on_epoch(epoch: Epoch) -> None:
        nonlocal last
        if not last and epoch.epoch > 1:
            log.say(f"continued after epoch {epoch.epoch - 1}")
        last = epoch.epoch
        log.epoch(epoch, config.epochs)
        reporter.note_epoch(job.name, config, epoch)

    try:
        check_own_code(config)
        result = train_trial(
            config,
            folder,
            root=job.place.data,
            device=device,
            prune_below=trial.prune_below,
            parent=Runs(job.place.runs).trial(trial.parent) if trial.parent else None,
            has_successor=trial.has_successor,
            kernel=job.share.kernel,
            on_epoch=on_epoch,
            stop=job.place.stop_file.exists,
        )
    except Exception as error:
        failure = failure_of(error)
        if failure.kind is not Kind.TRIAL:
            log.say(f"not the trial's fault:\n{traceback.format_exc().strip()}")
            reporter.send(failure=failure)
            raise
        trace = traceback.format_exc().strip()
        log.say(f"failed:\n{trace}")
        folder.write_config(config)
        folder.write_result(TrialResult.failed(f"{type(error).__name__}: {error}\n{trace[-2000:]}"))
    else:
        if result:
            log.result(result)
        else:
            log.say("stopped; its state is saved")
    finally:
        give_memory_back(device)


def _measure_if_tiny(job: BundleJob, folder: TrialFolder, device: str, log: TrialLog) -> None:
    """Measure a trial here that trained so fast that a task of its own would take longer.

    If that goes wrong the trial is not measured; a task then tries again, and tells what is wrong. Metrics of the
    user's own are left to a task too, whose process ends with it: here others are trained.
    """
    if not folder.is_trained or folder.read_config().kind != "final":
        return
    result = folder.read_result()
    if result.status != "done" or result.seconds > SECONDS_OF_A_TINY_TRIAL:
        return
    with suppress(Exception), time_limit(job.place.seconds, job.place.trace(folder.trial_id)):
        _measure(job.packaged, job.place.data, folder, device, log)
    give_memory_back(device)


def _measure(
    measurements: Sequence[Measurement], data: Path | None, folder: TrialFolder, device: str, log: TrialLog
) -> None:
    """Measure a trial, and note in its log what was measured, or why it could not be."""

    def note(measurement: Measurement, rows: int, seconds: float) -> None:
        log.say(f"measured {measurement.metric} on {measurement.split}: {rows} rows in {seconds:.3g} s")

    try:
        with log.with_warnings(), kept_state(log.say):
            check_own_code(folder.read_config())
            measure_trial(folder, list(measurements), data, device, on_measured=note)
    except Exception:
        log.say(f"not measured:\n{traceback.format_exc().strip()}")
        raise


def measure(job: MeasuringJob) -> None:
    """Measure one trial in a process of its own; see `measure_one`.

    It takes no share of a GPU from Ray, or it would wait until the training leaves one; it uses the emptiest.
    """
    with suppress(DataError):  # which is told when the trial is measured
        import_own_code([Runs(job.place.runs).trial(job.trial_id).read_config()], job.measurements)
    measure_one(job, prepare_process(1, emptiest_gpu()))


def measure_one(job: MeasuringJob, device: str) -> None:
    """Measure one trial.

    Raises:
        DamagedCheckpoint: there are no weights to measure; the trial is then no longer a trained one.
    """
    folder = Runs(job.place.runs).trial(job.trial_id)
    with (
        folder.locked(),
        time_limit(job.place.seconds, job.place.trace(job.trial_id)),
        TrialLog(folder.log_path) as log,
    ):
        try:
            _measure(job.measurements, job.place.data, folder, device, log)
        except DamagedCheckpoint as error:
            folder.discard(first_line(error))
            raise
        finally:
            give_memory_back(device)
