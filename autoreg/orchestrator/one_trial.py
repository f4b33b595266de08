"""One final trial of a sweep in this process, without Ray: for debuggers, profilers and array jobs."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from autoreg.config.group import setting_labels
from autoreg.config.trial import TrialConfig
from autoreg.database.writer import Writer
from autoreg.errors import AutoregError, ConfigError, DataError, did_you_mean, first_line
from autoreg.orchestrator.endings import Endings
from autoreg.orchestrator.events import Report
from autoreg.orchestrator.failure import failure_of
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob, Place, Share, TrialJob, share_of
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.ray_runtime import worker
from autoreg.orchestrator.ray_runtime.own_code import import_own_code
from autoreg.orchestrator.ray_runtime.signals import StopOnSignal
from autoreg.orchestrator.recorder import PATIENCE, Recorder, Summary
from autoreg.orchestrator.resume import known_result
from autoreg.orchestrator.running import RunningBundles
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.describe import describe, outcome
from autoreg.runs.folder import Runs
from autoreg.training.trained import check_data

#: A final trial and its group; None in place of the trial while the search for its setting is not finished.
Numbered = tuple[GroupState, TrialConfig | None]


def final_trials(schedule: Schedule) -> list[Numbered]:
    """Return the final trials of a sweep, whose numbers stay the same while the sweep file does."""
    numbered: list[Numbered] = []
    for state in schedule.states:
        finals = state.final_trials() or dict.fromkeys(map(str, range(state.group.final_count)))
        numbered += [(state, config) for config in finals.values()]
    return numbered


def run_trial(
    plan: Plan,
    runs: Runs,
    database: Path,
    index: int,
    *,
    device: str | None = None,
    retry_failed: bool = False,
    say: Callable[[str], object] = lambda _: None,
) -> Summary:
    """Train and measure one final trial of a sweep as `run_sweep` would, and say how it ended.

    What was done before is not done again. The first Ctrl-C has it save its state and end; `resources` other
    than `cpus` and `gpu` do not apply.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        database: results.db, made if it is not there.
        index: which of `final_trials`, from 0.
        device: `cpu`, `cuda` or `cuda:N`; None for a GPU if there is one and the sweep's `resources.gpu` asks for it.
        retry_failed: train the trial again if it has failed.
        say: is told what happens, line by line.

    Raises:
        ConfigError: there is no such trial or device.
        DataError: the search for its setting is not finished, it was trained on other data, or the run folder cannot be
            written.
        DatabaseError: results.db is damaged or from a newer version.
    """
    schedule = plan.schedule(runs)
    state, config = _chosen(schedule, index)
    share, device = _place_on(plan, config, device)
    folder, endings, trained_here = runs.trial(config.trial_id), Endings(), False
    with TemporaryDirectory(prefix="autoreg-") as scratch:
        place = Place(runs.root, plan.root and plan.root.absolute(), Path(scratch))
        recorder = Recorder(plan, Writer(database, runs), place)
        recorder.commit(schedule.planned())
        if result := known_result(folder, say, retry_failed):
            for line in check_data(folder, result, plan.fingerprints(config)):
                say(line)
        import_own_code([config], plan.measurements)
        torch.set_num_threads(share.threads)
        try:
            if not folder.is_trained:
                trained_here = _train(plan, state, config, place, share, device, say)
            if not folder.is_trained:
                return Summary(interrupted=True)
            result = folder.read_result()
            endings.add(config, result, is_here=trained_here)
            say(outcome(config, result) + ("" if trained_here else " (was trained already)"))
            if result.status == "done" and not recorder.is_measured(folder, result):
                worker.measure_one(MeasuringJob(config.trial_id, tuple(plan.measurements), place), device)
                say(f"measured {describe(config)}")
        except Exception as error:  # which stands in the trial's log
            why = first_line(error) if isinstance(error, AutoregError) else failure_of(error).why
            if config.trial_id not in endings:
                return Summary(problems=[f"{config.trial_id}  not trained: {describe(config)}: {why}"])
            endings.add_unmeasured(config.trial_id, why)
        if folder.is_trained:  # else its weights were damaged
            folder.write_config(config)  # or a damaged one would keep its rows out
            recorder.add(folder)
        if not recorder.commit(schedule.planned()):
            say(f"waiting for {database}, which another process holds…")
            recorder.commit(schedule.planned(), PATIENCE)
    problems = [*endings.problems.values(), *recorder.writer.problems]
    return Summary(endings.trained, endings.skipped, problems, recorder.writer.pending)


def _chosen(schedule: Schedule, index: int) -> tuple[GroupState, TrialConfig]:
    trials = final_trials(schedule)
    if not 0 <= index < len(trials):
        raise ConfigError(f"the sweep has {len(trials)} final trials, numbered from 0, got {index}")
    state, config = trials[index]
    if config is None:
        raise DataError(f"trial {index} has no hyperparameters: {why_unknown(state)}")
    return state, config


def why_unknown(state: GroupState) -> str:
    """Return why it is not known what the final trials of a group are."""
    [label] = setting_labels([state.group])
    ending = "found none" if state.final_trials() == {} else "is not finished; `autoreg sweep` goes on with it"
    return f"the search for {label} {ending}"


def _place_on(plan: Plan, config: TrialConfig, wanted: str | None) -> tuple[Share, str]:
    """Return what of this machine the trial gets, and its device."""
    gpus = torch.cuda.device_count()
    share = share_of(Machine(os.cpu_count() or 1, gpus=gpus), plan.sweep.resources, config.width, is_alone=False)
    devices = ["cpu", *(["cuda"] if gpus else []), *(f"cuda:{number}" for number in range(gpus))]
    if wanted is not None and wanted not in devices:
        raise ConfigError(f"this machine has no device {wanted!r}{did_you_mean(wanted, devices)}")
    return share, wanted or ("cuda" if share.gpu else "cpu")


def _train(
    plan: Plan,
    state: GroupState,
    config: TrialConfig,
    place: Place,
    share: Share,
    device: str,
    say: Callable[[str], object],
) -> bool:
    """Train the trial, telling of its epochs, and return whether it was trained here and not elsewhere meanwhile."""
    parent = state.group.parent(config)
    shorter = parent.trial_id if parent and state.is_trained(parent.trial_id) else None
    trial = TrialJob(config, parent=shorter, has_successor=state.has_successor(config))
    job = BundleJob(config.trial_id, (trial,), tuple(plan.measurements), place, share)
    running, ended = RunningBundles({}), dict[str, bool]()
    running.add(job)

    def deliver(report: Report) -> None:
        ended.update(report.ended)
        if report.epoch and (progress := running.progress(report.epoch, time.time())):
            say(progress[1])

    say(f"{running.start(job.name, time.time())}; Ctrl-C saves its state, twice stops now")
    with StopOnSignal(place.stop_file.touch):
        worker.train_trials(job, worker.Reporter(deliver), device)
    return ended.get(config.trial_id, False)
