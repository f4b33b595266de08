"""A sweep in a made-up world, begun again until it is done; after each run of it, what must hold is looked at."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator import runner as runners
from autoreg.orchestrator import study
from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.driver import Driver
from autoreg.orchestrator.events import Connected
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.orchestrator.recorder import Summary
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from autoreg.runs.records import DamagedResult
from tests.faults.simulation.backend import SimulatedBackend
from tests.faults.simulation.checks import check_end, check_run, check_stop
from tests.faults.simulation.disasters import damage, plan_disasters
from tests.faults.simulation.rows import Rows, RowsWriter
from tests.faults.simulation.world import DriverKilled, World
from tests.helpers.fixtures import TEXT

#: Sweeps of 12 trials: with a search, without, with trials that go on from shorter ones.
SHAPES = (
    ("tune.trials=4", "tune.startup=2"),
    ("tune=null", "replicates=6"),
    ("tune=null", "replicates=3", "grid.epochs=[2,3]"),
)
#: A sweep is begun again at most so often; the last times nothing goes wrong any more.
RUNS_AT_MOST, RUNS_WITH_FAULTS = 8, 4


@cache
def plan_of(shape: int, overrides: tuple[str, ...]) -> Plan:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "small.yaml"
        file.write_text(TEXT)
        return make_plan(load_sweep(file, (*SHAPES[shape], *overrides)))


#: What Optuna drew, by the search, the proposal's number and what was known then.
_drawn: dict[Any, Any] = {}


@contextmanager
def made_up(world: World, driver: type[Driver]) -> Iterator[None]:
    """Have autoreg see the world's clock and disk, and draw the same proposals once only."""
    draw, ticks = study._draw, iter(range(1_000_000))

    def drawn_once(search: study.Search, number: int) -> study.Hyperparameters:
        known = [(proposal.trial_id, search.score(proposal)) for proposal in search.proposals]
        key = (search.study_id, number, str(known))
        if key not in _drawn:
            _drawn[key] = draw(search, number)
        return dict(_drawn[key])

    clock = SimpleNamespace(time=lambda: world.now, time_ns=lambda: next(ticks))
    with (
        patch.object(runners, "time", clock),
        patch.object(runners, "Driver", driver),
        patch.object(study, "_draw", drawn_once),
        patch("autoreg.files.write_atomically", world.write),
    ):
        yield


