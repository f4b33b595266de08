"""What a person sees of a sweep: what must be on the screen, at any size of it."""

import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.live_render import LiveRender

from autoreg.config.trial import Choice, TrialConfig
from autoreg.orchestrator.progress.counts import Counts, GroupCounts, MeasuredTrial, RunningTrial
from autoreg.orchestrator.progress.table import clock_time, dashboard, remaining, throughput
from autoreg.orchestrator.progress.terminal import Display, Verbosity, is_interactive

MakeConfig = Callable[..., TrialConfig]


def counts_of(config: MakeConfig, running: int, measuring: int = 0, **more: object) -> Counts:
    now = time.time()
    trials = [RunningTrial(config(replicate=number, epochs=100), now) for number in range(running)]
    for trial in trials:
        trial.update(now, epoch=12, loss=1.2345, accuracy=0.561, seconds=2.0)
    return Counts(
        total=48, skipped=3, done=20, failed=1, measured=4, to_measure=12, began=now - 61,
        running={trial.config.trial_id: trial for trial in trials},
        measuring={str(number): MeasuredTrial(f"mlp number {number}", now - 5) for number in range(measuring)},
        groups=GroupCounts(tuning=2, training=3, done=1), **more,
    )  # fmt: skip


def drawn(counts: Counts, width: int = 80, height: int = 24) -> list[str]:
    """Return what a live display shows on a terminal of this size."""
    console = Console(file=io.StringIO(), width=width, height=height, no_color=True)
    console.print(LiveRender(dashboard(counts)))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_running_trial_is_told_with_its_setting_and_how_far_it_is(config: MakeConfig) -> None:
    lines = drawn(counts_of(config, 2, measuring=1, seconds_left=(130.0, 130.0), trials_per_minute=12.0))
    assert lines[0].split()[0] == "trials"
    assert lines[0].endswith("24/48, 3 skipped, 1 failed")
    assert lines[1].split()[0] == "measured"
    assert lines[1].endswith("4/12, 1 now")
    assert lines[2] == "6 groups: 2 tuning, 3 training, 1 done"
    assert lines[3] == "1:01 elapsed · about 2.2 min left · 12 trials/min"
    assert lines[4].split() == ["running", "width", "lr", "bs", "kind", "epoch", "loss", "acc.", "left"]
    assert lines[5].split() == ["mlp", "he_normal", "1/4x", "0.1", "50", "r0", "12/100", "1.23", "56.1%", "2:56"]
    assert lines[7] == "measuring mlp number 0, for 0:05"


@pytest.mark.parametrize(("width", "height"), [(40, 8), (80, 24), (160, 50), (80, 10), (20, 5)])
@pytest.mark.parametrize(("running", "measuring"), [(0, 0), (1, 1), (200, 9)])
def test_it_fits_its_terminal_and_always_has_the_bars(
    config: MakeConfig, width: int, height: int, running: int, measuring: int
) -> None:
    lines = drawn(counts_of(config, running, measuring), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert [line.split()[0][:5] for line in lines[:4]] == ["trial", "measu", "6", "1:01"]
    if running == 200:
        assert len(lines) == height
        assert lines[-1].strip() == "..."


def test_before_the_first_epoch_nothing_is_invented(config: MakeConfig) -> None:
    begun = RunningTrial(config(kind="tune"), time.time(), more=7)
    lines = drawn(Counts(total=8, skipped=0, to_measure=0, began=time.time(), running={"a": begun}))
    assert lines[5].split() == ["mlp", "he_normal", "+7", "1/4x", "0.1", "50", "tuning", "–/3", "–", "–", "–"]
    assert lines[3].endswith("time left not known yet")


def test_a_users_own_names_are_no_commands(config: MakeConfig) -> None:
    network = Choice.model_construct(name="[bold red]\x1b[2J", options={}, source=None)
    trial = RunningTrial(config().model_copy(update={"network": network}), time.time())
    lines = drawn(Counts(total=1, skipped=0, running={"a": trial}), width=120)
    assert lines[5].startswith("[bold red]?[2J he_normal")


def test_the_time_of_an_epoch_is_smoothed_and_what_is_left_goes_down(config: MakeConfig) -> None:
    trial = RunningTrial(config(epochs=10), 100.0)
    assert trial.seconds_left(100.0) is None
    trial.update(110.0, 1, 2.0, 0.5, 10.0)
    assert trial.seconds_left(115.0) == 85.0
    trial.update(130.0, 2, None, 0.5, 20.0)
    assert trial.seconds_left(130.0) == pytest.approx(8 * 13.0)
    assert trial.seconds_left(1e6) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "time left not known yet"), ((1.0, 2.0), "about 5 s left"), ((42.0, 44.0), "40 to 45 s left"),
        ((130.0, 131.0), "about 2.2 min left"), ((60.0, 600.0), "60 s to 10 min left"),
        ((7200.0, 86400.0), "2 to 24 h left"), ((2e5, 2e5), "about 2.3 days left"),
    ],
)  # fmt: skip
def test_time_left_is_said_no_more_exactly_than_it_is_known(seconds: tuple[float, float] | None, text: str) -> None:
    assert remaining(seconds) == text


