"""`autoreg query`: any rows can be printed, and whatever is no query is one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from autoreg.cli.main import cli
from autoreg.database.writer import rebuild
from autoreg.errors import ConfigError
from autoreg.runs.folder import Runs, TrialFolder

NESTED = "select [1, null] as a, {'x': date '2026-01-01'} as b, 'xy'::blob as c, null::int[] as d"


@pytest.fixture
def ask(runs: Runs, trial: Callable[..., TrialFolder], tmp_path: Path) -> Callable[..., str]:
    trial()
    path = tmp_path / "results.db"
    rebuild(path, runs)

    def make(*words: str) -> str:
        arguments = ["query", *words, "--db", str(path)]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False).stdout

    return make


def test_lists_structures_and_bytes_are_texts_in_csv(ask: Callable[..., str]) -> None:
    assert ask(NESTED, "--format", "csv") == 'a,b,c,d\n"[1, null]","{""x"": ""2026-01-01""}","""b\'xy\'""",\n'


def test_every_table_of_autoregs_own_is_printed_as_csv(ask: Callable[..., str]) -> None:
    for table in ("sweeps", "sweep_groups", "trials", "epochs", "measurements", "ablation", "units", "published"):
        assert ask(f"from {table} limit 3", "--format", "csv").splitlines()


NO_QUERIES = (
    "", ";", "selec 1", "select nothing", "from nowhere", "delete from trials", "copy trials to 'x.csv'",
    "attach 'x.db'", "load httpfs", "from read_csv('/etc/passwd')", "set enable_external_access = true",
    "select interval 3 day", "from trials where trial_id = $x",
)  # fmt: skip


def test_what_is_no_query_is_one_line(ask: Callable[..., str]) -> None:
    for words in NO_QUERIES:
        with pytest.raises(ConfigError) as caught:
            ask(words)
        assert len(str(caught.value).splitlines()) == 1, words
