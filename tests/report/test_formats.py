"""A frame as a table: golden texts."""

import polars as pl

from autoreg.report.formats import FORMATS, as_latex, as_markdown

FRAME = pl.DataFrame(
    {
        "series": ["σ = 0.01", "50% & more_of", None],
        "width": [0.25, 1.0, 4.0],
        "parameters": [1_234_567, 0, None],
        "test_accuracy": [0.49385, 1.0, None],
        "test_accuracy_std": [0.01, None, None],
        "learning_rate": [0.0001234567, 0.1, 100.0],
        "slope_std": [0.5, 0.25, 1.0],
        "grows": [True, False, None],
    }
)


def test_markdown_is_rounded_aligned_and_in_percent() -> None:
    assert as_markdown(FRAME) == (
        "| series        | width | parameters | test accuracy (%) | learning rate | slope std | grows |\n"
        "| ------------- | ----: | ---------: | ----------------: | ------------: | --------: | ----- |\n"
        "| σ = 0.01      |  1/4x |  1,234,567 |        49.4 ± 1.0 |     0.0001235 |       0.5 | True  |\n"
        "| 50% & more_of |    1x |          0 |             100.0 |           0.1 |      0.25 | False |\n"
        "|               |    4x |            |                   |           100 |         1 |       |\n"
    )


def test_a_name_with_a_bar_or_a_new_line_stays_in_its_cell_of_markdown() -> None:
    frame = pl.DataFrame({"series": ["|r| > 0.5", "two\nlines"]})
    assert as_markdown(frame).splitlines()[2:] == ["| \\|r\\| > 0.5 |", "| two lines   |"]


def test_a_number_that_is_not_finite_is_written_as_it_is() -> None:
    frame = pl.DataFrame({"auc": [float("nan"), -float("inf")], "test_accuracy": [float("inf"), 0.5]})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in as_markdown(frame).splitlines()[2:]]
    assert rows == [["nan", "inf"], ["-inf", "50.0"]]


def test_latex_is_a_booktabs_table() -> None:
    assert as_latex(FRAME) == (
        "\\begin{tabular}{lrrrrrl}\n"
        "\\toprule\n"
        "series & width & parameters & test accuracy (\\%) & learning rate & slope std & grows \\\\\n"
        "\\midrule\n"
        "$\\sigma$ = 0.01 & 1/4x & 1,234,567 & 49.4 $\\pm$ 1.0 & 0.0001235 & 0.5 & True \\\\\n"
        "50\\% \\& more\\_of & 1x & 0 & 100.0 & 0.1 & 0.25 & False \\\\\n"
        " & 4x &  &  & 100 & 1 &  \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
    )


def test_every_character_that_means_something_to_latex_is_escaped() -> None:
    text = as_latex(pl.DataFrame({"a\\b": ["x^2 ~ {y} 3× #1 $", "|r| > 0 < 1"]}))
    assert r"a\textbackslash{}b \\" in text
    assert r"x\textasciicircum{}2 \textasciitilde{} \{y\} 3$\times$ \#1 \$ \\" in text
    assert r"\textbar{}r\textbar{} \textgreater{} 0 \textless{} 1 \\" in text


def test_csv_keeps_every_digit() -> None:
    assert FORMATS["csv"](FRAME).splitlines()[1:3] == [
        "σ = 0.01,0.25,1234567,0.49385,0.01,0.0001234567,0.5,true",
        "50% & more_of,1.0,0,1.0,,0.1,0.25,false",
    ]
    digits = pl.DataFrame({"value": [0.1 + 0.2, 1 / 3]})
    assert pl.read_csv(FORMATS["csv"](digits).encode())["value"].to_list() == [0.1 + 0.2, 1 / 3]


def test_every_format_has_its_file_ending() -> None:
    assert {ending: render(FRAME) for ending, render in FORMATS.items()} == {
        "md": as_markdown(FRAME), "csv": FORMATS["csv"](FRAME), "tex": as_latex(FRAME),
    }  # fmt: skip
