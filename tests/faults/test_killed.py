"""SIGKILL of the driver at any moment: what is finished stays, nothing is done twice, nothing of it goes on living."""

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.moments import Moments
from tests.faults.two_trials import KILL
from tests.helpers.forked import run_file
from tests.helpers.machine import needs_a_compiler
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import MARK, alive_after, finished_files, rows_without_times, start, trained_in

pytestmark = [pytest.mark.timeout(3600), needs_a_compiler]

OWN_CALL = "own call"
AIMS = ["clock", "begun", OWN_CALL, "begun", "between checkpoint and result", OWN_CALL, "measuring", "committing"]


def killed_by_itself(library: Path, folder: Path, chance: random.Random) -> dict[str, str]:
    """Return an environment in which the driver dies right before one of its first calls in its folder."""
    call = f"{chance.choice(['write', 'fsync', 'rename'])} {chance.randint(1, 60)} {KILL} 0"
    return {"LD_PRELOAD": str(library), "FAILING_CALLS": f"{folder} {call}"}


def kills_of(count: int, aims: list[str], file: Path, folder: Path, moments: Moments, library: Path) -> Counter[str]:
    """Kill a sweep's driver `count` times, look after each at what is left, and return the moments that were hit."""
    chance = random.Random(4)
    hit: Counter[str] = Counter()
    done: dict[Path, tuple[int, int, bytes]] = {}
    for number in range(count):
        moments.start()
        aim = aims[number % len(aims)]
        process = start(file, folder, environment=killed_by_itself(library, folder, chance) if aim == OWN_CALL else {})
        moments.wait(aim, process, chance)
        process.send_signal(signal.SIGKILL)
        process.wait()
        hit[moments.now()] += 1
        assert alive_after(process, str(folder)) == {}, f"processes outlive kill {number + 1} ({hit})"
        now = finished_files(folder)
        assert {path: now.get(path) for path in done} == done, "what was finished has changed"
        done = now
    return hit


@pytest.mark.parametrize(
    ("kills", "aims", "tuning", "replicates", "epochs"),
    [
        pytest.param(2, ["begun", "committing"], 4, 1, 20, id="short"),
        pytest.param(112, AIMS, 24, 24, 7000, id="long", marks=pytest.mark.slow),
    ],
)
def test_killed_at_any_moment_a_sweep_ends_with_the_rows_of_one_that_was_not(
    kills: int, aims: list[str], tuning: int, replicates: int, epochs: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, promise: Promise, failing_calls: Path,
) -> None:  # fmt: skip
    file = write_sweep(tmp_path / "killed.yaml", tuning=tuning, replicates=replicates, epochs=epochs)
    broken, straight = tmp_path / "broken", tmp_path / "straight"
    broken.mkdir()
    monkeypatch.setenv(MARK, str(broken))
    hit = kills_of(kills, aims, file, broken, Moments(broken, 2 * replicates, 2), failing_calls)
    done = finished_files(broken)
    last = run_file(file, broken)
    now = finished_files(broken)
    trials = run_file(file, straight).trained
    assert {path: now.get(path) for path in done} == done, "what was finished has changed"
    assert rows_without_times(broken / "results.db") == rows_without_times(straight / "results.db")
    names = trained_in((broken / "log").read_text())
    assert len(names) == len(set(names)), "a trial was trained twice"
    assert len(names) + last.trained <= trials
    where = ", ".join(f"{count} {moment}" for moment, count in hit.most_common())
    promise(
        "A finished trial survives SIGKILL of everything at any moment; nothing is trained or counted twice",
        "0 lost, 0 duplicated, 0 retrained; no process alive after 3 s",
        f"0, 0, 0 of {trials} trials, none alive, after {kills} kills ({where})",
    )
