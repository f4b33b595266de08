"""What a user adds without touching the package: files in the folder that they work in, named in a sweep file."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from autoreg.config.trial import TrialConfig
from autoreg.database.connection import query, reading
from autoreg.runs.folder import Runs
from tests.helpers.command_line import autoreg

THINGS = """\
import torch
import polars as pl
from torch import nn
from autoreg.datasets import Dataset, Split
from autoreg.networks import Network


def net(width, input_shape, classes, dropout, *, units: int = 16):
    count = int(units * width)
    hidden = nn.Sequential(nn.Linear(input_shape[0], count, bias=False), nn.ReLU())
    return Network([("hidden", hidden), ("output", nn.Linear(count, classes))], measured=["hidden"])


def stripes(root, *, examples: int = 30):
    inputs = torch.arange(3 * examples * 4).reshape(3 * examples, 4) % 7 / 7
    splits = [Split(part, (part.sum(1) > 1.5).long()) for part in torch.split(inputs, examples)]
    return Dataset(*splits, (4,), 2, f"stripes-{examples}")


def halves(weight, is_output, generator, *, size: float = 0.5):
    weight.fill_(size / 10 if is_output else size)


def activity(network, dataset, split, replicate, *, above: float = 0.0):
    rows = []
    for inputs, _ in dataset.batches(split):
        for layer, values in network.walk(inputs):
            share = (values > above).float().mean(0).tolist()
            rows += [{"layer": layer, "unit": unit, "share": value} for unit, value in enumerate(share)]
    return pl.DataFrame(rows)


activity.version = 3
"""
SWEEP = """\
name: own_things
figures: [B5]
network: {name: things:net, units: 32}
dataset: {name: things:stripes, examples: 20}
initializer: {name: things:halves, size: 0.25}
grid: {width: [1/4, 1/2]}
replicates: 1
training: {learning_rate: 0.01, batch_size: 5, epochs: 0}
measure:
  splits: [test]
  metrics:
    ablation: {fractions: 2, samples: 1}
    similarity: {samples: 1}
    things:activity: {above: 0.1}
"""
GROWTH = """\
-- Share of examples on which a unit is active, by width.
-- grain: sweep_id, series, width
select sweep_id, series, width, avg(share) as share
from final_trials
join things_activity using (trial_id)
group by all
"""
AREAS = """\
-- Areas by width, of every sweep.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels auc
select * exclude (figures) from scores_by_width;
"""
DRAWING = """\
from matplotlib.figure import Figure


def draw(frame, published):
    figure = Figure()
    figure.subplots().plot(frame["width"].to_list(), frame["share"].to_list(), marker="o")
    return figure
"""


def in_a_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder, as a user does."""
    command = [Path(sys.executable).parent / "autoreg", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "AUTOREG_DATA"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder after a sweep whose network, dataset, initializer and a metric are their own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "things.py").write_text(THINGS)
    (folder / "own.yaml").write_text(SWEEP)
    (folder / "my").mkdir()
    (folder / "my" / "growth.sql").write_text(GROWTH)
    ended = in_a_process(folder, "sweep", "own.yaml")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    (folder / "said").write_text(ended.stderr)
    return folder


@pytest.fixture
def rows(here: Path) -> Callable[[str], pl.DataFrame]:
    def run(sql: str) -> pl.DataFrame:
        with reading(here / "results.db") as connection:
            return query(connection, sql)

    return run


Rows = Callable[[str], pl.DataFrame]


def test_nothing_of_ray_reaches_the_user(here: Path) -> None:
    [first, shared, *lines, last] = (here / "said").read_text().splitlines()
    assert first == "[0/2] own_things: 2 final trials, 0 tuning trials"
    assert shared.startswith("[0/2] all trials: things:net")
    assert [line[:5] for line in lines] == ["[1/2]", "[2/2]"]
    assert last.startswith("2 trials trained, 0 were done before; rows in ")


def test_an_own_network_is_trained_and_measured(rows: Rows) -> None:
    found = rows("select network, width, units from trials join layers using (trial_id) order by width").rows()
    assert found == [("things:net(units=32)", 0.25, 8), ("things:net(units=32)", 0.5, 16)]


def test_an_own_dataset_is_used_with_its_options(rows: Rows) -> None:
    found = rows("select dataset, environment ->> '$.data' as data, test_accuracy from trials")
    assert set(found["dataset"]) == {"things:stripes(examples=20)"}
    assert set(found["data"]) == {"stripes-20"}
    counted = found["test_accuracy"] * 20
    assert counted.to_list() == pytest.approx([round(value) for value in counted])


