"""Figure Transfer: is a learning rate that is good at one width good at all of them?"""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoreg.report.figures import style
from autoreg.report.figures.notes import add_note, describe_sources

#: Losses are drawn up to this many times the largest of the smallest rate: what explodes would flatten all else.
MOST = 3


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return training loss against learning rate, a line a width and a panel a series; and the best rate against width.

    Args:
        frame: columns series, width, learning_rate, train_loss (null where a replicate diverged), best_rate with
            best_low and best_high (null where all diverged), network, dataset, replicates.
        published: not drawn.
    """
    names = style.series_order(frame["series"])
    figure, [[*losses, best]] = style.new_figure([[*names, "Best rate"]])
    known = frame.drop_nulls("train_loss")
    start = known.filter(pl.col("learning_rate") == pl.col("learning_rate").min())["train_loss"].to_list()
    lowest, highest = min(known["train_loss"].to_list(), default=0.1), MOST * max(start, default=1.0)
    widths = style.shades(frame["width"].unique().sort().to_list())
    for axes, name in zip(losses, names, strict=True):
        for width, look in widths.items():
            line = frame.filter(series=name, width=width)
            style.draw_line(axes, line, "learning_rate", "train_loss", "", label=style.width_label(width), **look)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(lowest / 1.5, highest)
        axes.set_xlabel("Learning rate")
        axes.set_ylabel("Training loss (nats)")
    _draw_best(best, frame, names)
    handles, labels = style.legend_entries(losses)
    figure.legend(handles, labels, loc="outside right upper", title="Width factor")
    best.legend(fontsize=7)
    describe_sources(figure, frame, [], bars="smallest and largest of the replicates")
    of_losses = f"losses: geometric means, missing where one diverged, cut off above {MOST} × that of the smallest rate"
    add_note(figure, of_losses)
    return figure


def _draw_best(axes: Axes, frame: pl.DataFrame, names: list[str]) -> None:
    for index, name in enumerate(names):
        line = frame.filter(series=name).drop_nulls("best_rate").unique("width").sort("width")
        rates, lows, highs = (line[column] for column in ("best_rate", "best_low", "best_high"))
        aside = 2 ** (0.04 * (index - (len(names) - 1) / 2))  # so that bars stand side by side
        bars = [(rates - lows).clip(0).to_list(), (highs - rates).clip(0).to_list()]
        places = (line["width"] * aside).to_list()
        axes.errorbar(places, rates.to_list(), yerr=bars, capsize=2.5, label=name, **style.look_of(name, names))
    style.width_axis(axes, frame["width"].to_list())
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("Best learning rate")
