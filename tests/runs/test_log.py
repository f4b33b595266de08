"""A trial's log: whole entries, appended; what goes wrong with it is no trial's problem."""

import errno
import os
import resource
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.runs.folder import TrialFolder
from autoreg.runs.log import TrialLog
from autoreg.runs.records import Epoch


def entries(path: Path) -> list[str]:
    return [line[21:] for line in path.read_text().splitlines()]


def test_later_starts_append_and_further_lines_are_indented(tmp_path: Path) -> None:
    path = tmp_path / "0123-r0" / "log.txt"
    for text in ("first", "second\nwith more\n", "odd \udcff sign"):
        with TrialLog(path) as log:
            log.say(text)
    lines = path.read_text().splitlines()
    assert [line[21:] for line in lines if not line.startswith(" ")] == ["first", "second", r"odd \udcff sign"]
    assert lines[2] == "    with more"


def test_an_epoch_whose_loss_is_not_finite_is_told(tmp_path: Path) -> None:
    epoch = Epoch(
        epoch=2, learning_rate=0.1, train_loss=None, train_accuracy=0.25, validation_loss=1.5,
        validation_accuracy=0.125, seconds=1.2345,
    )  # fmt: skip
    with TrialLog(tmp_path / "log.txt") as log:
        log.epoch(epoch, 10)
    assert entries(tmp_path / "log.txt") == [
        "epoch 2/10  lr 0.1  train loss not finite accuracy 0.2500  validation loss 1.5000 accuracy 0.1250  1.23 s"
    ]


def test_a_warning_is_told_and_the_filters_are_as_before(tmp_path: Path) -> None:
    before = warnings.showwarning
    with TrialLog(tmp_path / "log.txt") as log, warnings.catch_warnings():
        warnings.simplefilter("default")
        with log.with_warnings():
            warnings.warn("mind the gap", stacklevel=1)
    [line] = entries(tmp_path / "log.txt")
    assert line.startswith("warning: UserWarning: mind the gap (")
    assert warnings.showwarning is before


@pytest.mark.parametrize("call", ["open", "write", "close"])
def test_what_the_disk_refuses_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with TrialLog(tmp_path / "log.txt") as log:
            log.say("lost")
    with TrialLog(tmp_path / "log.txt") as log:
        log.say("kept")
    assert entries(tmp_path / "log.txt")[-1] == "kept"


def test_an_entry_for_which_there_is_not_enough_space_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with TrialLog(path) as log:
        log.say("whole")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, before[1]))
            log.say("too long")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        log.say("whole again")
    assert entries(path) == ["whole", "whole again"]


def test_a_planted_link_or_pipe_is_not_written_to(trial: Callable[..., TrialFolder], tmp_path: Path) -> None:
    folder, elsewhere = trial(), tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    folder.log_path.symlink_to(elsewhere)
    with TrialLog(folder.log_path) as log:
        log.say("text")
    assert elsewhere.read_text() == "precious"
    folder.log_path.unlink()
    os.mkfifo(folder.log_path)
    with TrialLog(folder.log_path) as log:
        log.say("nobody reads it, and it does not wait")