def test_an_own_initializer_fills_the_weights(here: Path, rows: Rows) -> None:
    from autoreg.training import checkpoints

    assert set(rows("select initializer from trials")["initializer"]) == {"things:halves(size=0.25)"}
    for folder in Runs(here / "runs").trials():
        weights = checkpoints.load(folder.checkpoint_path)["network"]
        filled = {float(value) for name, tensor in weights.items() if tensor.dim() == 2 for value in tensor.unique()}
        assert sorted(filled) == pytest.approx([0.025, 0.25])


def test_an_own_metric_has_a_table_of_its_own(rows: Rows) -> None:
    found = rows("select split, layer, count(*) as units, min(share), max(share) from things_activity group by all")
    assert found.rows() == [("test", "hidden", 8 + 16, 1.0, 1.0)]  # all weights are positive, and so are the inputs
    facts = rows("select distinct metric, version, options::varchar from measurements where metric like '%:%'")
    assert facts.rows() == [("things:activity", 3, '{"above":0.1}')]


def test_the_hash_of_the_own_code_is_a_part_of_every_trial(here: Path, tmp_path: Path) -> None:
    ids = {}
    texts = {"same": THINGS, "commented": f"# New.\n\n{THINGS}", "edited": THINGS.replace("bias=False", "bias=True")}
    for name, text in texts.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "things.py").write_text(text)
        (folder / "own.yaml").write_text(SWEEP)
        ended = autoreg("plan", "own.yaml", "--no-calibration", "--runs", str(here / "runs"), cwd=folder)
        assert ended.returncode == 0, ended.stderr
        ids[name] = next(line for line in ended.stdout.splitlines() if "already done" in line)
    assert ids == {
        "same": "2 final trials, 0 tuning trials, 2 already done",
        "commented": "2 final trials, 0 tuning trials, 2 already done",
        "edited": "2 final trials, 0 tuning trials, 0 already done",
    }
    configs: list[TrialConfig] = [folder.read_config() for folder in Runs(here / "runs").trials()]
    sources = {choice.source for made in configs for choice in (made.network, made.dataset, made.initializer)}
    assert len(sources) == 1
    assert None not in sources


def test_an_own_figure_is_its_sql_and_the_drawing_beside_it(here: Path) -> None:
    (here / "my" / "growth.py").write_text(DRAWING)
    ended = autoreg("report", "--figure", "my/growth.sql", "--out", "shown", cwd=here)
    (here / "my" / "growth.py").unlink()
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [f"shown/growth.{kind}" for kind in ("png", "pdf", "csv", "json")]
    assert (here / "shown" / "growth.png").read_bytes().startswith(b"\x89PNG")
    frame = pl.read_csv(here / "shown" / "growth.csv")
    assert frame.columns == ["sweep_id", "series", "width", "share"]
    assert frame["width"].to_list() == [0.25, 0.5]


def test_an_own_figure_may_name_a_packaged_drawing(here: Path) -> None:
    (here / "my" / "areas.sql").write_text(AREAS)
    ended = autoreg("report", "--figure", "my/areas.sql", "--out", "shown", cwd=here)
    assert ended.returncode == 0, ended.stderr
    frame = pl.read_csv(here / "shown" / "areas.csv")
    assert (frame["width"].to_list(), set(frame["definition"])) == ([0.25, 0.5], {"released"})
    assert (here / "shown" / "areas.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("sql", "drawing", "message"),
    [
        ("select * from scores_by_width", None, "a figure needs a line `-- drawing: …`, or wrong.py beside it"),
        ("-- drawing: no_such\nselect * from scores_by_width", None, "no drawing is called 'no_such'"),
        ("selec 1", DRAWING, "the view own_wrong cannot be made: "),
        ("select * from scores_by_width", "def draw(frame, _): return frame['nothing']", "its drawing failed: Column"),
        ("select 1 as width", DRAWING, "a figure needs a column sweep_id, got width"),
        ("select * from scores_by_width", "import no_such", "its drawing failed: ModuleNotFoundError: No module"),
        ("select * from scores_by_width", "x = 1", "its drawing failed: AttributeError: "),
        ("select * from scores_by_width", "draw = print", "draw must return a matplotlib Figure, got None"),
        (None, None, "no figure file 'my/wrong.sql'"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_own_figure_is_one_line(here: Path, sql: str | None, drawing: str | None, message: str) -> None:
    for kind, text in (("sql", sql), ("py", drawing)):
        (here / "my" / f"wrong.{kind}").unlink(missing_ok=True)
        if text is not None:
            (here / "my" / f"wrong.{kind}").write_text(text)
    ended = autoreg("report", "--figure", "my/wrong.sql", cwd=here)
    assert ended.returncode == 2, ended.stderr
    assert message in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
