"""Drawings show what their frame says: lines, ticks, labels, and one look for a condition everywhere."""

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from autoreg.errors import ConfigError
from autoreg.report.figures.source import find_figures
from autoreg.report.figures.style import COLOURS, CONDITIONS, HOLLOW, PALE, PAPER, fonts_for, look_of, width_label

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
            "similar_units": 1.0 + place + width, "similar_units_std": 0.5, "similar_units_replicate_std": 0.1,
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
    assert "3 replicates a point; bars: ±" in figure.get_supxlabel()
    spread = scores().with_columns(similar_units_sample_std=pl.col("width"))
    said = drawn("6", spread).get_supxlabel().replace("\n", " ")
    assert "3 replicates a point; similar units: up to ±4 over samples of vectors; bars: ±" in said
    assert "samples of vectors" not in drawn("1a", spread).get_supxlabel()


def half_bars(axes: Axes) -> list[float]:
    """Half the lengths of the error bars of a panel's first line."""
    [segments] = axes.containers[0][2]
    return [(high - low) / 2 for (_, low), (_, high) in segments.get_segments()]


def pale(axes: Axes) -> list[LineCollection]:
    return [bars for bars in axes.collections if isinstance(bars, LineCollection) and bars.get_gid() == PALE]


def test_error_bars_are_over_replicates_in_every_panel_and_pale_ones_over_units() -> None:
    figure = drawn("B5", scores())
    assert [half_bars(axes) for axes in figure.axes] == [
        pytest.approx([half] * 5)
        for half in (1.0, 0.02, 0.1)  # the accuracy's in percent
    ]
    assert [len(pale(axes)) for axes in figure.axes] == [0, 0, 2]
    [first, _] = pale(figure.axes[2])
    assert [tuple(segment[:, 1]) for segment in first.get_segments()] == [
        pytest.approx((0.5 + width, 1.5 + width)) for width in (0.25, 0.5, 1, 2, 4)
    ]
    said = figure.get_supxlabel().replace("\n", " ")
    assert said.endswith(
        "bars: ± standard deviation over replicates; pale bars: ± standard deviation over a network's units"
    )
    assert "pale" not in drawn("1a", scores()).get_supxlabel()


def test_one_replicate_has_no_error_bars_and_none_are_explained() -> None:
    figure = drawn("B5", scores().with_columns(replicates=1))
    assert not any(container.has_yerr for axes in figure.axes for container in axes.containers)
    assert "; bars" not in figure.get_supxlabel()
    mixed = scores().with_columns(replicates=pl.when(pl.col("width") == 1).then(1).otherwise(3))
    [bars] = drawn("B5", mixed).axes[0].containers[0][2]
    assert [len(segment) for segment in bars.get_segments()] == [2, 2, 0, 2, 2]


@pytest.mark.parametrize("name", ["5", "B10"])
def test_a_figure_of_random_labels_or_regularizers_shows_how_much_of_the_labels_was_learnt(name: str) -> None:
    figure = drawn(name, scores().with_columns(train_accuracy=pl.col("width") / 8 + 0.5))
    assert figure.axes[-1].get_title(loc="left").endswith(" Training accuracy")
    assert lines_of(figure, -1)[0] == pytest.approx([53.125, 56.25, 62.5, 75, 100])


def test_trials_that_are_trained_but_not_measured_are_hollow_beside_the_accuracies() -> None:
    unmeasured = pl.DataFrame(
        {"series": ["He Norm", "new"], "variant": [None, None], "width": [1.0, 8.0], "test_accuracy": [0.6, 0.9]}
    )
    [source] = find_figures("B5")
    figure = source.draw(scores(), NO_POINTS, unmeasured)
    points = {line.get_color(): line for line in figure.axes[0].lines if line.get_gid() == HOLLOW}
    by_colour = {line[0].get_color(): line.get_label() for line in figure.axes[0].containers}
    he, new = sorted(points, key=lambda colour: by_colour[colour])
    assert [list(points[colour].get_ydata()) for colour in (he, new)] == [[60], [90]]
    assert [by_colour[colour] for colour in (he, new)] == ["He Norm", "new"]
    assert {line.get_markerfacecolor() for line in points.values()} == {"white"}
    assert not any(line.get_gid() == HOLLOW for axes in figure.axes[1:] for line in axes.lines)
    assert "hollow: trained, not measured" in figure.get_supxlabel().replace("\n", " ")
    assert figure.axes[0].get_xlim()[1] > 8
    assert "hollow" not in drawn("B5", scores()).get_supxlabel()