def test_durations() -> None:
    assert [clock_time(seconds) for seconds in (-1, 0, 59.6, 3599, 3600, 90061)] == [
        "0:00", "0:00", "1:00", "59:59", "1:00:00", "25:01:01",
    ]  # fmt: skip


def test_speed_is_in_trials_or_else_in_epochs(config: MakeConfig) -> None:
    counts = counts_of(config, 2)
    assert throughput(counts) == "1 epochs/s"
    counts.running.popitem()
    assert throughput(counts) == "30 epochs/min"
    counts.running.clear()
    assert throughput(counts) is None


@pytest.mark.parametrize(
    ("verbosity", "said"),
    [(Verbosity.QUIET, "wrong"), (Verbosity.NORMAL, "wrong ended"), (Verbosity.VERBOSE, "wrong ended started")],
)
def test_as_much_is_said_as_is_wanted(
    config: MakeConfig, verbosity: Verbosity, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = counts_of(config, 1)
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    for display in (Display(counts, verbosity), Display(counts, verbosity, console)):
        with display:
            display.line("wrong", Verbosity.QUIET)
            display.line("ended")
            display.line("started", Verbosity.VERBOSE)
            display.update()
    lines = [f"[24/48] {word}" for word in said.split()]
    printed = [line for line in console.file.getvalue().splitlines() if "[24/48]" in line]  # type: ignore[attr-defined]
    assert all(line.endswith(end) for line, end in zip(printed, lines if verbosity else [], strict=True))
    assert capsys.readouterr().err.splitlines() == (lines if verbosity else lines * 2)


def test_a_burst_of_lines_is_printed_at_once_and_whole(config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    prints: list[str] = []
    monkeypatch.setattr(console, "print", lambda text, **_: prints.append(text))
    display = Display(counts_of(config, 1), console=console)
    for number in range(500):
        display.line(f"trial {number}")
    display._print()
    assert len(prints) < 10
    assert "\n".join(prints).split("\n") == [f"[24/48] trial {number}" for number in range(500)]


@pytest.mark.parametrize(
    ("terminal", "name", "value", "interactive"),
    [(True, "X", "", True), (False, "X", "", False), (True, "NO_COLOR", "1", False), (True, "TERM", "dumb", False)],
)
def test_the_table_is_for_terminals_that_want_it(
    config: MakeConfig, terminal: bool, name: str, value: str, interactive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    assert is_interactive(terminal) == interactive
    assert (Display(counts_of(config, 0))._live is not None) == interactive
    assert Display(counts_of(config, 0), Verbosity.QUIET)._live is None
