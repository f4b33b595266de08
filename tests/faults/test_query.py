"""`autoreg query`: any rows can be printed, and whatever is no query is one line."""

import json
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


SUMS = """
    select
        union_value(a := 1) as e, sum(i) as a, sum(i::decimal(9, 2)) + 0.25 as b, max(d) - min(d) as c,
        {'x': sum(i)} as d, count(*) as a
    from (values (1, timestamp '2026-01-01'), (2, timestamp '2026-01-02 03:00:01')) as t (i, d)
"""


def test_sums_are_numbers_in_json_and_a_time_between_two_is_a_text(ask: Callable[..., str]) -> None:
    expected = [{"e": "1", "a": 3, "b": 3.25, "c": "1 day 03:00:01", "d": {"x": 3}, "a_1": 2}]
    assert json.loads(ask(SUMS, "--format", "json")) == expected


def test_what_a_spreadsheet_would_run_is_a_text_in_csv_unless_it_is_to_be_raw(ask: Callable[..., str]) -> None:
    sql = "select '=1+1' as a, '-x' as b, '@y' as c, -1 as d, 'a=b' as e, null::varchar as f"
    assert ask(sql, "--format", "csv") == "a,b,c,d,e,f\n'=1+1,'-x,'@y,-1,a=b,\n"
    assert ask(sql, "--format", "csv", "--raw") == "a,b,c,d,e,f\n=1+1,-x,@y,-1,a=b,\n"
    with pytest.raises(ConfigError, match="--raw is for --format csv"):
        ask(sql, "--raw")


NO_QUERIES = (
    "", ";", "selec 1", "select nothing", "from nowhere", "delete from trials", "copy trials to 'x.csv'",
    "attach 'x.db'", "load httpfs", "from read_csv('/etc/passwd')", "set enable_external_access = true",
    "from trials where trial_id = $x", "select 1; select 2", "set threads = 1", "call dbgen(sf = 1)",
    "call enable_logging(storage = 'file', storage_path = '/tmp/log')",
)  # fmt: skip


def test_what_is_no_query_is_one_line(ask: Callable[..., str]) -> None:
    for words in NO_QUERIES:
        with pytest.raises(ConfigError) as caught:
            ask(words)
        assert len(str(caught.value).splitlines()) == 1, words
