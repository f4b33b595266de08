"""What runs inside Ray: training one trial, measuring one trial."""

import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autoreg.config.trial import TrialConfig
from autoreg.errors import first_line, is_the_machines
from autoreg.metrics.measure import Measurement, measure_trial
from autoreg.orchestrator.ray_runtime.process import emptiest_gpu, give_memory_back, machine, prepare_process
from autoreg.orchestrator.ray_runtime.time_limit import time_limit
from autoreg.runs.describe import describe
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.log import TrialLog
from autoreg.runs.records import Epoch, TrialResult
from autoreg.training.checkpoints import DamagedCheckpoint

#: Tune is told of a trial's progress at most this often; a tiny trial is over before that.
SECONDS_BETWEEN_REPORTS = 1.0
#: A trial that trains for longer is measured by a task of its own, beside the training of others.
SECONDS_OF_A_TINY_TRIAL = 2.0


def train(tune_config: dict[str, Any]) -> None:
    """Train the trials of a pack one after another, as Ray Tune's function trainable; once stopped, no further one.

    What a trial itself got wrong is its result, and it raises nothing. What the machine got wrong (a full disk, no
    memory, a GPU in a bad state) is raised, so that the schedule tries again in a new process.
    """
    order = tune_config["order"]
    stop_file = Path(order["stop_file"])
    device = prepare_process(order["threads"], "cuda" if order["gpu"] else "cpu")
    import torch._dynamo  # noqa: F401 - the first optimizer would, and its seconds would count as the trial's

    where, reports = machine(device), Reports()
    for trial in order["trials"]:
        if stop_file.exists():  # Tune starts what it was given before
            break
        config = TrialConfig.model_validate_json(trial["config"])
        folder = Runs(Path(order["runs"])).trial(config.trial_id)
        with folder.locked(give_up=stop_file.exists) as held:
            trained = held and not folder.is_trained  # else another sweep has trained it meanwhile
            if trained:
                with TrialLog(folder.log_path) as log:
                    log.say(f"start: {describe(config)} on {where}")
                    with time_limit(order["time_limit"], Path(trial["trace"])), log.with_warnings():
                        _train(config, folder, order, trial, device, reports, log)
                    _measure_if_tiny(config, folder, order, trial, device, log)
        reports.ended(config, trained)
    reports.send()


class Reports:
    """What a pack tells Ray Tune: at most once a second, since each report waits until the driver takes it."""

    def __init__(self) -> None:
        self._sent_at = time.monotonic()
        self._ended: dict[str, bool] = {}

    def epoch(self, config: TrialConfig, epoch: Epoch) -> None:
        """Tell how far a trial is."""
        if time.monotonic() - self._sent_at >= SECONDS_BETWEEN_REPORTS:
            told = {
                "epoch": epoch.epoch,
                "loss": epoch.train_loss,
                "accuracy": epoch.validation_accuracy,
                "seconds": epoch.seconds,
            }
            self.send(running=config.trial_id, **told)

    def ended(self, config: TrialConfig, trained: bool) -> None:
        """Tell with the next report that a trial has ended, and whether it was trained here."""
        self._ended[config.trial_id] = trained

    def send(self, **running: Any) -> None:
        """Report now."""
        from ray import tune

        self._sent_at = time.monotonic()
        tune.report({"accuracy": 0.0, "ended": self._ended, **running})
        self._ended = {}


def _train(
    config: TrialConfig,
    folder: TrialFolder,
    order: dict[str, Any],
    trial: dict[str, Any],
    device: str,
    reports: Reports,
    log: TrialLog,
) -> None:
    from autoreg.training.loop import train_trial

    begun = 0

    def on_epoch(epoch: Epoch) -> None:
        nonlocal begun
        if not begun and epoch.epoch > 1:
            log.say(f"continued after epoch {epoch.epoch - 1}")
        begun = epoch.epoch
        log.epoch(epoch, config.epochs)
        reports.epoch(config, epoch)

    try:
        result = train_trial(
            config,
            folder,
            root=Path(order["root"]) if order["root"] else None,
            device=device,
            prune_below=trial["prune_below"],
            shorter=Runs(Path(order["runs"])).trial(trial["shorter"]) if trial["shorter"] else None,
            is_continued=trial["is_continued"],
            on_epoch=on_epoch,
            stop=Path(order["stop_file"]).exists,
        )
    except Exception as error:
        if is_the_machines(error):
            log.say(f"let down by the machine:\n{_trace(error)}")
            raise
        log.say(f"failed:\n{_trace(error)}")
        folder.write_config(config)
        folder.write_result(failed_result(error))
    else:
        if result:
            log.result(result)
        else:
            log.say(f"stopped after epoch {begun}; its state is saved")
    finally:
        give_memory_back(device)


def _measure_if_tiny(
    config: TrialConfig,
    folder: TrialFolder,
    order: dict[str, Any],
    trial: dict[str, Any],
    device: str,
    log: TrialLog,
) -> None:
    """Measure a trial here that trained so fast that a task of its own would take longer.

    If that goes wrong the trial is not measured; a task then tries again, and tells what is wrong.
    """
    if config.kind != "final" or not folder.is_trained:
        return
    result = folder.read_result()
    if result.status != "done" or result.seconds > SECONDS_OF_A_TINY_TRIAL:
        return
    root = Path(order["root"]) if order["root"] else None
    with suppress(Exception), time_limit(order["time_limit"], Path(trial["trace"])):
        _measure(folder, order["measurements"], root, device, log)
    give_memory_back(device)


def _measure(folder: TrialFolder, wanted: list[Measurement], root: Path | None, device: str, log: TrialLog) -> int:
    """Measure a trial, and note in its log what was measured, or why it could not be."""

    def note(measurement: Measurement, rows: int, seconds: float) -> None:
        log.say(f"measured {measurement.metric} on {measurement.split}: {rows} rows in {seconds:.3g} s")

    try:
        with log.with_warnings():
            return measure_trial(folder, wanted, root, device, on_measured=note)
    except Exception as error:
        log.say(f"not measured:\n{_trace(error)}")
        raise


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).strip()


def failed_result(error: BaseException, where: str | None = None) -> TrialResult:
    """Return the result of a trial that an error ended; the last lines say where it was, if not given its traceback."""
    trace = _trace(error)[-2000:] if where is None else where[:2000]
    return TrialResult(
        status="failed",
        error=f"{type(error).__name__}: {error}\n{trace}".strip(),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def measure(
    trial_id: str, runs: str, wanted: list[Measurement], root: str | None, seconds: float | None, trace: str
) -> int:
    """Measure one trial, as a Ray remote task; return the number of new measurements.

    It takes no share of a GPU from Ray, or it would wait until the training leaves one; it uses the emptiest.

    Args:
        trial_id: the trial.
        runs: the run folder.
        wanted: what is measured.
        root: the folder that holds data, or None for AUTOREG_DATA.
        seconds: how long it may take; see `time_limit`.
        trace: where it leaves its stacks if it takes longer.

    Raises:
        DamagedCheckpoint: there are no weights to measure; the trial is then no longer a trained one.
    """
    device = prepare_process(1, emptiest_gpu())
    folder = Runs(Path(runs)).trial(trial_id)
    with folder.locked(), time_limit(seconds, Path(trace)), TrialLog(folder.log_path) as log:
        try:
            return _measure(folder, wanted, Path(root) if root else None, device, log)
        except DamagedCheckpoint as error:
            folder.discard(first_line(error))
            raise
        finally:
            give_memory_back(device)
