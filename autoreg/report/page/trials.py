"""The trials of a sweep: one row for each of them and series that has it, final ones first, and their scores."""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.runs.folder import Runs

#: Trials whose log's end is in the page: those that did not end well, then final ones, then the others.
MOST_LOGS = 1000
#: Lines of a log, and letters of each, that are its end.
LOG_LINES, LOG_LETTERS = 3, 240

_TRIALS = """
    with finals as (
        select distinct trial_id, group_id, series, config ->> ['$.learning_rate', '$.batch_size'] as taken
        from final_trials
        join sweep_trials using (sweep_id, trial_id)
        join trials using (trial_id)
        where sweep_id = $id
    ),

    -- a search is shown in each series that trains with what it found: of every k, say
    named as (
        select trial_id, series from finals
        union
        select sweep_trials.trial_id, finals.series
        from sweep_trials
        join finals using (group_id)
        where sweep_trials.sweep_id = $id and sweep_trials.kind = 'tune'
    )
    select
        trial_id as id,
        sweep_trials.kind,
        coalesce(series, variant, trials.initializer) as series,
        trials.width,
        trials.replicate,
        trials.learning_rate as rate,
        trials.batch_size as batch,
        trials.epochs_run as epochs,
        trials.best_epoch as best,
        trials.train_accuracy as train,
        trials.validation_accuracy as validation,
        trials.test_accuracy as test,
        coalesce(state, if(trials.status = 'done', 'tuning', trials.status)) as state,
        trials.seconds,
        trials.parameters,
        trials.error,
        sweep_trials.group_id as "group",
        sweep_trials.kind = 'tune' and (group_id, trials.config ->> ['$.learning_rate', '$.batch_size']) in (
            select (group_id, taken) from finals
        ) as taken,
        trials.config::varchar as config
    from sweep_trials
    join trials using (trial_id)
    left join (select group_id, any_value(variant) as variant from sweep_groups where sweep_id = $id group by all)
        using (group_id)
    left join named using (trial_id)
    left join final_trial_states
        on final_trial_states.sweep_id = $id and final_trial_states.trial_id = trials.trial_id
        and sweep_trials.kind = 'final'
    where sweep_trials.sweep_id = $id
    order by sweep_trials.kind, series, trials.width, trials.replicate, sweep_trials.group_id, trials.finished_at, id
"""

_SCORES = """
    select
        trial_id as id,
        series,
        definition,
        split,
        auc,
        similar_units as similar,
        similar_units_std as spread,
        dead_share as dead
    from trial_scores
    where sweep_id = $id
    order by definition, split = 'test' desc, split desc
"""


def read_trials(connection: Connection, sweep_id: str) -> pl.DataFrame:
    """Return the trials that have ended, final ones first; tuning trials in the order in which they ended."""
    return query(connection, _TRIALS, id=sweep_id)


def scores_of(connection: Connection, sweep_id: str, trials: pl.DataFrame) -> dict[str, dict[str, pl.DataFrame]]:
    """Return scores by definition and split, the one that figures show first; rows are the final trials, in order."""
    scores = query(connection, _SCORES, id=sweep_id)
    keys = trials.filter(kind="final").select("id", "series")
    result: dict[str, dict[str, pl.DataFrame]] = {}
    for (definition, split), rows in scores.partition_by("definition", "split", as_dict=True).items():
        aligned = keys.join(rows, on=["id", "series"], how="left", maintain_order="left")
        result.setdefault(definition, {})[split] = aligned.select("auc", "similar", "spread", "dead")
    return result


def configurations(configs: Sequence[str]) -> dict[str, Any]:
    """Return the first configuration, and of each one what differs from it (None: left out there), each set once."""
    first = json.loads(configs[0]) if configs else {}
    different: dict[str, int] = {}
    places = []
    for text in configs:
        config = json.loads(text)
        own = {key: config.get(key) for key in {**first, **config} if config.get(key) != first.get(key)}
        places.append(different.setdefault(json.dumps(own), len(different)))
    return {"first": first, "of": [json.loads(text) for text in different], "at": places}


def log_ends(runs: Runs | None, trials: pl.DataFrame) -> list[str | None]:
    """Return the last lines of each trial's log, None where there is none or the page has enough of them."""
    ended_badly = trials["state"].is_in(["failed", "diverged", "not measured"]).to_list()
    wanted = sorted(range(trials.height), key=lambda row: (not ended_badly[row], row))[:MOST_LOGS]
    ends: list[str | None] = [None] * trials.height
    for row in wanted if runs else []:
        assert runs is not None
        path = runs.trial(trials["id"][row]).log_path
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
            ends[row] = "\n".join(line[:LOG_LETTERS] for line in lines)
    return ends