def test_a_name_with_dollars_is_no_formula() -> None:
    figure = drawn("6", scores((r"$\frac{$", "He Norm")))
    figure.canvas.draw()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["He Norm", r"\$\frac{\$"]


def test_a_name_that_begins_with_an_underscore_is_in_the_legend() -> None:
    figure = drawn("6", scores(("_base", "b, _module:he")))
    shown = {text.get_text().replace("\u200b", "") for text in figure.legends[0].get_texts()}
    assert shown == {"_base", "b, _module:he"}


def test_a_tick_says_the_width_that_it_is_at() -> None:
    assert [width_label(width) for width in (0.25, 0.01, 1.01, 1 / 2000)] == ["¼×", "0.01×", "1.01×", "0.0005×"]
    widths = pl.col("width").replace_strict({0.25: 0.01, 0.5: 0.0005, 1.0: 1.01, 2.0: 2.3, 4.0: 4.0})
    figure = drawn("6", scores().with_columns(widths))
    figure.canvas.draw()
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["0.0005×", "0.01×", "1.01×", "2.3×", "4×"]


def test_letters_that_the_usual_font_has_not_are_drawn_in_another_and_those_of_none_are_named() -> None:
    frame = scores(("He \u20dd", "\U0010fffd"))  # the first is in other fonts that come with matplotlib
    families, lacking = fonts_for(frame)
    assert families[0] == "DejaVu Sans"
    assert len(families) == 2
    assert lacking == ["\U0010fffd"]
    [entry, _] = drawn("6", frame).legends[0].get_texts()
    assert entry.get_fontfamily() == families
    assert fonts_for(scores()) == (["DejaVu Sans"], [])


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
            "network": "alexnet", "dataset": "cifar10", "samples": 3, "replicates": 2 if width < 1 else 1,
        }
        for name in ("Glorot Norm", "He Norm", "LeCun Norm") for width in (0.25, 1.0) for step in range(7)
    ]  # fmt: skip
    figure = drawn("2", pl.DataFrame(rows))
    assert len(figure.axes) == 3
    assert "alexnet on cifar10, 1–2 replicates, 3 samples of units each" in figure.get_supxlabel()
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
    assert all(len(COLOURS) > look for look in CONDITIONS.values())


@pytest.mark.parametrize("names", [[f"lr {i}" for i in range(30)], ["He Norm", "He Unif", "SGD", *"abcdefgh"]])
def test_no_two_series_of_a_figure_look_alike(names: list[str]) -> None:
    lines = {name: container[0] for axes in drawn("6", scores(tuple(names))).axes[:1] for container in axes.containers
             for name in [container.get_label()]}  # fmt: skip
    looks = {
        (line.get_color(), line.get_marker(), str(line._unscaled_dash_pattern), line.get_fillstyle())  # type: ignore[attr-defined]
        for line in lines.values()
    }
    assert len(looks) == len(lines) == len(names)


def test_drawing_leaves_the_users_own_settings_alone() -> None:
    before = dict(mpl.rcParams)
    drawn("6", scores())
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("width", "text"), [(0.25, "¼×"), (1.0, "1×"), (16.0, "16×"), (1 / 3, "1/3×"), (1.5, "3/2×")])
def test_widths_are_written_as_people_do(width: float, text: str) -> None:
    assert width_label(width) == text


def published(series: str, score: str, values: dict[float, float], width: float | None = None) -> pl.DataFrame:
    """Points of the paper: a value at each place on the x axis, which is the width unless one is given."""
    rows = [
        {"series": series, "width": x if width is None else width, "x": x, "score": score, "value": value}
        for x, value in values.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=NO_POINTS.schema)


def papers_lines(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if line.get_label() == PAPER]


def grey(colour: object) -> bool:
    red, green, blue = to_rgb(colour)  # type: ignore[arg-type]
    return red == green == blue


