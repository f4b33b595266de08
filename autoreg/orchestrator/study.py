"""Optuna: what draws the proposals of a search, made anew from the run folder whenever it is asked for something."""

import json
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from autoreg.config.group import SAMPLER, Group
from autoreg.config.sections import Tune
from autoreg.errors import DataError
from autoreg.files import read_json, write_text
from autoreg.orchestrator.search import Hyperparameters, Proposal
from autoreg.orchestrator.search import Search as Search
from autoreg.runs.folder import Runs
from autoreg.runs.records import selection_score
from autoreg.seeds import derive_seed

#: How often a proposal that repeats an earlier one is drawn again, before a small space is taken to be exhausted.
REDRAWS = 20


def load_search(group: Group, runs: Runs) -> Search:
    """Return a group's search as the run folder has it. Raises DataError if a trial's result is damaged."""
    search = Search(group)
    for hyperparameters in recorded(group, runs):
        proposal = search.propose(hyperparameters)
        folder = runs.trial(proposal.trial_id)
        if folder.is_trained:
            search.end(proposal.trial_id, folder.read_result())
    return search


def recorded(group: Group, runs: Runs) -> list[Hyperparameters]:
    """Return what a group proposed before. If its file is damaged or another's, it is drawn again, the same."""
    path = runs.study_path(group.study_id)
    if group.tune is None or not path.is_file():
        return []
    try:
        record = read_json(path)
        proposals: list[Hyperparameters] = record["proposals"]
        is_own = record["study_id"] == group.study_id
        return proposals if is_own and all(_is_possible(group.tune, proposal) for proposal in proposals) else []
    except (DataError, KeyError, TypeError, AttributeError):
        return []


def propose(search: Search, runs: Runs) -> Hyperparameters:
    """Draw the next hyperparameters of a search, and write them down before anything is trained with them."""
    hyperparameters = _draw(search, len(search.proposals))
    before = [proposal.hyperparameters for proposal in search.proposals]
    record = {"study_id": search.study_id, "proposals": [*before, hyperparameters]}
    write_text(runs.study_path(search.study_id), json.dumps(record, sort_keys=True) + "\n")
    return hyperparameters


def optuna_study(search: Search, count: int | None = None, seed: int = 0) -> optuna.Study:
    """Return Optuna's study of a search's first proposals, those without a result left out."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=search.tune.startup, **SAMPLER)
    study = optuna.create_study(direction="maximize", sampler=sampler, study_name=search.study_id)
    for proposal in search.proposals[:count]:
        if search.result(proposal):
            study.add_trial(optuna_trial(search, proposal))
    return study


def optuna_trial(search: Search, proposal: Proposal) -> FrozenTrial:
    """Return a proposal as Optuna has it: waiting while its trial has no result."""
    result, score, template = search.result(proposal), search.score(proposal), search.group.template
    states = {"done": TrialState.FAIL if score is None else TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    state = states.get(result.status, TrialState.FAIL) if result else TrialState.WAITING
    epochs = result.epochs if result else []
    return create_trial(
        state=state,
        value=score if state == TrialState.COMPLETE else None,
        params=proposal.hyperparameters,
        distributions=_distributions(search.tune),
        intermediate_values={epoch.epoch: selection_score(template, epoch) for epoch in epochs},
        user_attrs={"trial_id": proposal.trial_id},
    )


def _draw(search: Search, number: int) -> Hyperparameters:
    space, tune, group = _distributions(search.tune), search.tune, search.group
    if number == 0:  # what the sweep file names is tried first
        return {name: getattr(group.template, name) for name in space}
    tried = [earlier.hyperparameters for earlier in search.proposals]
    hyperparameters: Hyperparameters = {}
    for attempt in range(REDRAWS):
        seed = derive_seed(search.study_id, "proposal", number, attempt) % 2**32
        drawn = optuna_study(search, number if number >= tune.startup else 0, seed).ask(space).params
        hyperparameters = {name: _rounded(space[name], value) for name, value in drawn.items()}
        if hyperparameters not in tried:
            return hyperparameters
    sizes = tune.space.batch_size or []
    left = [{"batch_size": size} for size in sizes if {"batch_size": size} not in tried]
    return left[0] if left and tune.space.learning_rate is None else hyperparameters


def _rounded(distribution: BaseDistribution, value: Any) -> Any:
    if not isinstance(distribution, FloatDistribution):
        return value
    return min(max(float(f"{value:.4g}"), distribution.low), distribution.high)


def _is_possible(tune: Tune, proposal: Hyperparameters) -> bool:
    """Whether recorded hyperparameters are some that the search can propose."""
    rates, sizes = tune.space.learning_rate, tune.space.batch_size
    return proposal.keys() == _distributions(tune).keys() and (
        (rates is None or rates.low <= proposal["learning_rate"] <= rates.high)
        and (sizes is None or proposal["batch_size"] in sizes)
    )


def _distributions(tune: Tune) -> dict[str, BaseDistribution]:
    distributions: dict[str, BaseDistribution] = {}
    if rates := tune.space.learning_rate:
        distributions["learning_rate"] = FloatDistribution(rates.low, rates.high, log=True)
    if sizes := tune.space.batch_size:
        distributions["batch_size"] = CategoricalDistribution(sizes)
    return distributions
