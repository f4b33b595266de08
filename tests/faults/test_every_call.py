"""The N-th call of the system fails, for every N: nothing half is taken for whole, and the next run ends well."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.two_trials import KILL, KINDS, Case, Outcome
from tests.helpers.machine import needs_a_compiler
from tests.helpers.promises import Promise

pytestmark = [pytest.mark.timeout(3600), needs_a_compiler]

#: How each kind of call fails: the error, and whether it stays.
WAYS = {
    "write": [(errno.ENOSPC, True), (errno.ENOSPC, False), (errno.EIO, False), (KILL, False)],
    "fsync": [(errno.EIO, False), (errno.ENOSPC, True), (KILL, False)],
    "rename": [(errno.EACCES, False), (errno.EIO, True), (KILL, False)],
    "create": [(errno.EACCES, False), (errno.ENOSPC, True), (KILL, False)],
    "mkdir": [(errno.EACCES, False), (errno.ENOSPC, True)],
}


class TwoTrials:
    """A process that does the work of two trials again and again, each time with another call failing."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.two_trials", str(library)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(library)},
        )

    def run(self, **failure: object) -> Outcome:
        assert self._process.stdin
        assert self._process.stdout
        folder = self._folder / str(self._count) / "work"
        self._count += 1
        print(json.dumps({"folder": str(folder), **failure}), file=self._process.stdin, flush=True)
        outcome = Outcome(**json.loads(self._process.stdout.readline()))
        shutil.rmtree(folder.parent)
        return outcome

    def end(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def two_trials(failing_calls: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoTrials]:
    process = TwoTrials(failing_calls, tmp_path_factory.mktemp("two_trials"))
    yield process
    process.end()


def every_case(calls: dict[str, int]) -> list[Case]:
    return [
        Case("", kind, call, error, stays)
        for kind in KINDS
        for error, stays in WAYS[kind]
        for call in range(1, calls[kind] + 1)
    ]


def some_cases(calls: dict[str, int]) -> list[Case]:
    """One for each kind, and another one of the process being killed."""
    chance = random.Random(4)
    drawn = []
    for kind in KINDS:
        error, stays = chance.choice(WAYS[kind][:-1])
        drawn.append(Case("", kind, chance.randint(1, calls[kind]), error, stays))
    return [*drawn, Case("", "fsync", chance.randint(1, calls["fsync"]), KILL)]


def described(case: Case, outcome: Outcome) -> str:
    error = errno.errorcode.get(case.error, "SIGKILL")
    return f"{case.kind} {case.call} {error}{' from then on' if case.stays else ''}: {outcome}"


@pytest.mark.parametrize("cases_of", [some_cases, pytest.param(every_case, marks=pytest.mark.slow)])
def test_a_call_that_fails_leaves_nothing_half_and_the_next_run_ends_with_the_same_rows(
    cases_of: object, two_trials: TwoTrials, promise: Promise
) -> None:
    assert callable(cases_of)
    undisturbed = two_trials.run()
    assert undisturbed.ended == "done"
    assert min(undisturbed.calls.values()) > 10, "the calls of native libraries are seen"
    wrong = []
    ended: Counter[str] = Counter()
    cases = cases_of(undisturbed.calls)
    for case in cases:
        failure = {name: value for name, value in asdict(case).items() if name != "folder"}
        outcome = two_trials.run(**failure)
        ended[outcome.ended.split(":")[0]] += 1
        if outcome.broken or outcome.rows != undisturbed.rows or outcome.ended.startswith("unexpected"):
            wrong.append(described(case, outcome))
    assert wrong == []
    counts = ", ".join(f"{undisturbed.calls[kind]} {kind}" for kind in KINDS)
    promise(
        "A failing write, fsync, rename, create or mkdir at the N-th call leaves no half file",
        "0 half files, same rows after one more run",
        f"0, same rows in {len(cases)} cases ({counts})",
    )
    assert ended["killed"] > 0