class Simulation:
    """One seed.

    Args:
        seed: what happens follows from it.
        driver: the class under test.
    """

    def __init__(self, seed: int, driver: type[Driver] = Driver) -> None:
        self.world, self.driver = World(seed), driver
        rng = self.world.rng
        self.slots, self.has_limit, self.retries_failed = rng.choice((1, 2, 3)), rng.random() < 0.7, rng.random() < 0.3
        self.has_failed = False
        limits = ("resources.time_limit_hours=0.05",) if self.has_limit else ()
        self.shape, self.limits, self.is_calm = rng.randrange(len(SHAPES)), limits, False
        self.rows = Rows(self.world)
        self.how: list[str] = []
        self.ended: dict[str, str] = {}

    @property
    def plan(self) -> Plan:
        return plan_of(self.shape, self.limits)

    def run(self) -> None:
        """Run the sweep until it is done. Raises AssertionError if something does not hold."""
        # Files in memory, where there are any.
        memory = Path("/dev/shm")
        folder = Path(tempfile.mkdtemp(prefix="simulated-", dir=memory if memory.is_dir() else None))
        try:
            with made_up(self.world, self.driver):
                self._run(Runs(folder / "runs"))
        finally:
            shutil.rmtree(folder)

    def _run(self, runs: Runs) -> None:
        for number in range(RUNS_AT_MOST):
            self._set_rates(is_wild=number < RUNS_WITH_FAULTS and not self.is_calm)
            self._note_failed(runs)
            if self.is_wild:
                damage(self.world, runs)
            runner = self._new_runner(runs)
            backend = SimulatedBackend(self.world, runner, self.slots)
            how, summary = self._run_once(runner, backend)
            self.how.append(how)
            self.world.say(f"run {number}: {how}")
            shutil.rmtree(runs.scratch, ignore_errors=True)  # as the reaper does
            if summary is not None:
                check_run(self.world, self.rows, runner, summary, backend.losses)
            if how == "ended" and summary and not summary.interrupted and not self._has_storage_problem(summary):
                break
        else:
            raise AssertionError(f"not done after {RUNS_AT_MOST} runs: {self.how}")
        self.ended = check_end(self.world, runner)
        if not (self.has_failed or self.is_calm or "failed" in self.ended.values()):
            assert self.ended == undisturbed(self.shape), "other trials than those of an undisturbed sweep"

    def _set_rates(self, *, is_wild: bool) -> None:
        world, rng, rates = self.world, self.world.rng, self.world.rates
        world.is_disk_full, world.kill_driver_at_write, world.writes_of_driver = False, 0, 0
        self.is_wild = is_wild
        world.hangs, world.asked_to_stop_at = 0, None
        for name in ("training", "measuring", "message", "second_sweep"):
            setattr(rates, name, rng.choice((0.0, 0.1, 0.3, 0.6)) if is_wild else 0.0)
        if is_wild and rng.random() < 0.3:
            world.kill_driver_at_write = rng.randint(1, 30)

    def _note_failed(self, runs: Runs) -> None:
        """Look which trials have failed, and let those that are to be trained again be none that was trained."""
        for folder in runs.trials():
            with suppress(DamagedResult):  # which the run before was killed too early to see
                if folder.read_result().status == "failed":
                    self.has_failed = True
                    self.world.discarded[folder.trial_id] += self.retries_failed

    def _new_runner(self, runs: Runs) -> SweepRunner:
        runner = SweepRunner(self.plan, runs, runs.root / "results.db")
        runner.recorder.writer = RowsWriter(self.rows, runs)  # type: ignore[assignment]
        runner.display = SimpleNamespace(  # type: ignore[assignment]
            line=lambda text, *_: self.world.say(f"    says: {text}"), update=lambda: None
        )
        runner.live_file = SimpleNamespace(kept=nullcontext, update=lambda: None)  # type: ignore[assignment]
        return runner

    def _run_once(self, runner: SweepRunner, backend: SimulatedBackend) -> tuple[str, Summary | None]:
        try:
            runner.begin(retry_failed=self.retries_failed)
            if runner.driver.has_work:
                if self.is_wild:
                    plan_disasters(self.world, runner, backend, has_limit=self.has_limit)
                self._outlive(runner, backend)
            check_stop(self.world)
            return "ended" if backend.losses < 2 else "lost", runner.end()
        except (DriverKilled, KeyboardInterrupt) as error:
            return type(error).__name__, None
        except OSError:
            if not self.world.is_disk_full:
                raise
            return "a full disk", None
        finally:
            self._end_processes()

    @staticmethod
    def _outlive(runner: SweepRunner, backend: SimulatedBackend) -> None:
        """Run a sweep, and go on with it once more if its backend is lost, as `autoreg.orchestrator.run` does."""
        for is_last in (False, True):
            runner.tell(Connected(backend.machine))
            try:
                runner.run(backend)
            except BackendLost as error:
                backend.lose()
                runner.lose_backend(str(error), is_last)
                if not (is_last or runner.stop_requested):
                    continue
            break

    def _end_processes(self) -> None:
        """Have the reaper end what the driver leaves; if it was killed with it, processes go on by themselves."""
        for process in list(self.world.processes):
            process.at_end = lambda _: None
            if process.is_hung or not self.world.strikes(0.3):
                self.world.end(process, "the sweep is gone")
        self.world.forget()

    @staticmethod
    def _has_storage_problem(summary: Summary) -> bool:
        return any("cannot be written" in problem for problem in summary.problems)


@cache
def undisturbed(shape: int) -> dict[str, str]:
    """Return how each trial of a sweep ends if nothing happens."""
    calm = Simulation(0)
    calm.shape, calm.is_calm = shape, True
    calm.run()
    return calm.ended
