"""The command line: data on stdout, the rest on stderr, one line for an error, and the right exit code."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from pydantic import TypeAdapter

from autoreg.cli.list import LISTS
from autoreg.cli.main import cli
from autoreg.cli.show import curve
from autoreg.database.connection import query, reading, table_names
from autoreg.orchestrator.progress.counts import Counts, MeasuredTrial
from autoreg.orchestrator.progress.live_file import LiveStateFile
from autoreg.report.results import Results
from autoreg.runs.log import TrialLog
from tests.helpers.command_line import autoreg, autoreg_process
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=True)


STUCK = """
import atexit, sys, threading
from autoreg.cli.main import main
from autoreg.orchestrator.ray_runtime.stuck import LEFT_BEHIND

threading.Thread(target=threading.Event().wait, daemon=True, name=LEFT_BEHIND).start()
atexit.register(print, "Python has ended")
sys.argv = ["autoreg", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(("words", "code"), [(["list", "networks"], 0), (["list", "nothing"], 2)])
def test_while_a_thread_waits_in_ray_python_does_not_end_itself(words: list[str], code: int) -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK, *words], capture_output=True, text=True)
    assert ended.returncode == code
    assert ("alexnet" in ended.stdout) is (code == 0)
    assert "Python has ended" not in ended.stdout


def test_a_plan_says_what_would_run_and_writes_nothing(tmp_path: Path) -> None:
    ended = autoreg("plan", "quickstart", cwd=tmp_path)
    assert ended.returncode == 0
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert lines[7] == "12 final trials, 36 tuning trials, 0 already done"
    assert sum("1,666 parameters   3.1 kFLOPs  6 tuning  2 final" in line for line in lines) == 2
    assert all(re.search(r" m?s an epoch +\d+% of the time$", line) for line in lines[1:7])
    assert re.fullmatch(r"  time    at most [\d.,]+ (s|min)(, \d+ trials at once)?", lines[8])
    assert re.fullmatch(r"  disk    1\.\d MB in the run folder", lines[9])
    assert lines[10] == "forecast for a machine that does nothing else, from steps timed here"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "JSON"])
def test_a_plan_that_shows_a_failure_does_not_end_as_if_all_were_well(tmp_path: Path, more: tuple[str, ...]) -> None:
    file = write_sweep(tmp_path / "odd.yaml", network="tests.helpers.unfit:build")
    ended = autoreg("plan", str(file), *settings("dataset.train_size=101"), *more, cwd=tmp_path)
    assert ended.returncode == 1
    assert "ValueError: Expected more than 1 value per channel" in ended.stdout


def test_what_own_code_prints_is_no_part_of_what_is_for_programs(tmp_path: Path) -> None:
    (tmp_path / "talking.py").write_text("from tests.helpers.outside import build\nprint('imported')\n")
    write_sweep(tmp_path / "small.yaml", network="talking:build")
    ended = autoreg("plan", "small.yaml", "--json", "--no-calibration", cwd=tmp_path)
    assert (json.loads(ended.stdout)["sweeps"][0]["name"], ended.stderr) == ("small", "imported\n")
    ended = autoreg("trial", "small.yaml", "--count", cwd=tmp_path)
    assert (ended.stdout, ended.stderr) == ("4\n", "imported\n")


