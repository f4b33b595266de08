"""People who read results.db while a sweep runs: they get through, it is not slowed, and no row is lost."""

import time
from pathlib import Path
from statistics import median

import pytest

from tests.faults.here import run_here
from tests.faults.reader import Reader, reading
from tests.helpers.forked import run_file
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import rows_without_times

pytestmark = pytest.mark.timeout(1800)


def timed(file: Path, folder: Path) -> float:
    started = time.monotonic()
    assert run_here(file, folder).problems == []
    return time.monotonic() - started


def read_and_timed(file: Path, folder: Path, database: Path | None = None) -> tuple[float, Reader]:
    """Run a sweep while somebody reads its database, or another one."""
    with reading(database or folder / "results.db") as reader:
        seconds = timed(file, folder)
    return seconds, reader


@pytest.mark.usefixtures("ray_here")
def test_readers_every_10_ms_get_through_and_see_the_sweep_to_its_end(tmp_path: Path) -> None:
    file = write_sweep(tmp_path / "read.yaml", tuning=3, epochs=60)
    _, reader = read_and_timed(file, tmp_path / "read")
    run_file(file, tmp_path / "unread")
    assert reader.opens > 30
    assert reader.failed < 0.2 * reader.opens
    assert rows_without_times(tmp_path / "read" / "results.db") == rows_without_times(
        tmp_path / "unread" / "results.db"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_readers_every_10_ms_slow_a_sweep_by_less_than_5_percent(tmp_path: Path, promise: Promise) -> None:
    # Beside the same readers of another database: they take half a core of a machine whose cores all train.
    file = write_sweep(tmp_path / "read.yaml", tuning=12, replicates=4, epochs=400)
    timed(file, tmp_path / "other")
    here, elsewhere, unread, readers = [], [], [], []
    for number in range(5):
        seconds, reader = read_and_timed(file, tmp_path / f"here{number}")
        here.append(seconds)
        readers.append(reader)
        elsewhere.append(read_and_timed(file, tmp_path / f"there{number}", tmp_path / "other" / "results.db")[0])
        unread.append(timed(file, tmp_path / f"unread{number}"))
    opens, failed = sum(reader.opens for reader in readers), sum(reader.failed for reader in readers)
    slower = median(here) / median(elsewhere) - 1
    promise(
        "Readers and the sweep do not block each other",
        "slowed by < 5 %",
        f"{slower:+.1%} ({median(here):.1f} s against {median(elsewhere):.1f} s beside the same readers of another "
        f"database, {median(unread):.1f} s without any, medians of 5); {failed} of {opens} opens met a commit",
    )
    assert slower < 0.05
    assert failed < 0.2 * opens


@pytest.mark.parametrize("seconds", [3.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_a_shell_left_open_delays_rows_and_loses_none(seconds: float, tmp_path: Path, promise: Promise) -> None:
    file = write_sweep(tmp_path / "held.yaml", tuning=5, epochs=30)
    database = tmp_path / "results.db"
    run_file(write_sweep(tmp_path / "first.yaml", replicates=1), tmp_path)  # so that there is something to open
    with reading(database, seconds) as shell:
        shell.wait_until_it_has_read()
        before = rows_without_times(database)
        summary = run_file(file, tmp_path)
        ended_at = time.time()
    assert ended_at > shell.let_go_at, "the sweep's rows had to wait"
    assert (summary.problems, summary.unwritten) == ([], 0)
    after = rows_without_times(database)
    lost = summary.trained - (len(after["trials"]) - len(before["trials"]))
    promise("A shell left open delays rows and loses none", "0 lost", f"{lost} lost after {seconds:.0f} s")
    assert lost == 0
