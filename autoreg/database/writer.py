"""Rows for results.db: what the run folder has and the database has not, or all of it made anew."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from autoreg.database import connection as results_db
from autoreg.database.custom import make_views
from autoreg.database.foreign import Foreign, foreign, keep
from autoreg.database.ingest import bring_in, known_trials, measurement_id_of, replace_sweep, utc
from autoreg.database.schema import METRIC_SQL, TABLES, Connection, names
from autoreg.errors import AutoregError, DamagedDatabase, DatabaseError, first_line
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.measurements import digest_of
from autoreg.runs.records import TrialResult

#: How many trials are brought in together: one statement for many rows takes little longer than for one.
TRIALS_AT_ONCE = 100


@dataclass(frozen=True)
class Known:
    """What results.db has of each trial: when it was finished, and id and digest of its measurements."""

    trials: dict[str, tuple[datetime, frozenset[tuple[str, str | None]]]]

    def has_all_of(self, folder: TrialFolder, result: TrialResult) -> bool:
        """Whether nothing of a trial is missing, or older than what its folder holds."""
        finished_at, known = self.trials.get(folder.trial_id, (None, frozenset()))
        is_as_new = finished_at == utc(result.finished_at)
        paths = folder.measurement_paths()
        return is_as_new and all((measurement_id_of(path), digest_of(path)) in known for path in paths)


class Writer:
    """Brings finished trials from the run folder into results.db.

    The file is opened for the length of one commit only, so that a person can open it while a sweep runs. What cannot
    be written, because somebody's shell holds the file or the disk is full, stays queued, and is safe in the run folder
    meanwhile.
    """

    def __init__(self, path: Path, runs: Runs) -> None:
        results_db.require_file(path)
        self.path = path
        self.runs = runs
        self.problems: list[str] = []
        self._trials: dict[str, TrialFolder] = {}
        self._sweeps: set[str] = set()

    def queue_trial(self, folder: TrialFolder) -> None:
        """Have a trial's rows brought up to date by the next commit."""
        self._trials[folder.trial_id] = folder

    def queue_sweep(self, sweep_id: str) -> None:
        """Have a sweep's rows brought up to date by the next commit."""
        self._sweeps.add(sweep_id)

    @property
    def pending(self) -> int:
        """How many trials and sweeps wait to be written."""
        return len(self._trials) + len(self._sweeps)

    def known(self) -> Known:
        """Return what results.db has, so that only what it has not need be queued; nothing if it cannot be read now."""
        unreadable = (results_db.Locked, DatabaseError, duckdb.Error)  # held, missing or damaged, another version's
        with suppress(*unreadable), closing(results_db.connect(self.path, read_only=True, patience=0)) as connection:
            return Known(known_trials(connection))
        return Known({})

    def commit(self, patience: float = 0.0) -> bool:
        """Write what is queued and return whether nothing is left.

        A trial whose files are damaged is left out, and `problems` says so; the others are written.

        Args:
            patience: seconds to wait for another process to let go of the file.

        Raises:
            DatabaseError: results.db is damaged, from a newer version, or cannot be written; what is left to write
                stays queued.
        """
        if not self.pending:
            return True
        try:
            with results_db.opened_for_writing(self.path, patience) as connection:
                self.write(connection)
        except results_db.Locked:
            return False
        except (duckdb.Error, OSError) as error:
            raise DatabaseError(f"{self.path} cannot be written: {first_line(error)}") from error
        return True

    def write(self, connection: Connection) -> None:
        """Write what is queued; what cannot be stays so. Raises duckdb.Error if the database is to blame."""
        for sweep_id in sorted(self._sweeps):
            with self._problems_of(f"sweep {sweep_id}"):
                replace_sweep(connection, self.runs.read_sweep(sweep_id))
            self._sweeps.discard(sweep_id)
        self._trials = {name: folder for name, folder in self._trials.items() if folder.is_trained}
        waiting = list(self._trials.values())  # others were found damaged since, and are to be trained again
        for start in range(0, len(waiting), TRIALS_AT_ONCE):
            some = waiting[start : start + TRIALS_AT_ONCE]
            try:
                bring_in(connection, some)
            except (AutoregError, duckdb.Error):  # what is wrong with one keeps no other out
                for folder in some:
                    with self._problems_of(f"trial {folder.trial_id}"):
                        bring_in(connection, [folder])
                    del self._trials[folder.trial_id]
            else:
                for folder in some:
                    del self._trials[folder.trial_id]
        make_views(connection, METRIC_SQL)

    @contextmanager
    def _problems_of(self, what: str) -> Iterator[None]:
        try:
            yield
        except (AutoregError, duckdb.Error) as error:
            # What is wrong with results.db or its disk, and not with what is written, is tried again later.
            refused = isinstance(error, duckdb.OutOfMemoryException | duckdb.TransactionException)
            if refused or results_db.is_damage(error):
                raise
            self.problems.append(f"{what} is left out of the database: {first_line(error)}")


def rebuild(path: Path, runs: Runs) -> tuple[int, list[str]]:
    """Make results.db again from the run folder, replacing what is there but for others' tables and views.

    Returns:
        The number of trials in it, and one line for each trial or sweep whose files are damaged.

    Raises:
        DatabaseError: a sweep is writing to it for longer than a minute, it cannot be written, is no results database,
            or has somebody's table that cannot be kept; what was there before is still there then.
    """
    writer = Writer(path, runs)
    try:
        with (
            results_db.writer_lock(path, patience=60),
            _as_it_was(path) as (others, old),
            results_db.made_anew(path) as connection,
        ):
            folders = runs.trials()  # not earlier: a sweep may write what ends until it has to wait
            for folder in folders:
                writer.queue_trial(folder)
            for record in sorted(runs.sweeps.glob("[!.]*.json")):
                writer.queue_sweep(record.stem)
            writer.write(connection)
            if old:
                keep(others, old, connection, path)
    except results_db.Locked as error:
        raise DatabaseError(f"{path} is being written by another process: {error}") from error
    except (duckdb.Error, OSError) as error:
        raise DatabaseError(f"{path} cannot be written: {first_line(error)}") from error
    return len(folders) - sum(problem.startswith("trial") for problem in writer.problems), writer.problems


def _is_duckdb(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


@contextmanager
def _as_it_was(path: Path) -> Iterator[tuple[list[Foreign], Connection | None]]:
    """Give what is not autoreg's in the results database that there is, as far as it can be read, and a connection."""
    with ExitStack() as stack:
        others, old, there = list[Foreign](), None, set[str]()
        if path.exists():
            if path.suffix not in (".db", ".duckdb") and not _is_duckdb(path):
                raise DatabaseError(f"{path} is no database, and would be lost; name another --db, or remove it")
            with suppress(DamagedDatabase, duckdb.Error):  # nobody can read what somebody may have put into it
                old = stack.enter_context(closing(results_db.connect(path, read_only=True, patience=60)))
                there = names(old)
                others = foreign(old)
        if there and not there & {*TABLES}:
            raise DatabaseError(f"{path} is not a results database: it has none of its tables")
        yield others, old
