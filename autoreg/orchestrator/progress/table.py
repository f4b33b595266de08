"""A running sweep as a table that fits its terminal, whatever its size."""

import time
from collections.abc import Iterable, Iterator
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.constrain import Constrain
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autoreg.errors import printable
from autoreg.orchestrator.progress.counts import Counts, RunningTrial

#: Lines of the terminal that are left to what was said before.
LINES_ABOVE = 3
#: Trials that are being measured take at most so many lines.
MOST_MEASURED = 3
#: A table that is wider is hard to read across.
MOST_COLUMNS = 110
#: The columns of figures, with the least width of each, so that they keep their place.
COLUMNS = {"width": 5, "lr": 7, "bs": 3, "kind": 6, "epoch": 7, "loss": 6, "acc.": 6, "left": 5}


class Dashboard:
    """The trials that run, as many as fit; below them the bars, the groups, and how long it will take.

    Args:
        counts: how the sweep stands; looked at whenever it is drawn.
        title: its first line; none without.
        taken: how many lines of the terminal are for something else.
    """

    def __init__(self, counts: Counts, title: str | None = None, taken: int = LINES_ABOVE) -> None:
        self._counts, self._title, self._taken = counts, title, taken

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it for a terminal of that size."""
        now, counts = time.time(), self._counts
        if self._title:
            yield Text(self._title, style="bold", no_wrap=True, overflow="ellipsis")
        measuring = list(counts.measuring.values())
        shown_measured = measuring[:MOST_MEASURED]
        measured_lines = len(shown_measured) + (len(measuring) > MOST_MEASURED)
        room = console.size.height - self._taken - 5 - bool(self._title) - measured_lines
        table: Iterable[Constrain | Text] = _running(list(counts.running.values()), room, now)
        yield from table
        if not (counts.running or measuring or counts.done or counts.failed):
            yield Text("  starting Ray and its processes…", style="dim")
        for trial in shown_measured if room > 0 else []:
            text = f"  measuring {printable(trial.name)}, for {clock_time(now - trial.since)}"
            yield Text(text, style="dim", no_wrap=True, overflow="ellipsis")
        if room > 0 and len(measuring) > MOST_MEASURED:
            yield Text(f"  and {len(measuring) - MOST_MEASURED} more being measured", style="dim")
        yield _bars(counts, max(5, min(30, options.max_width - 45)))
        for line in _notes(counts, now):
            yield Text(line, no_wrap=True, overflow="ellipsis")


def _running(running: list[RunningTrial], room: int, now: float) -> Iterator[Constrain | Text]:
    """Yield the running trials in at most so many lines, the header among them."""
    if not running or room < 2:
        return
    most = room - 1
    shown = running if len(running) <= most else running[: most - 1]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False, expand=True)
    table.add_column("running", ratio=1, no_wrap=True, overflow="ellipsis")
    for name, width in COLUMNS.items():
        side: Literal["left", "right"] = "left" if name in ("width", "kind") else "right"
        table.add_column(name, justify=side, no_wrap=True, min_width=width)
    for trial in shown:
        table.add_row(*_row(trial, now))
    yield Constrain(table, MOST_COLUMNS)
    if len(shown) < len(running):
        yield Text(f"  and {len(running) - len(shown)} more", style="dim")


def _row(trial: RunningTrial, now: float) -> list[RenderableType]:
    # Words of a user's own, which are no markup.
    name = Text(printable(f"{trial.network} {trial.setting}"))
    name.append(f" +{trial.more}" if trial.more else "", style="dim")
    left = trial.seconds_left(now)
    return [
        name,
        trial.width,
        f"{trial.learning_rate:.3g}",
        str(trial.batch_size),
        Text(trial.kind, style="cyan" if trial.kind == "tuning" else ""),
        f"{trial.epoch or '–'}/{trial.epochs}",
        "–" if trial.loss is None else f"{trial.loss:.3g}",
        "–" if trial.accuracy is None else f"{trial.accuracy:.1%}",
        "–" if left is None else clock_time(left),
    ]


def _bars(counts: Counts, width: int) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    failed = f", {counts.failed} failed" if counts.failed else ""
    cached = f", {counts.cached} cached" if counts.cached else ""
    for name, done, total, note in (
        ("trials", counts.ended, counts.total, cached + failed),
        ("measured", counts.measured, counts.to_measure, ""),
    ):
        bar = ProgressBar(total=max(total, 1), completed=min(done, total), width=width)
        grid.add_row(Text(name, style="bold"), bar, Text(f"{done}/{total}{note}", no_wrap=True))
    return grid


def _notes(counts: Counts, now: float) -> Iterator[str]:
    """Yield a line on the groups, and one on speed and time."""
    groups = vars(counts.groups)
    stand = ", ".join(f"{count} {name}" for name, count in groups.items() if count)
    yield f"{sum(groups.values())} groups: {stand}"
    words = [
        f"{clock_time(now - counts.began)} elapsed",
        "stopping" if counts.stopping else remaining(counts.seconds_left),
    ]
    if speed := throughput(counts):
        words.append(speed)
    yield " · ".join(words)


def throughput(counts: Counts) -> str | None:
    """Return how fast it goes: in trials, or in epochs while hardly any trial has ended; None if unknown."""
    if counts.trials_per_minute is not None:
        return f"{counts.trials_per_minute:.3g} trials/min"
    rate = sum(1 / trial.seconds_per_epoch for trial in counts.running.values() if trial.seconds_per_epoch)
    if not rate:
        return None
    return f"{rate:.3g} epochs/s" if rate >= 1 else f"{60 * rate:.3g} epochs/min"


def remaining(seconds: tuple[float, float] | None) -> str:
    """Return how long it will take in words, as exactly as that is known: `2 to 5 min left`."""
    if seconds is None:
        return "time left not known yet"
    (least, small), (most, large) = (_rough(value) for value in seconds)
    if (least, small) == (most, large):
        return f"about {most} {large} left"
    return f"{least} to {most} {large} left" if small == large else f"{least} {small} to {most} {large} left"


def _rough(seconds: float) -> tuple[str, str]:
    """Return a time in one unit, to two digits: nobody knows it better."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.2g}", unit
    return str(max(5, 5 * round(seconds / 5))), "s"


def clock_time(seconds: float) -> str:
    """Return a time as `1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
