"""The searches as Optuna has them, for `optuna-dashboard`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from autoreg.errors import ConfigError, DataError
from autoreg.files import write_atomically
from autoreg.report.export.exporter import Source, exporter

if TYPE_CHECKING:
    from autoreg.report.export.searches import NamedSearch

#: What SQLite files say in their head about whose they are: "auto", so that no other file is replaced.
APPLICATION_ID = 0x6175746F


@exporter("FILE")
def optuna(source: Source, target: str) -> Iterator[str]:
    """Every search of the run folder as an Optuna study, in one SQLite file for `optuna-dashboard`.

    Raises:
        ConfigError: there is no such sweep, or the file is there and no export.
        DataError: the run folder has no search, or something in it is damaged.
    """
    from autoreg.report.export.searches import searches
    from autoreg.runs.folder import Runs

    path = Path(target)
    if path.exists() and not _is_ours(path):
        raise ConfigError(f"{path} is there and is no export of searches; name another file")
    named = searches(Runs(source.runs), source.sweep)
    if not named:
        raise DataError(f"{source.runs} has no search yet; sweeps with a section `tune` make them")
    write_atomically(path, lambda temporary: _write(temporary, named))
    yield f"{path}  {len(named)} studies, {sum(len(search.search.proposals) for search in named)} trials"


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(72)
    return head.startswith(b"SQLite format 3\0") and int.from_bytes(head[68:], "big") == APPLICATION_ID


def _write(path: Path, named: "list[NamedSearch]") -> None:
    import shutil
    import sqlite3
    import warnings
    from contextlib import closing
    from tempfile import TemporaryDirectory

    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with TemporaryDirectory() as folder:  # whose path means nothing else in a URL, as that of the target might
        database = Path(folder) / "searches.db"
        storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
        try:
            for search in named:
                study = optuna.create_study(storage=storage, study_name=search.name, direction="maximize")
                with warnings.catch_warnings(category=optuna.exceptions.ExperimentalWarning, action="ignore"):
                    study.set_metric_names([search.score])
                for key, value in search.facts().items():
                    study.set_user_attr(key, value)
                study.add_trials(search.trials())
        finally:
            storage.remove_session()
            storage.engine.dispose()
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
        shutil.copyfile(database, path)
