"""Drawings show what their frame says: lines, ticks, labels, and one look for a condition everywhere."""

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.figure import Figure

from autoreg.figures import find_figures
from autoreg.figures.style import COLOURS, CONDITIONS, format_width, look_of

NO_POINTS = pl.DataFrame(
    schema={"series": pl.String, "width": pl.Float64, "x": pl.Float64, "score": pl.String, "value": pl.Float64}
)


def drawn(name: str, frame: pl.DataFrame, published: pl.DataFrame = NO_POINTS) -> Figure:
    [source] = find_figures(name)
    return source.draw(frame, published)


def scores(series: tuple[str, ...] = ("Glorot Norm", "He Norm")) -> pl.DataFrame:
    rows = [
        {
            "series": name, "variant": None, "width": width, "network": "alexnet", "dataset": "cifar10",
            "replicates": 3,
            "test_accuracy": 0.7, "test_accuracy_std": 0.01, "auc": 0.3 + 0.1 * place + 0.01 * width, "auc_std": 0.02,
            "similar_units": 1.0 + place + width, "similar_units_std": 0.5,
        }
        for place, name in enumerate(series) for width in (0.25, 0.5, 1.0, 2.0, 4.0)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def lines_of(figure: Figure, panel: int) -> list[list[float]]:
    figure.canvas.draw()
    return [list(container[0].get_ydata()) for container in figure.axes[panel].containers]


def test_figure_6_draws_each_series_at_each_width() -> None:
    figure = drawn("6", scores())
    assert lines_of(figure, 0)[0] == pytest.approx([0.3 + 0.01 * width for width in (0.25, 0.5, 1, 2, 4)])
    assert lines_of(figure, 1)[1] == pytest.approx([2 + width for width in (0.25, 0.5, 1, 2, 4)])
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_xticklabels()] == ["¼×", "½×", "1×", "2×", "4×"]
        assert axes.get_xscale() == "log"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Glorot Norm", "He Norm"]
    assert "3 replicates a point" in figure.get_supxlabel()


def test_similar_units_below_zero_are_shown_on_a_linear_axis() -> None:
    frame = scores().with_columns(similar_units=pl.lit(-0.5))
    figure = drawn("6", frame)
    assert figure.axes[1].get_yscale() == "linear"


def test_a_score_that_is_not_measured_leaves_a_gap_and_no_error() -> None:
    frame = scores().with_columns(
        similar_units=pl.when(pl.col("width") == 1).then(None).otherwise("similar_units"),
        auc_std=pl.lit(None, dtype=pl.Float64),
    )
    assert len(lines_of(drawn("6", frame), 1)[0]) == 4


def test_figure_2_draws_one_curve_a_width() -> None:
    rows = [
        {
            "series": name, "width": width, "fraction": step / 6, "unchanged": 1 - step / 7, "unchanged_std": 0.01,
            "network": "alexnet", "dataset": "cifar10", "samples": 3, "replicates": 2,
        }
        for name in ("Glorot Norm", "He Norm", "LeCun Norm") for width in (0.25, 1.0) for step in range(7)
    ]  # fmt: skip
    figure = drawn("2", pl.DataFrame(rows))
    assert len(figure.axes) == 3
    assert lines_of(figure, 0)[0] == pytest.approx([100 * (1 - step / 7) for step in range(7)])


def test_figure_3_draws_a_violin_and_its_mean_for_each_width() -> None:
    rows = [
        {
            "series": "He Norm", "width": width, "layer": "conv2", "bin_low": low, "bin_high": low + 0.01, "share": 0.5,
            "mean_abs_r": width / 10, "network": "alexnet", "dataset": "cifar10",
        }
        for width in (0.25, 1.0, 4.0) for low in (0.1, 0.29)
    ]  # fmt: skip
    figure = drawn("3", pl.DataFrame(rows))
    figure.canvas.draw()
    [axes] = figure.axes
    assert [text.get_text() for text in axes.texts] == ["0.03", "0.10", "0.40"]
    assert "conv2" in axes.get_title(loc="left")


def test_a_condition_looks_the_same_whatever_it_is_shown_with() -> None:
    assert look_of("He Norm", ["He Norm"]) == look_of("He Norm", ["Glorot Norm", "He Norm", "LeCun Norm"])
    assert len({look_of(name, ["own", "He Norm", "mine"])["color"] for name in ("own", "He Norm", "mine")}) == 3
    assert all(len(COLOURS) > place for place, _ in enumerate(CONDITIONS))


def test_drawing_leaves_the_users_own_settings_alone() -> None:
    before = dict(mpl.rcParams)
    drawn("6", scores())
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("width", "text"), [(0.25, "¼×"), (1.0, "1×"), (16.0, "16×"), (1 / 3, "1/3×"), (1.5, "3/2×")])
def test_widths_are_written_as_people_do(width: float, text: str) -> None:
    assert format_width(width) == text
