"""The notebook runs from top to bottom, and what is stored in it is what it prints."""

import ast
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from autoreg.report.results import Results

NOTEBOOK = json.loads((Path(__file__).parent.parent / "docs" / "tour.ipynb").read_text(encoding="utf-8"))
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def run_cell(code: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does, and return the value of its last line if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


@pytest.mark.usefixtures("forks")
def test_the_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    names: dict[str, Any] = {}
    values = [run_cell("".join(cell["source"]), names) for cell in CELLS]
    plt.close("all")
    assert names["summary"].trained == 12
    assert not names["summary"].problems
    results = Results(tmp_path / "results.db")
    assert results.table("final_trials").height == 12
    [figure] = [value for value in values if hasattr(value, "_repr_png_")]
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(names["left"].containers) == 2
    assert values[-1].columns == ["layer", "units", "auc", "similar_units", "dead_share"]
    for cell, value in zip(CELLS, values, strict=True):
        stored = [
            "".join(output["data"]["text/plain"]) for output in cell["outputs"] if output["output_type"] != "stream"
        ]
        if hasattr(value, "columns"):
            assert f"shape: ({value.height}, {value.width})" in stored[0]
        elif value in (names["sweep"], names["plan"], names["summary"]):  # without a number that another CPU rounds
            assert stored == [repr(value)]


def test_it_was_run_in_order_without_an_error_and_shows_two_images() -> None:
    assert [cell["execution_count"] for cell in CELLS] == list(range(1, len(CELLS) + 1))
    outputs = [output for cell in CELLS for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
