"""A results.db that has all that a page shows: two sweeps of one name over the same trials, one of which failed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoreg.config.trial import Choice
from autoreg.database.writer import Writer
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import Epoch
from tests.helpers.records import write_record

#: What a stranger might put into names, errors and logs.
PLANTED = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
WIDTHS, SIGMAS, REPLICATES = (0.25, 1.0, 4.0), (0.01, 1.0), (0, 1)
FIRST, LATER = "0000000000000001", "0000000000000002"


def accuracy_of(width: float, sigma: float, replicate: int) -> float:
    """Return a trial's test accuracy, another one for each."""
    return 0.8 + 0.01 * WIDTHS.index(width) + 0.03 * SIGMAS.index(sigma) + 0.001 * replicate


def swept(folder: Path, trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any]) -> Path:
    """Make the database and its run folder, and return the database."""
    runs = Runs(folder / "runs")
    finals = [
        _final(trial_in, runs, width, sigma, replicate)
        for width in WIDTHS for sigma in SIGMAS for replicate in REPLICATES
    ]  # fmt: skip
    _end_badly(finals[-1])
    tuning = [_tuning(trial_in, runs, made, rate) for made in finals[::2] for rate in (0.01, 0.1, 0.5)]
    writer = Writer(folder / "results.db", runs)
    for made in (*finals, *(trial for trial, _ in tuning)):
        writer.queue_trial(made)
    for sweep_id, when in ((FIRST, "2026-01-01"), (LATER, "2026-01-02")):
        record = sweep_record(finals, figures=["B5"])
        record |= {"sweep_id": sweep_id, "name": f"swept {PLANTED}", "updated_at": f"{when}T00:00:00+00:00"}
        record["sweep_trials"] += [{"trial_id": made.trial_id, "group_id": of, "kind": "tune"} for made, of in tuning]
        write_record(runs, record)
        writer.queue_sweep(sweep_id)
    assert writer.commit()
    return folder / "results.db"


def _final(trial_in: Callable[..., TrialFolder], runs: Runs, width: float, sigma: float, replicate: int) -> TrialFolder:
    place = WIDTHS.index(width)
    made = trial_in(
        runs, width=width, replicate=replicate, dataset=Choice(name="teacher"),
        initializer=Choice(name="normal", options={"sigma": sigma}), unchanged=(1.0, 0.5 + 0.1 * place, 0.2),
        similar=((1 + 2 * place, 2), (4 * 2**place + replicate, 5)),
    )  # fmt: skip
    accuracy = accuracy_of(width, sigma, replicate)
    made.write_result(made.read_result().model_copy(update=_trained(accuracy, epochs=4)))
    made.log_path.write_text("1 begun\n2 trained\n3 measured\n4 ended well\n", encoding="utf-8")
    return made


def _trained(accuracy: float, epochs: int) -> dict[str, Any]:
    told = [
        Epoch(epoch=number, learning_rate=0.1, train_loss=1 / number, train_accuracy=0.9, validation_loss=1.1 / number,
              validation_accuracy=accuracy * number / epochs, seconds=0.1)
        for number in range(1, epochs + 1)
    ]  # fmt: skip
    return {"test_accuracy": accuracy, "validation_accuracy": accuracy, "epochs": told, "epochs_run": epochs,
            "best_epoch": epochs}  # fmt: skip


def _end_badly(made: TrialFolder) -> None:
    made.write_result(made.read_result().model_copy(update={"status": "failed", "error": f"it broke {PLANTED}"}))
    made.log_path.write_text(f"the end {PLANTED}\n", encoding="utf-8")


def _tuning(
    trial_in: Callable[..., TrialFolder], runs: Runs, final: TrialFolder, rate: float
) -> tuple[TrialFolder, str]:
    config = final.read_config()
    made = trial_in(
        runs, kind="tune", learning_rate=rate, width=config.width, dataset=config.dataset,
        initializer=config.initializer, epochs=2,
    )  # fmt: skip
    update = {**_trained(0.7 + rate / 10, epochs=2), "status": "pruned" if rate == 0.01 else "done"}
    made.write_result(made.read_result().model_copy(update=update))
    return made, config.config_id