def labels_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_papers_points_stand_behind_ours_grey_and_once_in_the_legend() -> None:
    points = pl.concat(
        published(name, score, {0.25: 0.3, 4: 0.5})
        for name in ("Glorot Norm", "He Norm")
        for score in ("auc", "similar_units")
    )
    figure = drawn("6", scores(), points)
    for axes in figure.axes:
        lines = papers_lines(axes)
        assert [list(line.get_xdata()) for line in lines] == [[0.25, 4]] * 2
        assert [list(line.get_ydata()) for line in lines] == [[0.3, 0.5]] * 2
        ours = min(artist.get_zorder() for container in axes.containers for artist in container[:1])
        assert all(line.get_zorder() < ours for line in lines)
        assert all(grey(line.get_color()) for line in lines)
    assert labels_of(figure) == ["Glorot Norm", "He Norm", PAPER]


def test_a_series_that_is_called_paper_is_told_from_the_papers() -> None:
    figure = drawn("6", scores(("paper", "He Norm")), published("He Norm", "auc", {0.25: 0.3}))
    assert labels_of(figure) == ["He Norm", "paper (ours)", PAPER]
    [*_, theirs] = figure.legends[0].legend_handles
    assert isinstance(theirs, Line2D)
    assert grey(theirs.get_color())
    figure.savefig(BytesIO())


def test_a_series_that_the_paper_has_not_is_drawn_alone() -> None:
    figure = drawn("6", scores(), published("LeCun Norm", "auc", {0.25: 0.3}))
    assert not any(papers_lines(axes) for axes in figure.axes)
    assert labels_of(figure) == ["Glorot Norm", "He Norm"]


def test_the_papers_accuracies_are_in_percent_as_ours() -> None:
    [axes] = drawn("1a", scores(), published("He Norm", "test_accuracy", {0.25: 0.75})).axes
    [line] = papers_lines(axes)
    assert list(line.get_ydata()) == [75]


def test_a_figure_of_variants_has_a_row_for_each() -> None:
    names = ("ResNet56, k = 4", "AlexNet, k = 0.25", "AlexNet, k = 4")
    frame = scores(names).with_columns(variant=pl.col("series").str.split(",").list.first())
    figure = drawn("B13", frame, published("AlexNet, k = 4", "auc", {0.25: 0.3}))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) AlexNet: accuracy", "(b) AlexNet: removable units", "(c) AlexNet: repeated units",
        "(d) ResNet56: accuracy", "(e) ResNet56: removable units", "(f) ResNet56: repeated units",
    ]  # fmt: skip
    assert [len(axes.containers) for axes in figure.axes] == [2, 2, 2, 1, 1, 1]
    assert [len(papers_lines(axes)) for axes in figure.axes] == [0, 1, 0, 0, 0, 0]
    assert labels_of(figure) == ["k = 0.25", "k = 4", PAPER]


def test_the_row_of_a_variant_has_none_of_one_whose_name_begins_alike() -> None:
    names = ("MLP, He Norm", "MLP, Glorot Norm", "MLP, wide, He Norm", "MLP, wide, Glorot Norm")
    frame = scores(names).with_columns(variant=pl.col("series").str.replace(", (He|Glorot) Norm$", ""))
    figure = drawn("B11", frame)
    rows = [axes.get_title(loc="left").partition(": ")[0] for axes in figure.axes[::3]]
    assert rows == ["(a) MLP", "(d) MLP, wide"]
    assert [sorted(axes.get_legend_handles_labels()[1]) for axes in figure.axes] == [["Glorot Norm", "He Norm"]] * 6


def test_without_variants_all_series_stand_in_one_row() -> None:
    assert len(drawn("B13", scores(("k = 0.25", "k = 4"))).axes) == 3


def test_layer_panels_have_a_line_a_layer_and_a_row_a_series() -> None:
    frame = pl.concat(
        scores(("AlexNet", "AlexNet-Random")).with_columns(layer=pl.lit(layer), layer_index=pl.lit(index))
        for index, layer in enumerate(("conv1", "conv2", "fc3"))
    )
    figure = drawn("B7", frame)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) AlexNet: removable units", "(b) AlexNet: repeated units", "(c) AlexNet-Random: removable units",
        "(d) AlexNet-Random: repeated units",
    ]  # fmt: skip
    for axes in figure.axes:
        assert [container.get_label() for container in axes.containers] == ["conv1", "conv2", "fc3"]
        assert len({container[0].get_color() for container in axes.containers}) == 3
    assert labels_of(figure) == ["conv1", "conv2", "fc3"]
    assert lines_of(figure, 2)[0] == pytest.approx([0.4 + 0.01 * width for width in (0.25, 0.5, 1, 2, 4)])


