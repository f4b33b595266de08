"""What befalls a sweep from outside: signals, disks, nodes, other sweeps, damage."""

from collections.abc import Callable

from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.jobs import BundleJob, Place, Share, TrialJob
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from tests.faults.simulation import processes
from tests.faults.simulation.backend import SimulatedBackend
from tests.faults.simulation.world import World


def plan_disasters(world: World, runner: SweepRunner, backend: SimulatedBackend, *, has_limit: bool) -> None:
    """Have things go wrong in the first minute of a run; who waits for a hanging process loses patience in the end."""
    rng = world.rng

    def somewhen(chance: float, action: Callable[[], object]) -> None:
        if rng.random() < chance:
            world.after(rng.uniform(0.0, 60.0), action)

    def ctrl_c() -> None:
        world.say("Ctrl-C")
        runner.request_stop()
        world.asked_to_stop_at = world.now

    def ctrl_c_twice() -> None:
        world.say("Ctrl-C twice")
        runner.request_stop()
        backend.error = KeyboardInterrupt()

    def fill_disk() -> None:
        world.say("the disk is full")
        world.is_disk_full = True
        world.after(rng.uniform(1.0, 60.0), lambda: setattr(world, "is_disk_full", False))

    def lose_raylet() -> None:
        world.say("the raylet is gone")
        world.blows += len(world.processes)
        for process in list(world.processes):
            world.end(process, processes.KILLED)
        if rng.random() < 0.5:
            backend.error = BackendLost("Tune has lost its node")

    somewhen(0.25, ctrl_c)
    somewhen(0.05, ctrl_c_twice)
    somewhen(0.1, fill_disk)
    somewhen(0.15, lose_raylet)
    somewhen(world.rates.second_sweep, lambda: _begin_second_sweep(world, runner))
    if not has_limit:
        world.after(3000.0, ctrl_c_twice)


def _begin_second_sweep(world: World, runner: SweepRunner) -> None:
    """Have somebody else's process train a trial of this sweep, as far as it can get at it."""
    jobs = [config for _, config in runner.driver.schedule.planned()]
    config = world.rng.choice(jobs) if jobs else None
    if config is None:
        return
    place = Place(runner.runs.root, None, runner.runs.root / "elsewhere", seconds=180.0)
    job = BundleJob("second sweep", (TrialJob(config),), tuple(runner.plan.measurements), place, Share())
    world.start(f"second sweep {config.trial_id}", processes.train(world, job, lambda _: None), lambda _: None)


def damage(world: World, runs: Runs) -> None:
    """Have a file of an earlier run damaged."""
    folders = runs.trials()
    if folders and world.strikes(0.2):
        folder = world.rng.choice(folders)
        world.say(f"{folder.trial_id}/result.json is damaged")
        world.discarded[folder.trial_id] += folder.result_path.read_text() != "{"
        folder.result_path.write_text("{")
