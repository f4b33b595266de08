"""Trials as runs of Weights & Biases, written to a folder without a network; `wandb sync` uploads them."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoreg.errors import ConfigError, DataError, first_line
from autoreg.files import write_text
from autoreg.report.export.exporter import Source, exporter, optional

if TYPE_CHECKING:
    from autoreg.report.export.trials import FinishedTrial

#: The file of a run's folder that has the hash of all that was written, and comes last.
CONTENT = "autoreg.txt"


@exporter("FOLDER/PROJECT")
def wandb(source: Source, target: str) -> Iterator[str]:
    """Trials of results.db as offline runs of Weights & Biases in FOLDER/wandb; `wandb sync` uploads them to PROJECT.

    Runs are grouped by sweep. One that is there already is left alone if it would not change, else written anew.

    Raises:
        ConfigError: the target names no project, there is no such sweep, or wandb is not installed.
        DataError: results.db has no sweep, or wandb refuses.
    """
    from autoreg.report.export.trials import write_trials

    folder, project = Path(target).parent, Path(target).name
    if not project or "/" not in target:
        raise ConfigError(f"--wandb is FOLDER/PROJECT, such as wandb_runs/widths, got {target!r}")
    with optional("wandb", "wandb", "wandb"):
        import wandb as module
    try:
        yield from write_trials(source, folder / "wandb", partial(_write_run, module, folder, project))
    except module.Error as error:
        raise DataError(f"wandb in {folder}: {first_line(error)}") from error


def _write_run(module: Any, folder: Path, project: str, trial: "FinishedTrial") -> bool:
    # Of each sweep that asks for a trial one run, since a run is in one group.
    identity = f"{trial.trial_id}-{trial.sweep_id[:8]}"
    there = sorted((folder / "wandb").glob(f"offline-run-*-{identity}"))
    content = f"{project} {trial.content_id}\n"
    if [(old / CONTENT).is_file() and (old / CONTENT).read_text(encoding="utf-8") for old in there] == [content]:
        return False
    for old in there:  # changed since, or half written by a process that was killed
        shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    facts = {name: getattr(trial, name) for name in ("trial_id", "sweep", "sweep_id", "status", "definition")}
    settings = module.Settings(silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True)
    run = module.init(
        mode="offline", dir=str(folder), project=project, id=identity, name=trial.name, group=trial.sweep,
        job_type=trial.kind, config={**trial.settings, **facts, "environment": trial.environment}, settings=settings,
    )  # fmt: skip
    for epoch, values in trial.epochs.items():
        run.log(values, step=epoch)
    # Scores are of the kept weights, and must not continue the curve of the same name.
    run.summary.update({f"final_{name}": value for name, value in trial.scores.items()})
    run_folder = Path(run.dir).parent
    run.finish()
    write_text(run_folder / CONTENT, content)
    return True