def test_figure_b1_counts_parameters_on_two_logarithmic_axes() -> None:
    rows = [
        {"panel": panel, "series": name, "width": width, "parameters": int(factor * width**2)}
        for panel, name, factor in (("CIFAR-10", "AlexNet", 7e6), ("Synthetic data", "MLP, 10 dim.", 1.7e3))
        for width in (0.25, 1.0, 4.0)
    ]
    figure = drawn("B1", pl.DataFrame(rows), published("AlexNet", "parameters", {0.25: 438_746}))
    figure.canvas.draw()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["(a) Synthetic data", "(b) CIFAR-10"]
    for axes in figure.axes:
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert [label.get_text() for label in axes.get_xticklabels()] == ["¼×", "1×", "4×"]
    [line] = [line for line in figure.axes[1].lines if line.get_label() == "AlexNet"]
    assert list(line.get_ydata()) == [437_500, 7_000_000, 112_000_000]
    assert [len(papers_lines(axes)) for axes in figure.axes] == [0, 1]


def test_figure_b2_runs_down_to_the_end_of_training() -> None:
    frame = pl.concat(
        scores(("ResNet18",)).with_columns(
            epochs_before_end=pl.lit(left), auc=pl.lit(1 / (1 + left)), similar_units_replicate_std=pl.lit(0.1)
        )
        for left in (8, 4, 0)
    )
    figure = drawn("B2", frame, published("ResNet18", "auc", {8: 0.2, 0: 0.3}, width=0.25))
    for axes in figure.axes:
        left, right = axes.get_xlim()
        assert left > 8 > 0 > right
        assert axes.get_xlabel() == "Epochs before the end"
        assert len(axes.containers) == 5
    assert lines_of(figure, 1)[0] == pytest.approx([1, 1 / 5, 1 / 9])
    [line] = papers_lines(figure.axes[1])
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0, 8], [0.3, 0.2])
    assert labels_of(figure) == ["¼×", "½×", "1×", "2×", "4×", PAPER]


def test_figure_b2_has_a_row_of_panels_for_each_series() -> None:
    frame = pl.concat(
        scores(("A", "B")).with_columns(epochs_before_end=pl.lit(left), similar_units_replicate_std=pl.lit(0.1))
        for left in (8, 4, 0)
    )
    figure = drawn("B2", frame, published("B", "auc", {8: 0.2, 0: 0.3}, width=0.25))
    assert [axes.get_title(loc="left") for axes in figure.axes][1::3] == [
        "(b) A: removable units", "(e) B: removable units"
    ]  # fmt: skip
    assert [len(axes.containers) for axes in figure.axes] == [5] * 6
    assert lines_of(figure, 1)[0] == pytest.approx([0.3 + 0.01 / 4] * 3)
    assert lines_of(figure, 4)[0] == pytest.approx([0.4 + 0.01 / 4] * 3)
    assert [len(papers_lines(axes)) for axes in figure.axes] == [0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("drawing", ["width_panels effective_rank", "layer_panels effective_rank"])
def test_panels_are_drawn_of_any_column_with_bars_if_it_has_a_deviation(tmp_path: Path, drawing: str) -> None:
    (tmp_path / "own.sql").write_text(f"-- Mine.\n-- grain: x\n-- drawing: {drawing}\nselect 1\n")
    frame = scores().with_columns(layer=pl.lit("conv1"), layer_index=0, effective_rank=pl.col("width") * 3)
    for deviation in (None, 0.5):
        own = frame if deviation is None else frame.with_columns(effective_rank_std=deviation)
        axes = drawn(str(tmp_path / "own.sql"), own.drop("variant")).axes[0]
        assert list(axes.containers[0][0].get_ydata()) == [0.75, 1.5, 3, 6, 12]
        assert axes.containers[0].has_yerr == (deviation is not None)
        assert axes.get_ylabel() == "Effective rank"
        assert axes.get_title(loc="left").lower().endswith("effective rank")


@pytest.mark.parametrize("drawing", ["width_panels", "layer_panels"])
def test_panels_without_a_name_are_of_all_scores_that_there_are(tmp_path: Path, drawing: str) -> None:
    (tmp_path / "own.sql").write_text(f"-- Mine.\n-- grain: x\n-- drawing: {drawing}\nselect 1\n")
    frame = scores(("He Norm",)).with_columns(layer=pl.lit("conv1"), layer_index=0)
    labels = [axes.get_ylabel() for axes in drawn(str(tmp_path / "own.sql"), frame).axes]
    assert labels == ["Test accuracy (%)", "AUC of unchanged labels", "Similar units per unit"]
    with pytest.raises(ConfigError, match="a drawing of panels needs a column's name"):
        drawn(str(tmp_path / "own.sql"), frame.drop("test_accuracy", "auc", "similar_units"))
    (tmp_path / "own.sql").write_text(f"-- Mine.\n-- grain: x\n-- drawing: {drawing} aux\nselect 1\n")
    with pytest.raises(ConfigError, match="no panel 'aux'; did you mean 'auc'"):
        drawn(str(tmp_path / "own.sql"), frame)


def test_figure_2_and_3_show_the_papers_curves_and_means() -> None:
    curves = pl.DataFrame(
        [
            {
                "series": "Glorot Norm", "width": 0.25, "fraction": step / 6, "unchanged": 0.5, "unchanged_std": 0.01,
                "network": "alexnet", "dataset": "cifar10", "samples": 3, "replicates": 2,
            }
            for step in range(7)
        ]
    )  # fmt: skip
    figure = drawn("2", curves, published("Glorot Norm", "unchanged", {0: 1, 0.5: 0.4}, width=0.25))
    [line] = papers_lines(figure.axes[0])
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0, 50], [100, 40])
    bins = pl.DataFrame(
        [
            {
                "series": "He Norm", "width": 0.25, "layer": "conv2", "bin_low": 0.1, "bin_high": 0.11, "share": 1.0,
                "mean_abs_r": 0.105, "network": "alexnet", "dataset": "cifar10",
            }
        ]
    )  # fmt: skip
    figure = drawn("3", bins, published("He Norm", "mean_abs_r", {0.25: 0.2}))
    [means] = [made for made in figure.axes[0].collections if made.get_label() == PAPER]
    assert means.get_segments()[0][:, 1].tolist() == [0.2, 0.2]
    assert labels_of(figure) == [PAPER]


