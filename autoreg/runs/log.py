"""A trial's log: what became of it, line by line, over all its starts."""

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autoreg.runs.records import Epoch, TrialResult


class TrialLog(AbstractContextManager["TrialLog"]):
    """Appends to `log.txt` in a trial's folder. It tells people what happened, and nothing is ever read from it.

    Each entry is written whole, with one call; a disk that does not take it loses it, and no trial fails for that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None  # opened with the first entry

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def say(self, text: str) -> None:
        """Append a text after the time in UTC; its second and further lines are indented."""
        first, *more = text.strip().splitlines() or [""]
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        lines = [f"{stamp}  {first}", *(f"    {line}" for line in more)]
        with suppress(OSError):
            if self._file is None:
                self._path.parent.mkdir(exist_ok=True)
                # Not through a planted link to a file elsewhere, nor waiting for the reader of a planted pipe.
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                self._file = os.open(self._path, flags, 0o666)
            entry = "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
            written = os.write(self._file, entry)
            if written < len(entry):  # the disk is full
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Append an epoch of so many."""
        train = f"train loss {_loss(epoch.train_loss)} accuracy {epoch.train_accuracy:.4f}"
        validation = f"validation loss {_loss(epoch.validation_loss)} accuracy {epoch.validation_accuracy:.4f}"
        rate, seconds = f"lr {epoch.learning_rate:.4g}", f"{epoch.seconds:.3g} s"
        self.say(f"epoch {epoch.epoch}/{epochs}  {rate}  {train}  {validation}  {seconds}")

    def result(self, result: TrialResult) -> None:
        """Append how training ended."""
        words = [f"{result.status}: {result.epochs_run} epochs in {result.seconds:.3g} s"]
        words += [f"best epoch {result.best_epoch}"] if result.best_epoch else []
        for split in ("train", "validation", "test"):
            accuracy = getattr(result, f"{split}_accuracy")
            words += [] if accuracy is None else [f"{split} accuracy {accuracy:.4f}"]
        history = [result.environment.get(name) for name in ("resumed", "trained_again")]
        history += [f"kernel {path}" if (path := result.environment.get("kernel")) else None]
        self.say(", ".join([*words, *filter(None, history)]))

    @contextmanager
    def with_warnings(self) -> Iterator[None]:
        """Append the warnings that come meanwhile, each once for the line of code that it comes from."""

        def note(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
        ) -> None:
            self.say(f"warning: {category.__name__}: {message} ({filename}:{lineno})")

        with warnings.catch_warnings():
            warnings.showwarning = note
            yield


def _loss(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4f}"
