"""Curves, settings and scores of trials as TensorBoard reads them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoreg.files import as_file_name, write_bytes
from autoreg.report.export.exporter import Source, exporter, optional

if TYPE_CHECKING:
    from autoreg.report.export.trials import FinishedTrial

#: TensorBoard draws what has the same first word beside each other.
TAGS = {
    "learning_rate": "learning_rate",
    "train_loss": "loss/train",
    "train_accuracy": "accuracy/train",
    "validation_loss": "loss/validation",
    "validation_accuracy": "accuracy/validation",
}


@exporter("FOLDER")
def tensorboard(source: Source, target: str) -> Iterator[str]:
    """Curves by epoch, settings and scores of each trial in results.db, a run each, for TensorBoard.

    Runs lie in `<sweep>/final/` and `<sweep>/tune/`. A file that would not change is not touched.

    Raises:
        ConfigError: there is no such sweep, or tensorboardX is not installed.
        DataError: results.db has no sweep.
    """
    with optional("tensorboardX", "tensorboard", "tensorboardX"):
        import tensorboardX  # noqa: F401
    from autoreg.report.export.trials import write_trials

    folder = Path(target)
    files = folder.glob("*/*/*/events.out.tfevents.*")
    there = {(path.relative_to(folder).parts[0], path.name): path for path in files}
    yield from write_trials(source, target, partial(_write_run, folder, there))


def _write_run(folder: Path, there: Mapping[tuple[str, str], Path], trial: "FinishedTrial") -> bool:
    run = folder.joinpath(*map(as_file_name, (trial.sweep, trial.kind, trial.name)))
    path, content = run / as_file_name(f"events.out.tfevents.{trial.trial_id}"), _content(trial)
    if (old := there.get((as_file_name(trial.sweep), path.name), path)) != path:  # its name says more by now
        old.unlink(missing_ok=True)
        with suppress(OSError):  # somebody has put something else there
            old.parent.rmdir()
    if path.is_file() and path.read_bytes() == content:
        return False
    write_bytes(path, content)
    return True


def _content(trial: "FinishedTrial") -> bytes:
    """Return the event file of a trial: the same bytes for the same trial."""
    from tempfile import TemporaryDirectory

    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
    from tensorboardX.record_writer import RecordWriter
    from tensorboardX.summary import hparams, scalar

    ended = trial.finished_at.timestamp()
    events: list[Any] = [Event(wall_time=ended, file_version="brain.Event:2")]

    def add(summary: Any, step: int = 0) -> None:
        events.append(Event(wall_time=ended, step=step, summary=summary))

    scores = {f"scores/{name}": value for name, value in trial.scores.items()}
    facts = {name: getattr(trial, name) for name in ("sweep", "trial_id", "status", "definition")}
    for summary in hparams(trial.settings | facts, scores):
        for value in summary.value:  # its settings are in the order of a hash that differs between processes
            plugin = value.metadata.plugin_data
            plugin.content = HParamsPluginData.FromString(plugin.content).SerializeToString(deterministic=True)
        add(summary)
    for epoch, values in trial.epochs.items():
        for curve, value in values.items():
            add(scalar(TAGS[curve], value), epoch)
    for name, value in scores.items():
        add(scalar(name, value), max(trial.epochs, default=0))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        records = RecordWriter(str(path))
        for event in events:
            records.write(event.SerializeToString(deterministic=True))
        records.close()
        return path.read_bytes()