SURGERIES = ("drop", "merge", "either", "rebuild")


def compressed(**changes: object) -> pl.DataFrame:
    rows = [
        {
            "series": name, "width": width, "surgery": surgery, "tolerance": 0.99, "network": "mlp",
            "dataset": "teacher", "replicates": 3, "compressed_width": width / (1 + place),
            "compressed_width_std": 0.01, "needed": 0.4, "only_removable": 0.1, "only_repeated": 0.2,
            "either_way": 0.3, "only_together": 0.0, **changes,
        }
        for name in ("He Norm", "LeCun Norm") for width in (0.25, 1.0, 4.0) for place, surgery in enumerate(SURGERIES)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_figure_width_draws_a_line_for_each_surgery_above_what_the_units_are() -> None:
    figure = drawn("width", compressed())
    lines = [container for container in figure.axes[0].containers if isinstance(container, ErrorbarContainer)]
    assert [list(line[0].get_ydata()) for line in lines] == [
        pytest.approx([width / (1 + place) for width in (0.25, 1, 4)]) for place in range(4)
    ]
    [diagonal] = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0.25, 4.0]
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"
    bars = figure.axes[2].containers
    assert [[bar.get_height() for bar in part] for part in bars] == [
        pytest.approx([100 * share] * 3) for share in (0.4, 0.1, 0.2, 0.3, 0.0)
    ]
    assert [bar.get_y() for bar in bars[-1]] == pytest.approx([100.0] * 3)
    assert "99% of the labels unchanged on validation" in figure.get_supxlabel()
    assert [text.get_text() for text in figure.axes[2].get_xticklabels()] == ["¼×", "1×", "4×"]


def test_figure_width_of_one_surgery_has_no_shares() -> None:
    frame = compressed(needed=None, only_removable=None, only_repeated=None, either_way=None, only_together=None)
    figure = drawn("width", frame.filter(surgery="drop"))
    assert {bar.get_height() for part in figure.axes[2].containers for bar in part} == {0.0}


