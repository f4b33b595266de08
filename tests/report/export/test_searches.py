"""`autoreg export --optuna`: what Optuna reads from the file is what the run folder has."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from autoreg.config.sweep_file import LoadedSweep
from autoreg.errors import AutoregError, ConfigError, DataError
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.search import Search
from autoreg.orchestrator.study import load_search
from autoreg.report.export import Source, exporters
from autoreg.runs.folder import Runs
from tests.helpers.searching import RecordedSearch

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


@pytest.fixture
def searched(small: Small, runs: Runs, finish: Finish) -> Callable[..., list[Search]]:
    """Search the groups of the small sweep: of each a trial is pruned, one fails, and the last has not ended."""

    def search(*overrides: str) -> list[Search]:
        loaded = small(*overrides)
        studies = [RecordedSearch(group, runs) for group in loaded.sweep.groups()]
        for study in studies:
            proposals, trials = study.search.proposals, study.search.tune.trials
            for number in range(trials):
                if not (proposal := proposals[number] if number < len(proposals) else study.propose()):
                    break
                if number < trials - 1:
                    finish(proposal.config, {1: "pruned", 2: "failed"}.get(number, "done"))
        plan = make_plan(loaded)
        runs.write_sweep(plan.record(plan.schedule(runs).planned()))
        return [study.search for study in studies]

    return search


def export(runs: Runs, path: Path, sweep: str | None = None) -> list[str]:
    return list(exporters["optuna"](Source(Path("results.db"), runs.root, sweep), str(path)))


def read(path: Path) -> dict[str, optuna.Study]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    names = optuna.get_all_study_names(storage)
    return {name: optuna.load_study(study_name=name, storage=storage) for name in names}


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_every_search_is_a_study_with_all_its_trials(
    searched: Callable[..., list[Search]], runs: Runs, tmp_path: Path
) -> None:
    studies = searched()
    for study in studies:
        folder = runs.trial(study.proposals[0].trial_id)
        folder.write_result(folder.read_result().model_copy(update={"seconds": 12.5}))
    assert export(runs, tmp_path / "searches.db") == [f"{tmp_path / 'searches.db'}  2 studies, 10 trials"]
    found = read(tmp_path / "searches.db")
    assert list(found) == ["small: mlp 1/4x glorot_normal", "small: mlp 1/2x glorot_normal"]
    states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE, TrialState.WAITING]
    searches = [load_search(study.group, runs) for study in studies]
    for study, made in zip(found.values(), searches, strict=True):
        assert [trial.state for trial in study.trials] == states
        assert [trial.params for trial in study.trials] == [proposal.hyperparameters for proposal in made.proposals]
        assert [trial.user_attrs["trial_id"] for trial in study.trials] == [one.trial_id for one in made.proposals]
        for trial, proposal in zip(study.trials[:-1], made.proposals, strict=False):
            result = made.result(proposal)
            assert result is not None
            curve = {epoch.epoch: epoch.validation_accuracy for epoch in result.epochs}
            assert trial.intermediate_values == pytest.approx(curve)
            assert len(curve) == 4
            assert trial.duration is not None
            assert trial.duration.total_seconds() == result.seconds == (0 if trial.number else 12.5)
            assert trial.datetime_complete is not None
            assert trial.datetime_complete.astimezone(UTC).isoformat() == result.finished_at
            assert trial.user_attrs["status"] == result.status
        best = made.best()
        assert best is not None
        assert study.best_trial.number == best.number
        assert study.metric_names == ["validation_accuracy"]
        template = made.group.template
        wanted = {"sweeps": "small", "network": "mlp", "width": template.width, "study_id": made.study_id}
        assert {key: study.user_attrs[key] for key in wanted} == wanted
        assert "learning_rate" not in study.user_attrs  # it is what is searched


def test_exporting_again_gives_the_same_file_and_what_came_since(
    searched: Callable[..., list[Search]], runs: Runs, tmp_path: Path, finish: Finish
) -> None:
    [study, _] = searched()
    path = tmp_path / "searches.db"
    export(runs, path)
    before = content(path)
    export(runs, path)
    assert content(path) == before
    finish(study.proposals[-1].config)
    export(runs, path)
    assert next(iter(read(path).values())).trials[-1].state == TrialState.COMPLETE
    assert not list(tmp_path.glob(".*"))


def test_studies_that_would_be_called_the_same_have_their_ids_and_shared_ones_stand_once(
    searched: Callable[..., list[Search]], runs: Runs, tmp_path: Path
) -> None:
    first = searched()
    searched("name=again")  # the same searches, by another sweep
    longer = searched("tune.epochs=6")
    export(runs, tmp_path / "searches.db")
    found = read(tmp_path / "searches.db")
    ids = {study.study_id for study in (*first, *longer)}
    assert {study.user_attrs["study_id"] for study in found.values()} == ids
    assert len(found) == len(ids) == 4
    for name, study in found.items():
        assert name.endswith(f" glorot_normal [{study.user_attrs['study_id']}]")
    assert {study.user_attrs["sweeps"] for study in found.values()} == {"small, again", "small"}
    export(runs, tmp_path / "one.db", "again")
    assert list(read(tmp_path / "one.db")) == ["again: mlp 1/4x glorot_normal", "again: mlp 1/2x glorot_normal"]


def test_a_file_of_somebody_elses_is_not_replaced(
    searched: Callable[..., list[Search]], runs: Runs, tmp_path: Path
) -> None:
    searched()
    theirs = tmp_path / "theirs.db"
    optuna.create_study(storage=f"sqlite:///{theirs}", study_name="theirs")
    before = theirs.read_bytes()
    for path in (theirs, tmp_path):
        with pytest.raises(ConfigError, match="is there and is no export of searches; name another file"):
            export(runs, path)
    assert theirs.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "sweep", "kind", "words"),
    [
        (None, "smal", ConfigError, r"no sweep 'smal' in .*; did you mean 'small'\?"),
        ("sweeps", None, DataError, "has no search yet"),
        ("definition", None, DataError, "cannot be read by this version"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    searched: Callable[..., list[Search]], runs: Runs, tmp_path: Path, spoil: str | None, sweep: str | None,
    kind: type[AutoregError], words: str,
) -> None:  # fmt: skip
    searched()
    [record] = runs.sweeps.glob("*.json")
    if spoil == "sweeps":
        record.unlink()
    elif spoil:
        record.write_text(record.read_text().replace('"replicates"', '"later_key"'))
    with pytest.raises(kind, match=words):
        export(runs, tmp_path / "searches.db", sweep)
    assert not (tmp_path / "searches.db").exists()
