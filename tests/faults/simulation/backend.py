"""What Tune and Ray do between the runner and its processes, with messages that come late, twice or not at all."""

from collections.abc import Callable, Iterator

from autoreg.orchestrator import events as ev
from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.failure import Failure, Kind, failure_in
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob
from autoreg.orchestrator.runner import SweepRunner
from tests.faults.simulation import processes
from tests.faults.simulation.world import Process, World

#: With no process at work for so long, the backend gives up: the promise of its watchdog.
SECONDS_WITHOUT_LIFE = 60.0
#: With no process at work for so long, or with some for ever, a sweep does not end.
SECONDS_WITHOUT_END, SECONDS_AT_MOST = 300.0, 30_000.0


class Hung(AssertionError):
    """The sweep does not end."""


class SimulatedBackend:
    """A backend in a made-up world.

    Args:
        world: where it is.
        runner: the sweep.
        slots: how many processes train at once.
    """

    def __init__(self, world: World, runner: SweepRunner, slots: int) -> None:
        self._world, self._runner, self._slots = world, runner, slots
        self.machine = Machine(cores=slots, slots=slots, measuring_slots=slots)
        self._training: dict[str, BundleJob] = {}
        self._measured: list[ev.Event] = []
        self._own: list[Process] = []
        self._began = self._alive_at = world.now
        #: What happens in place of the next moment: a second Ctrl-C, a Tune that breaks.
        self.error: BaseException | None = None
        #: How often all processes were lost, with what they had to tell.
        self.losses = 0

    def train(self, runner: SweepRunner) -> None:
        world, waiting = self._world, None
        self._alive_at = world.now
        while not (runner.is_over and not self._training):
            while not runner.is_over and (waiting or len(self._training) < self._slots):
                waiting = waiting or runner.next_job()
                taken = sum(job.share.cpus for job in self._training.values())
                if waiting is None or taken + waiting.share.cpus > self._slots:
                    break
                self._start(waiting)
                waiting = None
            if world.now - self._alive_at > SECONDS_WITHOUT_LIFE:
                raise BackendLost("nothing lives, and nothing moves")
            self._advance(0.5)
            runner.tick()

    def measure(self, job: MeasuringJob) -> None:
        world, name = self._world, f"measuring {job.trial_id}"

        def tell(failure: Failure | None, is_damaged: bool) -> None:
            event = ev.MeasuringEnded(job.trial_id, 0.0 if failure else 1.0, failure, is_damaged)
            self._measured += [event] * (2 if world.strikes(world.rates.message) else 1)

        def at_end(text: str | None) -> None:
            if text is not None:
                failure = self._runner.recorder.failure(job.trial_id, Failure(Kind.MEMORY, text))
                self._measured.append(ev.MeasuringEnded(job.trial_id, failure=failure))

        self._own.append(world.start(name, processes.measure(world, job, tell), at_end))

    def measured(self, timeout: float) -> Iterator[ev.Event]:
        if timeout:
            self._advance(timeout)
        while self._measured:
            yield self._measured.pop(0)

    def lose(self) -> None:
        """Have what is left of its processes end, without a word."""
        self.losses += 1
        for process in self._own:
            process.at_end = lambda _: None
            self._world.end(process, "Ray is gone")
        self._training, self._measured, self._own = {}, [], []

    def _advance(self, seconds: float) -> None:
        """Let so much time pass, or more if nothing would happen then."""
        self._world.advance(max(seconds, min(self._world.seconds_to_next, 10.0)))
        if error := self.error:
            self.error = None
            raise error
        now = self._world.now
        if any(process.is_alive for process in self._own):
            self._alive_at = now
        if now - self._alive_at > SECONDS_WITHOUT_END or now - self._began > SECONDS_AT_MOST:
            raise Hung

    def _start(self, job: BundleJob) -> None:
        runner = self._runner

        def at_end(text: str | None) -> None:
            del self._training[job.name]
            self._deliver(lambda: runner.end_bundle(job.name, None if text is None else failure_in(text)))

        self._training[job.name] = job
        self._deliver(lambda: runner.tell(ev.BundleStarted(job.name)))
        tell = lambda report: self._deliver(lambda: runner.take(job.name, report))  # noqa: E731
        self._own.append(self._world.start(f"bundle {job.name}", processes.train(self._world, job, tell), at_end))

    def _deliver(self, message: Callable[[], object]) -> None:
        """Bring a message to the runner at its time, which may be late, twice, or never."""
        world, losses = self._world, self.losses
        fate = world.rng.choice(("late", "twice", "lost")) if world.strikes(world.rates.message) else ""
        delays = {"late": [world.rng.uniform(1, 30)], "twice": [0.01, world.rng.uniform(0.01, 30)], "lost": []}
        for delay in delays.get(fate, [0.01]):
            world.after(delay, lambda: self._take(message, losses))

    def _take(self, message: Callable[[], object], losses: int) -> None:
        """Have the driver's process take a message, and only note an error of ours, as Tune's callback does."""
        world, runner = self._world, self._runner
        if losses != self.losses:
            return
        before, world.inside = world.inside, None
        try:
            message()
        except Exception as error:
            world.say(f"an error of ours: {type(error).__name__}: {error}")
            runner.note_error(error)
        finally:
            world.inside = before
