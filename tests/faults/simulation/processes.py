"""What processes do in place of `autoreg.orchestrator.ray_runtime.worker`: as much, in the same order, on files."""

import math
from collections.abc import Callable, Sequence

from autoreg import files
from autoreg.config.trial import TrialConfig
from autoreg.metrics.measure import Measurement, is_measured
from autoreg.orchestrator import events as ev
from autoreg.orchestrator.failure import Failure, Kind, failure_of
from autoreg.orchestrator.jobs import BundleJob, MeasuringJob, Place, TrialJob
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import TrialResult
from tests.faults.simulation.world import Died, Process, Work, World
from tests.helpers.simulated import result_of

Tell = Callable[[ev.Report], object]

KILLED = "The actor died unexpectedly before finishing this task."
EXITED = "ray.exceptions.RayError: the worker exited"
UNREACHED = "The actor 1a is unavailable: The actor is temporarily unavailable: RpcError: Unavailable rpc_code: 14."
BLOWS = ("killed", "exits", "hangs", "raises", "transient", "memory", "killed after its result", "unreached")


def seconds_of(config: TrialConfig) -> float:
    """How long an epoch takes: some trials are tiny, so that they are bundled and measured where they are trained."""
    return (0.1, 0.4, 12.0)[int(config.trial_id[0], 16) % 3]


def train(world: World, job: BundleJob, tell: Tell) -> Callable[[Process], Work]:
    """Return what the process of a bundle does."""

    def work(process: Process) -> Work:
        ended: dict[str, bool] = {}
        stopped = job.place.stop_file.exists
        for trial in job.trials:
            if stopped():
                break
            trial_id, folder = trial.trial_id, Runs(job.place.runs).trial(trial.trial_id)
            yield from world.hold(process, trial_id, stopped)
            is_held = world.holds(process, trial_id)
            was_trained = is_held and not folder.is_trained
            if was_trained:
                yield from _train(world, process, job, trial, folder, tell)
                if _is_tiny(folder):
                    write_measurements(job.packaged, folder)
            if is_held:
                world.let_go(trial_id)
            ended[trial_id] = was_trained
            if world.strikes(0.5):  # a second has passed since the last report
                tell(ev.Report(ended))
                ended = {}
        tell(ev.Report(ended))

    return work


def _train(world: World, process: Process, job: BundleJob, trial: TrialJob, folder: TrialFolder, tell: Tell) -> Work:
    config, trial_id = trial.config, trial.trial_id
    world.tries[trial_id, job.place.scratch] += 1
    blow = world.rng.choice(BLOWS) if world.strikes(world.rates.training) else ""
    strikes_at = world.rng.randint(1, config.epochs)
    world.blows += bool(blow)
    world.say(f"{process.name}: trains {trial_id}{f', {blow}' if blow else ''}")
    if blow == "memory" and trial.is_alone and world.strikes(0.5):
        blow = ""
    for epoch in range(1, config.epochs + 1):
        for _ in range(math.ceil(seconds_of(config))):  # within an epoch too, it looks once a second
            yield min(1.0, seconds_of(config))
            if job.place.stop_file.exists():
                return
        if epoch == strikes_at:
            match blow:
                case "killed":
                    raise Died(KILLED)
                case "exits":
                    raise Died(EXITED)
                case "hangs":
                    yield from _hang(world, process, job.place, trial_id)
                case "raises":
                    folder.write_config(config)
                    folder.write_result(TrialResult.failed("ValueError: no"))
                    world.trained[trial_id] += 1
                    return
                case "unreached":  # it goes on, and its next report is never taken
                    world.tries[trial_id, job.place.scratch] -= 1
                    process.at_end(UNREACHED)
                    process.at_end = lambda _: None
                    while not job.place.over(job.name).exists():
                        yield 1.0
                    raise Died(EXITED)
                case "transient" | "memory":
                    _raise(OSError("the network share is gone") if blow == "transient" else MemoryError("no"), tell)
        if world.strikes(0.3):
            tell(ev.Report({}, ev.EpochEnded(job.name, trial_id, epoch, 1.0, 0.5, seconds_of(config))))
    try:
        folder.write_config(config)
        folder.write_result(result_of(config, seconds=seconds_of(config)))
    except OSError as error:
        _raise(error, tell)
    world.trained[trial_id] += 1
    if blow == "killed after its result":
        raise Died(KILLED)


def _raise(error: Exception, tell: Tell) -> None:
    tell(ev.Report({}, failure=failure_of(error)))
    raise Died(f"{type(error).__name__}: {error}")


def _hang(world: World, process: Process, place: Place, trial_id: str) -> Work:
    """Stand still until the time limit, if there is one."""
    world.hangs += 1
    if place.seconds is None:
        process.is_hung = True
        while True:
            yield 1000.0
    yield place.seconds
    place.trace(trial_id).parent.mkdir(parents=True, exist_ok=True)
    place.trace(trial_id).write_text("net.py, line 3")
    raise Died(KILLED)


def _is_tiny(folder: TrialFolder) -> bool:
    if not folder.is_trained or folder.read_config().kind != "final":
        return False
    result = folder.read_result()
    return result.status == "done" and result.seconds < 1


def write_measurements(measurements: Sequence[Measurement], folder: TrialFolder) -> None:
    """Write what measuring leaves; a full disk leaves less."""
    for measurement in measurements:
        path = measurement.of([]).path(folder)
        if not path.is_file():
            files.write_atomically(path, lambda temporary: temporary.write_bytes(b"rows"))


def measure(
    world: World, job: MeasuringJob, tell: Callable[[Failure | None, bool], object]
) -> Callable[[Process], Work]:
    """Return what the process that measures a trial does; `tell` is told of a failure, and whether it is damage."""

    def work(process: Process) -> Work:
        folder = Runs(job.place.runs).trial(job.trial_id)
        yield from world.hold(process, job.trial_id, lambda: False)
        if is_measured(folder, [], job.measurements):  # by a process that has outlived its sweep
            tell(None, False)
            return
        blows = ("killed", "hangs", "memory", "raises", "damaged")
        blow = world.rng.choice(blows) if world.strikes(world.rates.measuring) else ""
        world.say(f"{process.name}: begins{f', {blow}' if blow else ''}")
        yield world.rng.uniform(0.5, 4.0)
        match blow:
            case "killed":
                raise Died(KILLED)
            case "hangs":
                yield from _hang(world, process, job.place, job.trial_id)
            case "memory":
                tell(failure_of(MemoryError("no")), False)
                return
            case "raises":
                tell(failure_of(ValueError("no")), False)
                return
            case "damaged" if folder.is_trained:
                folder.discard("checkpoint.pt was damaged")
                world.discarded[job.trial_id] += 1
                tell(Failure(Kind.TRIAL, "checkpoint.pt was damaged"), True)
                return
        if not folder.is_trained:  # a second sweep has found it damaged
            tell(Failure(Kind.TRIAL, "checkpoint.pt is missing"), True)
            return
        try:
            write_measurements(job.measurements, folder)
        except OSError as error:
            tell(failure_of(error), False)
        else:
            assert is_measured(folder, [], job.measurements)
            tell(None, False)

    return work
