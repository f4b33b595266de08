"""A running sweep as a table: what must be seen first, since a terminal that is too small cuts off what comes last."""

import time
from collections.abc import Iterator
from itertools import islice

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autoreg.config.factors import format_width
from autoreg.errors import printable
from autoreg.orchestrator.progress.counts import Counts, RunningTrial
from autoreg.runs.describe import kind_of, settings_of

#: More trials than that are on no screen, and each costs time whenever it is drawn.
MOST_ROWS = 40
#: A table that is wider is hard to read across.
MOST_COLUMNS = 110
#: The columns of figures, with the least width of each, so that they keep their place.
COLUMNS = {"width": 5, "lr": 7, "bs": 3, "kind": 6, "epoch": 7, "loss": 6, "acc.": 6, "left": 5}


def dashboard(counts: Counts) -> Group:
    """Return the bars, the groups and how long it will take; below them the trials that run and that are measured."""
    now = time.time()
    parts: list[RenderableType] = [_bars(counts), *(_line(text) for text in _notes(counts, now))]
    if not (counts.running or counts.measuring or counts.done or counts.failed):
        parts.append(_line("starting Ray and its processes…", style="dim"))
    if counts.running:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False, expand=True)
        table.add_column("running", ratio=1, no_wrap=True, overflow="ellipsis")
        for name, width in COLUMNS.items():
            table.add_column(name, justify="right", no_wrap=True, min_width=width)
        for running in islice(counts.running.values(), MOST_ROWS):
            table.add_row(*_row(running, now))
        parts.append(Constrain(table, MOST_COLUMNS))
    for trial in islice(counts.measuring.values(), MOST_ROWS):
        parts.append(_line(f"measuring {printable(trial.name)}, for {clock_time(now - trial.since)}", style="dim"))
    return Group(*parts)


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _row(trial: RunningTrial, now: float) -> list[RenderableType]:
    config = trial.config
    # Words of a user's own, which are no markup.
    name = Text(printable(f"{config.network} {' '.join(settings_of(config))}"))
    name.append(f" +{trial.more}" if trial.more else "", style="dim")
    left = trial.seconds_left(now)
    return [
        name,
        f"{format_width(config.width)}x",
        f"{config.effective_learning_rate:.3g}",
        str(config.effective_batch_size),
        kind_of(config),
        f"{trial.epoch or '–'}/{config.epochs}",
        "–" if trial.loss is None else f"{trial.loss:.3g}",
        "–" if trial.accuracy is None else f"{trial.accuracy:.1%}",
        "–" if left is None else clock_time(left),
    ]


def _bars(counts: Counts) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    failed = f", {counts.failed} failed" if counts.failed else ""
    skipped = f", {counts.skipped} skipped" if counts.skipped else ""
    measuring = f", {len(counts.measuring)} now" if counts.measuring else ""
    for name, done, total, note in (
        ("trials", counts.ended, counts.total, skipped + failed),
        ("measured", counts.measured, counts.to_measure, measuring),
    ):
        bar = ProgressBar(total=max(total, 1), completed=min(done, total), width=30)
        grid.add_row(Text(name, style="bold"), bar, _line(f"{done}/{total}{note}"))
    return grid


def _notes(counts: Counts, now: float) -> Iterator[str]:
    """Yield a line on the groups, and one on speed and time."""
    groups = vars(counts.groups)
    stand = ", ".join(f"{count} {name}" for name, count in groups.items() if count)
    yield f"{sum(groups.values())} groups: {stand}"
    left = "stopping" if counts.stopping else remaining(counts.seconds_left)
    yield " · ".join(filter(None, (f"{clock_time(now - counts.began)} elapsed", left, throughput(counts))))


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
