"""Views of compressed widths, of prunability and of redundancy equal hand values."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.runs.folder import Runs, TrialFolder
from tests.conftest import COMPRESSED
from tests.database.test_views import opened

Trial = Callable[..., TrialFolder]


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory, trial_in: Trial, sweep_record: Callable[..., Any]
) -> Iterator[Connection]:
    """Two widths × two replicates, the curve of the second of which lies higher."""
    folder = tmp_path_factory.mktemp("compressed")
    trial = partial(trial_in, Runs(folder / "runs"), compressed=COMPRESSED)
    folders = [
        trial(width=width, replicate=replicate, unchanged=(1.0, 0.5 + 0.1 * replicate, 0.1))
        for width in (0.25, 1.0)
        for replicate in (0, 1)
    ]
    with opened(folder / "results.db", Runs(folder / "runs"), folders, sweep_record(folders)) as connection:
        yield connection


def shares(
    connection: Connection, columns: str, view: str, tolerance: float, order: str = "all"
) -> list[tuple[Any, ...]]:
    sql = f"select distinct {columns} from {view} where tolerance = $tolerance order by {order}"
    return query(connection, sql, tolerance=tolerance).rows()


def test_the_narrowest_level_counts_that_keeps_enough_of_validation_s_labels(connection: Connection) -> None:
    columns = "surgery, share_kept, unchanged_validation, unchanged, kept, units, parameters"
    assert shares(connection, columns, "compressed_widths", 0.99) == [
        ("drop", 0.75, 0.995, pytest.approx(0.985), 3, 4, 15),
        ("either", 0.5, 0.99, pytest.approx(0.98), 2, 4, 10),
        ("merge", 0.75, 0.992, pytest.approx(0.982), 3, 4, 15),
        ("rebuild", 0.5, 1.0, pytest.approx(0.99), 2, 4, 10),
    ]
    widths = query(connection, "select distinct width, compressed_width / share_kept as full from compressed_widths")
    assert widths["width"].to_list() == pytest.approx(widths["full"].to_list())


def test_either_is_the_best_of_dropping_merging_and_both(connection: Connection) -> None:
    kept = dict(shares(connection, "surgery, share_kept", "compressed_widths", 0.95))
    assert kept == {"drop": 0.5, "merge": 0.75, "either": 0.5, "rebuild": 0.5}
    for tolerance in (0.8, 0.9, 0.95, 0.99, 1.0):
        kept = dict(shares(connection, "surgery, share_kept", "compressed_widths", tolerance))
        assert kept["either"] <= min(kept["drop"], kept["merge"])


def test_either_is_there_only_if_it_was_measured(
    tmp_path: Path, runs: Runs, trial: Trial, sweep_record: Callable[..., Any]
) -> None:
    folder = trial(compressed={"drop": COMPRESSED["drop"]})
    with opened(tmp_path / "results.db", runs, [folder], sweep_record([folder])) as other:
        assert query(other, "select distinct surgery from compressed_widths")["surgery"].to_list() == ["drop"]
        assert query(other, "from compressed_width_split").is_empty()


@pytest.mark.parametrize(
    ("tolerance", "parts"),
    [
        (1.0, (1.0, 0.0, 0.0, 0.0, 0.0)),
        (0.99, (0.5, 0.25, 0.25, 0.0, 0.0)),
        (0.95, (0.5, 0.25, 0.0, 0.25, 0.0)),
    ],
)
def test_units_are_split_by_inclusion_and_exclusion(
    connection: Connection, tolerance: float, parts: tuple[float, ...]
) -> None:
    columns = "needed, only_removable, only_repeated, either_way, only_together"
    assert shares(connection, columns, "compressed_width_split", tolerance) == [parts]


def test_what_goes_only_where_both_are_allowed_is_counted_apart(
    tmp_path: Path, runs: Runs, trial: Trial, sweep_record: Callable[..., Any]
) -> None:
    compressed = {"drop": [], "merge": [("error", 1e-4, (1, 2), 1.0)], "either": [("error", 1e-4, (1, 1), 1.0)]}
    folder = trial(compressed=compressed)
    with opened(tmp_path / "results.db", runs, [folder], sweep_record([folder])) as other:
        columns = "needed, only_removable, only_repeated, either_way, only_together"
        assert shares(other, columns, "compressed_width_split", 0.99) == [(0.5, 0.0, 0.25, 0.0, 0.25)]


def test_prunability_is_where_the_line_between_two_points_crosses_80_percent(connection: Connection) -> None:
    sql = """
        select replicate, width, prunable_share, prunability
        from prunability join final_trials using (sweep_id, trial_id) order by all
    """
    rows = query(connection, sql).rows()
    # 1 → 0.5 (0.6) over half of the units
    assert [row[2] for row in rows] == pytest.approx([0.5 * 0.2 / 0.5] * 2 + [0.5 * 0.2 / 0.4] * 2)
    assert [row[3] for row in rows] == pytest.approx([row[2] * row[1] / 4 for row in rows])


def test_redundancy_counts_the_smallest_components_up_to_5_percent_of_the_variance(connection: Connection) -> None:
    rows = query(connection, "select distinct redundant_share from redundancy").rows()
    assert rows == [((0 + 1 / 2) / 2,)]  # of 3 and 1 none is small enough; of 99 and 1 one is


def test_growth_is_for_each_doubling_of_the_width(connection: Connection) -> None:
    growth = query(connection, "select measure, growth from width_growth order by all").rows()
    # the shares are the same at both widths, which are two doublings apart
    assert growth == [(name, pytest.approx(2.0)) for name in ("not_prunable", "not_redundant", "prunable", "redundant")]