def test_figure_curve_draws_the_narrowest_and_the_widest_network_with_the_random_order() -> None:
    rows = [
        {
            "series": "He Norm", "width": width, "surgery": surgery, "level": step / 4, "taken": step / 4,
            "unchanged": 1 - step / 10, "unchanged_std": 0.01, "network": "mlp", "dataset": "teacher", "replicates": 3,
        }
        for width in (0.25, 1.0, 4.0) for surgery in ("random", *SURGERIES) for step in range(4)
    ]  # fmt: skip
    figure = drawn("curve", pl.DataFrame(rows))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["(a) He Norm: ¼×", "(b) He Norm: 4×"]
    assert lines_of(figure, 0) == [pytest.approx([100, 90, 80, 70])] * 5
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["random", *SURGERIES]
    assert figure.axes[0].get_ylim()[0] == 70


def phase(**changes: object) -> pl.DataFrame:
    rows = [
        {
            "series": f"γ = {richness:g}", "richness": richness, "width": width, "network": "mlp",
            "dataset": "teacher", "replicates": 5, "train_accuracy": 0.9 if width < 1 else 1.0,
            "compressed_width": width / richness, "compressed_width_std": 0.01, "similar_units": 4 * width,
            "similar_units_std": 0.1, "auc": 0.5, "auc_std": 0.01, "movement": richness, "movement_std": 0.01,
            **changes,
        }
        for richness in (1.0, 10.0, 3.0) for width in (0.25, 1.0, 4.0)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_figure_phase_draws_a_line_for_each_richness_and_a_map_of_both() -> None:
    figure = drawn("phase", phase())
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:5] == ["(a) Units needed", "(b) Repeated units", "(c) Removable units", "(d) Movement", "(e) Map"]
    assert lines_of(figure, 0) == [pytest.approx([w / gamma for w in (0.25, 1, 4)]) for gamma in (1, 3, 10)]
    [image] = figure.axes[4].images
    assert image.get_array().tolist() == [pytest.approx([w / gamma for w in (0.25, 1, 4)]) for gamma in (1, 3, 10)]
    assert [text.get_text() for text in figure.axes[4].get_yticklabels()] == ["γ = 1", "γ = 3", "γ = 10"]


def test_the_map_of_an_unfinished_sweep_has_its_widths_in_order() -> None:
    figure = drawn("phase", phase().filter(~((pl.col("richness") == 1) & (pl.col("width") < 1))))
    assert [text.get_text() for text in figure.axes[4].get_xticklabels()] == ["¼×", "1×", "4×"]


def test_figure_phase_has_hollow_points_where_the_examples_are_not_learnt() -> None:
    figure = drawn("phase", phase())
    hollow = [line for line in figure.axes[3].lines if line.get_markerfacecolor() == "white"]
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in hollow] == [
        ([0.25], [1.0]), ([0.25], [3.0]), ([0.25], [10.0]),
    ]  # fmt: skip
    assert "hollow: training accuracy below 95%" in figure.get_supxlabel()


def test_figure_phase_shows_what_is_measured_of_series_without_a_richness() -> None:
    nothing = {"richness": None, "movement": None, "compressed_width": None}
    frame = phase(**nothing).with_columns(series=pl.col("series").replace_strict({"γ = 1": "mup"}, default="standard"))
    figure = drawn("phase", frame.unique(["series", "width"]))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["(a) Repeated units", "(b) Removable units"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mup", "standard"]


def test_figure_transfer_draws_loss_against_rate_and_the_best_rate_with_its_range() -> None:
    rows = [
        {
            "series": name, "width": width, "learning_rate": rate, "network": "mlp", "dataset": "teacher",
            "replicates": 5, "train_loss": None if rate == 0.4 else width * rate, "best_rate": best,
            "best_low": best / 2, "best_high": 2 * best,
        }
        for name, best in (("standard", 0.1), ("mup", 0.2)) for width in (0.25, 1.0, 4.0) for rate in (0.1, 0.2, 0.4)
    ]  # fmt: skip
    figure = drawn("transfer", pl.DataFrame(rows))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["(a) mup", "(b) standard", "(c) Best rate"]
    assert lines_of(figure, 0) == [pytest.approx([width * rate for rate in (0.1, 0.2)]) for width in (0.25, 1, 4)]
    assert lines_of(figure, 2) == [[0.2] * 3, [0.1] * 3]
    for container, best in zip(figure.axes[2].containers, (0.2, 0.1), strict=True):
        [bars] = container[2]
        assert [tuple(end[1] for end in bar) for bar in bars.get_segments()] == [
            pytest.approx((best / 2, 2 * best))
        ] * 3