@pytest.mark.parametrize("ends", ["os._exit(0)", "sys.exit(3)"])
@pytest.mark.parametrize("inside", [False, True], ids=["imported", "built"])
def test_own_code_that_ends_the_process_is_told(tmp_path: Path, ends: str, inside: bool) -> None:
    first, *last = (
        ("def build(width, input_shape, classes, dropout):", f"    {ends}") if inside else (ends, "build = 1")
    )
    (tmp_path / "ending.py").write_text("\n".join(["import os, sys", first, *last, ""]))
    write_sweep(tmp_path / "small.yaml", network="ending:build")
    ended = autoreg("plan", "small.yaml", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"SystemExit: {ends if ends.startswith('os') else 3}" in ended.stderr


def test_a_plan_of_several_sweeps_counts_what_they_share_once(tmp_path: Path) -> None:
    ended = autoreg("plan", "--no-calibration", "mlp_10d_init", "mlp_optimizers", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    # MLPs of 10 dimensions with sigma 0.01 and momentum, at 5 widths, stand in both.
    assert "all 2 sweeps: 180 final trials, 600 tuning trials, shared ones counted once" in lines
    assert "  shared  15 final and 50 tuning trials with mlp_optimizers (B11)" in lines
    assert "  shared  15 final and 50 tuning trials with mlp_10d_init (B5)" in lines
    assert [line for line in lines if "already done" in line] == [
        "75 final trials, 250 tuning trials, 0 already done", "120 final trials, 400 tuning trials, 0 already done",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_plan_for_programs_is_one_object(tmp_path: Path) -> None:
    ended = autoreg("plan", "--json", "--no-calibration", "quickstart", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    [sweep] = json.loads(ended.stdout)["sweeps"]
    counts = [sum(setting[f"{kind}_trials"] for setting in sweep["settings"]) for kind in ("final", "tuning", "done")]
    assert counts == [12, 36, 0]
    assert [common["name"] for common in sweep["shared"]] == []
    assert sweep["seconds"] is None, "nothing was timed, and no trial has ended"
    assert {setting["forward_flops_per_example"] for setting in sweep["settings"]} == {768, 3072, 12288}
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_is_another_name_of_a_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(cli.commands["plan"], "callback", lambda **given: asked.append(given))
    words = ["quickstart", "--set", "replicates=3", "--runs", str(tmp_path)]
    assert [run("plan", *words).exit_code, run("sweep", *words, "--dry-run").exit_code] == [0, 0]
    planned, tried = asked
    assert planned == tried
    assert (tried["sweeps"], tried["overrides"], tried["runs"]) == (("quickstart",), ("replicates=3",), tmp_path)


def test_a_mistake_ends_the_process_with_its_exit_code_and_one_line(tmp_path: Path) -> None:
    for call, arguments, code in (
        (autoreg, ["sweep", "nowhere.yaml"], 2),
        (autoreg_process, ["status"], 3),
        (autoreg, ["status", "--db", "."], 4),
    ):
        ended = call(*arguments, cwd=tmp_path)
        assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (code, "", 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [kind for kind in LISTS if kind != "trials"])
def test_everything_that_a_sweep_may_name_is_listed(kind: str) -> None:
    rows = json.loads(run("list", kind, "--json").stdout)
    expected = {
        "networks": "alexnet", "datasets": "cifar10", "initializers": "he_normal", "optimizers": "momentum",
        "schedules": "exponential", "metrics": "ablation", "figures": "6", "sweeps": "quickstart",
    }  # fmt: skip
    assert expected[kind] in [row["name"] for row in rows]
    assert expected[kind] in run("list", kind).stdout


def test_help_does_not_pay_for_what_it_does_not_need() -> None:
    code = (
        "import sys; from autoreg.cli.main import cli\n"
        "heavy = {'torch', 'ray', 'optuna', 'duckdb', 'polars', 'matplotlib', 'pydantic', 'rich'}\n"
        "try: cli(['--help'])\n"
        "except SystemExit: print(sorted(heavy & sys.modules.keys()))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.usefixtures("forks")
def test_from_nothing_to_a_figure(tmp_path: Path) -> None:
    short = settings("tune=null", "training.epochs=2", "replicates=1")
    ended = autoreg("sweep", "quickstart", *short, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    ended = autoreg("report", "--all", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    figure = [f"reports/figure_b5.{kind}" for kind in ("png", "pdf", "csv", "json")]
    made = ended.stdout.split()
    assert made[:4] == figure
    assert made[4:7] == [f"reports/table_1.{kind}" for kind in ("md", "csv", "tex")]
    assert "reports/table_verdicts.md" in made
    assert {Path(path).suffix for path in made[4:]} == {".md", ".csv", ".tex"}
    ended = autoreg("report", "--compare", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [f"reports/table_comparison.{kind}" for kind in ("md", "csv", "tex")]
    [row] = json.loads(autoreg("status", "--json", cwd=tmp_path).stdout)
    assert (row["name"], row["final_done"], row["measured"], row["unmeasured"]) == ("quickstart", 6, 6, 0)
    header, *trials = autoreg("list", "trials", cwd=tmp_path).stdout.splitlines()
    assert header.split()[:2] == ["trial_id", "kind"]
    assert len(trials) == 6
    (tmp_path / "results.db").unlink()
    assert autoreg("rebuild", cwd=tmp_path).stderr == "6 trials in results.db\n"
    assert json.loads(autoreg("status", "--json", cwd=tmp_path).stdout)[0]["measured"] == 6
    next(Path(tmp_path).glob("runs/*/measurements/*.parquet")).unlink()  # as if it had failed
    autoreg("rebuild", cwd=tmp_path)
    [row] = json.loads(autoreg("status", "--json", cwd=tmp_path).stdout)
    assert (row["final_done"], row["measured"], row["failed"], row["unmeasured"]) == (6, 5, 0, 1)


@pytest.mark.usefixtures("forks")
def test_the_documented_custom_network_runs_from_the_folder_it_lies_in(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "own.md").read_text(encoding="utf-8")
    [code] = [
        code for block in page.split("```python\n")[1:] if (code := block.split("```")[0]) and "def build" in code
    ]
    (tmp_path / "mynets.py").write_text(code, encoding="utf-8")
    own = settings("network=mynets:build", "network.hidden=32")
    short = settings("tune=null", "training.epochs=2", "replicates=1", "grid.width=[1]")
    ended = autoreg("sweep", "quickstart", *own, *short, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    [first, *_] = json.loads(autoreg("list", "trials", "--json", cwd=tmp_path).stdout)
    assert first["network"] == "mynets:build(hidden=32)"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, fill_in: Callable[..., Path]) -> Path:
    """A folder with the results.db of a sweep that feeds figure 6."""
    folder = tmp_path_factory.mktemp("filled")
    fill_in(folder, figures=["6"])
    return folder


def test_reports_come_in_the_formats_that_are_asked_for(filled: Path) -> None:
    def made(*words: str) -> list[str]:
        ended = autoreg("report", *words, "--out", "out", cwd=filled)
        assert ended.returncode == 0, ended.stderr
        return [path.removeprefix("out/") for path in ended.stdout.split()]

    assert made("--figure", "6", "--format", "svg,csv") == ["figure_6.svg", "figure_6.csv", "figure_6.json"]
    assert made("--table", "1", "--format", "md") == ["table_1.md"]
    assert made("--all", "--format", "tex") == ["table_1.tex", "table_claims.tex", "table_verdicts.tex"]
    assert made("--html", "--table", "1", "--format", "md") == ["report.html", "table_1.md"]
    for name in ("figure_6.svg", "figure_6.csv", "figure_6.json", "table_1.md", "table_1.tex", "report.html"):
        assert (filled / "out" / name).stat().st_size > 100


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--figure", "6", "--format", "md"], "'md'"),
        (["--table", "1", "--format", "png"], "'png'"),
        (["--all", "--format", "md,pgn"], "'md,pgn'"),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_made_so_is_said(filled: Path, words: list[str], answer: str) -> None:
    ended = autoreg("report", *words, cwd=filled)
    rule = "autoreg: --format names some of png, pdf, svg, csv for figures, of md, csv, tex for tables, got"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"{rule} {answer}\n")


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_every_table_can_be_taken_elsewhere(filled: Path, form: str) -> None:
    ended = autoreg("export", form, "--format", form, "--views", cwd=filled)
    assert ended.returncode == 0, ended.stderr
    paths = [filled / line for line in ended.stdout.splitlines()]
    with reading(filled / "results.db") as connection:
        assert [path.stem for path in paths] == table_names(connection)
        for path in paths:
            frame = pl.read_parquet(path) if form == "parquet" else pl.read_csv(path, infer_schema_length=None)
            [count] = query(connection, f'select count(*) from "{path.stem}"').row(0)
            assert frame.height == count, path
        stored = query(connection, "from trials order by trial_id")
    if form == "parquet":
        assert pl.read_parquet(filled / form / "trials.parquet").sort("trial_id").equals(stored)


def test_a_querys_rows_come_as_parquet_and_json_has_no_nan(filled: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "autoreg", "query", "select width from trials", "--format", "parquet"],
        capture_output=True, cwd=filled, check=True,
    )  # fmt: skip
    assert pl.read_parquet(io.BytesIO(ended.stdout))["width"].sort().to_list() == [0.25] * 4 + [1.0] * 4
    ended_json = autoreg("query", "select 'nan'::double as a, 1.5::double as b", "--format", "json", cwd=filled)
    assert json.loads(ended_json.stdout) == [{"a": None, "b": 1.5}]


def test_a_trial_is_shown_with_its_curves_and_scores(filled: Path) -> None:
    trial = Results(filled / "results.db").query("select trial_id from trials order by trial_id")["trial_id"][0]
    shown = autoreg("show", trial, cwd=filled)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["config", "result", "curves", "scores", "files"]
    assert any(line.split() == ["network", "mlp"] for line in lines)
    details = json.loads(autoreg("show", trial, "--json", cwd=filled).stdout)
    assert {row["layer"] for row in details["scores"]} == {row["layer"] for row in details["layers"]}
    chosen = "where trial_id = $id and layer = $layer and definition = 'text'"
    sql = f"select avg(similar_units) from similar_units_by_layer {chosen}"
    for row in details["scores"]:
        if row["definition"] == "text":
            stored = Results(filled / "results.db").query(sql, id=trial, layer=row["layer"]).item()
            assert row["similar_units"] == pytest.approx(stored)


@pytest.mark.parametrize(
    ("values", "blocks"),
    [([0.0, 0.5, 1.0], "▁▅█"), ([3.0, None, 3.0], "▁ ▁"), ([2.0], "▁"), ([float(n) for n in range(600)], None)],
)
def test_a_curve_is_drawn_in_blocks(values: list[float | None], blocks: str | None) -> None:
    name, drawn, numbers = curve("loss", [{"loss": value} for value in values])
    assert name == "loss"
    assert drawn == blocks if blocks else (len(drawn) == 60 and drawn == "".join(sorted(drawn)))
    assert numbers.startswith(f"{values[0]:.4g} → {values[-1]:.4g}")
    assert curve("loss", [{"loss": None}])[2] == "no finite value"


def test_the_status_is_watched_until_ctrl_c(filled: Path) -> None:
    words = [sys.executable, "-m", "autoreg", "status", "--watch"]
    with subprocess.Popen(words, cwd=filled, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        looks = [watching.stdout.readline() for _ in range(4)]
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=10)
    assert (watching.returncode, said.strip()) == (130, "autoreg: stopped")
    assert [look.split()[0] for look in looks] == ["sweep", "fixture"] * 2
    assert [looks[number].split()[1:3] for number in (1, 3)] == [["8/8", "8/8"]] * 2


def test_a_table_for_people_is_without_the_noise_of_floats_and_an_unknown_name_has_duckdbs_hint(filled: Path) -> None:
    assert autoreg("query", "select 0.1e0 + 0.2e0 as sum", cwd=filled).stdout.split() == ["sum", "0.3"]
    ended = autoreg("query", "select * from trails", cwd=filled)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        'autoreg: a query failed: Catalog Error: Table with name trails does not exist! Did you mean "trials"?\n'
    )


def test_status_and_its_json_tell_what_runs(filled: Path) -> None:
    with reading(filled / "results.db") as connection:
        [sweep_id] = query(connection, "select sweep_id from sweeps")["sweep_id"]
    assert json.loads(autoreg("status", "--json", cwd=filled).stdout)[0]["running"] == []
    counts = Counts(total=8, skipped=2, began=time.time(), measuring={"a": MeasuredTrial("mlp [r0]", time.time())})
    scratch = filled / "runs" / ".tune" / "fixture-1"
    scratch.mkdir(parents=True)
    file = LiveStateFile(scratch, sweep_id, "fixture", counts)
    file.update()
    with file.kept():
        shown = autoreg("status", cwd=filled).stdout
        [row] = json.loads(autoreg("status", "--json", cwd=filled).stdout)
    assert f"fixture runs in process {os.getpid()}" in shown
    assert "measuring mlp [r0]" in shown
    assert "2/8, 2 skipped" in shown
    [running] = row["running"]
    assert running["counts"] == TypeAdapter(Counts).dump_python(counts, mode="json")
    assert "runs in process" not in autoreg("status", cwd=filled).stdout, "its driver is gone"
    shutil.rmtree(scratch.parent)


def test_a_log_is_printed_and_a_missing_one_is_said(filled: Path) -> None:
    trial, *_ = sorted(path.parent.name for path in filled.glob("runs/*/config.json"))
    ended = autoreg("show", trial, "--log", cwd=filled)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.endswith("log.txt does not exist; a sweep writes it when it trains or measures the trial\n")
    with TrialLog(filled / "runs" / trial / "log.txt") as log:
        log.say("start: \x1b[2J")
    shown = autoreg("show", trial, "--log", cwd=filled)
    assert shown.stdout.endswith("  start: ?[2J\n")
    assert "log.txt" in autoreg("show", trial, cwd=filled).stdout
    (filled / "runs" / trial / "log.txt").unlink()


def test_what_was_asked_for_by_name_and_cannot_be_made_gives_an_exit_code_beside_what_can(filled: Path) -> None:
    ended = autoreg("report", "--table", "verdicts", "--table", "richness", "--out", "some", cwd=filled)
    assert ended.returncode == 3
    assert ended.stderr == "autoreg: table richness has no row yet in results.db\n"
    assert "some/table_verdicts.csv" in ended.stdout
    assert autoreg("report", "--all", "--out", "some", cwd=filled).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--json"], ["list", "trials", "--json"], ["list", "networks", "--json"],
        ["query", "from trials", "--format", "json"], ["query", "from trials", "--format", "csv"],
        ["report", "--figure", "6", "--out", "quiet"], ["export", "quiet"], ["verify"],
    ],
)  # fmt: skip
def test_data_is_on_stdout_and_nothing_else_is(filled: Path, words: list[str]) -> None:
    ended = autoreg(*words, cwd=filled)
    assert ended.returncode == 0, ended.stderr
    if words[0] == "verify":
        assert (ended.stdout, ended.stderr) == ("", "results.db has every row of runs\n")
    else:
        assert ended.stdout
        assert ended.stderr == ""
    if "--json" in words or "json" in words:
        assert json.loads(ended.stdout)
    if words[0] in {"report", "export"}:
        assert all((filled / line).is_file() for line in ended.stdout.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "quickstart", "--quiet", "--verbose"],
        ["show", "0", "--log", "--json"],
        ["status", "--watch", "--json"],
    ],
)
def test_options_that_exclude_each_other_are_wrong_usage(words: list[str], tmp_path: Path) -> None:
    ended = autoreg(*words, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.endswith(": leave one of both out\n")
    assert len(ended.stderr.splitlines()) == 1
