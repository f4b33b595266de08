"""A group's study: written down before it is launched, the same however often it is made anew."""

from collections.abc import Callable
from inspect import signature

import pytest
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from autoreg.config import group as group_module
from autoreg.config.group import SAMPLER
from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError
from autoreg.orchestrator.study import optuna_study
from autoreg.runs.folder import Runs
from autoreg.runs.records import TrialResult
from tests.helpers.searching import RecordedSearch

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]
#: Of each study the learning rates and batch sizes that Optuna 5.0.0 drew.
GOLDEN = {
    "cca1d8129a256669": """
        0.1/50 0.001769/25 0.5506/25 0.002669/25 0.001039/100 0.02642/100 0.03268/100 0.1/100 0.009131/100
        0.4796/100 0.06986/25 0.0151/100 0.02566/100 0.007681/50 0.3207/50 0.05582/100 0.03426/25
        0.003518/100 0.1916/25 0.01343/25
    """,
    "5b77ee96586647cb": """
        0.1/50 0.1782/25 0.3374/50 0.001349/50 0.001056/50 0.001737/100 0.006449/100 0.02049/25 0.005318/25
        0.9323/25 0.0428/25 0.03397/25 0.01554/50 0.06283/100 0.0204/25 0.5754/100 0.006625/25 0.07795/25
        0.02242/100 0.02334/100
    """,
    "1656468e2a3b60f5": """
        0.1/50 0.03178/25 0.04214/25 0.002174/25 0.5474/100 0.002307/100 0.05209/25 0.9147/25 0.007272/50
        0.009643/25 0.2636/25 0.02291/25 0.04245/100 0.0174/25 0.01389/100 0.005112/25 0.001188/50 0.1986/25
        0.02345/25 0.01748/50
    """,
}


def study_of(small: Small, runs: Runs, *overrides: str) -> RecordedSearch:
    return RecordedSearch(small(*overrides).sweep.groups()[0], runs)


def test_the_setting_of_the_sweep_file_is_tried_first(small: Small, runs: Runs) -> None:
    first = study_of(small, runs).propose()
    assert first is not None
    assert first.hyperparameters == {"learning_rate": 0.1}
    assert first.config.kind == "tune"


def test_the_first_round_is_proposed_at_once_and_later_ones_wait(small: Small, runs: Runs, finish: Finish) -> None:
    study = study_of(small, runs)
    first = [study.propose() for _ in range(3)]
    assert all(first)
    assert study.propose() is None
    for proposal in first[:2]:
        assert proposal
        finish(proposal.config)
    assert study.propose() is None
    assert first[2]
    finish(first[2].config)
    assert study.propose()
    assert study.propose() is None


def test_a_study_made_anew_proposes_the_same(small: Small, runs: Runs, finish: Finish, tmp_path: object) -> None:
    whole = [proposal.hyperparameters for proposal in study_of(small, runs).run(finish)]
    assert len({setting["learning_rate"] for setting in whole}) == 5
    assert all(1e-3 <= setting["learning_rate"] <= 1 for setting in whole)
    for count in range(5):
        runs.study_path(small().sweep.groups()[0].study_id).unlink()
        study = study_of(small, runs)  # forgot everything but the results
        for _ in range(count + 1):
            study.propose()
        assert [proposal.hyperparameters for proposal in study.search.proposals] == whole[: count + 1]


def test_a_proposal_is_on_disk_before_its_trial_starts(small: Small, runs: Runs) -> None:
    made = study_of(small, runs).propose()
    assert made is not None
    again = study_of(small, runs)
    assert [proposal.config for proposal in again.search.proposals] == [made.config]


def test_the_proposals_of_another_search_are_not_taken(small: Small, runs: Runs) -> None:
    study = study_of(small, runs)
    study.propose()
    path = runs.study_path(study.search.study_id)
    path.write_text(path.read_text().replace(study.search.study_id, "another"))
    assert study_of(small, runs).search.proposals == []


def test_a_batch_size_stands_once(small: Small) -> None:
    with pytest.raises(ConfigError, match="each value of a list stands once, 50 stands twice"):
        small("tune.space={batch_size: [50, 50]}")


def test_groups_search_on_their_own(small: Small, runs: Runs, finish: Finish) -> None:
    narrow, wide = (RecordedSearch(group, runs) for group in small().sweep.groups())
    settings = [[proposal.hyperparameters for proposal in study.run(finish)] for study in (narrow, wide)]
    assert settings[0][0] == settings[1][0]
    assert settings[0][1:] != settings[1][1:]


def test_the_best_is_the_highest_validation_accuracy_of_the_trials_that_ended(
    small: Small, runs: Runs, finish: Finish
) -> None:
    study = study_of(small, runs)
    proposals = study.run(finish)
    closest = min(proposals, key=lambda proposal: abs(proposal.hyperparameters["learning_rate"] - 0.03))
    assert study.search.is_finished
    assert study.search.best() == closest
    finish(closest.config, "diverged")
    study = study_of(small, runs)
    assert study.search.best() != closest


def test_a_search_of_which_everything_failed_has_no_best(small: Small, runs: Runs) -> None:
    study = study_of(small, runs)
    for _ in range(5):
        proposal = study.propose()
        assert proposal
        folder = runs.trial(proposal.config.trial_id)
        folder.write_config(proposal.config)
        folder.write_result(TrialResult.failed("no"))
    assert study.search.is_finished
    assert study.search.best() is None


def test_a_longer_search_keeps_what_was_found(small: Small, runs: Runs, finish: Finish) -> None:
    short = [proposal.hyperparameters for proposal in study_of(small, runs).run(finish)]
    longer = study_of(small, runs, "tune.trials=7")
    assert not longer.search.is_finished
    assert longer.propose()
    assert [proposal.hyperparameters for proposal in longer.search.proposals[:5]] == short


def test_the_first_round_is_never_pruned_and_later_ones_by_the_groups_median(
    small: Small, runs: Runs, finish: Finish
) -> None:
    study = study_of(small, runs)
    study.run(finish)
    assert study.search.prune_below(2) == ()
    below = study.search.prune_below(3)
    assert below[0] is None  # warm-up
    curves = sorted(
        result.epochs[1].validation_accuracy
        for proposal in study.search.proposals[:3]
        if (result := study.search.result(proposal))
    )
    assert below[1] == curves[1]
    assert study_of(small, runs, "tune.pruning=none").search.prune_below(3) == ()


def test_what_optuna_sees_is_what_ended(small: Small, runs: Runs, finish: Finish) -> None:
    study = study_of(small, runs)
    study.run(finish)
    finish(study.search.proposals[1].config, "pruned")
    finish(study.search.proposals[2].config, "failed")
    trials = optuna_study(study_of(small, runs).search).trials
    assert [trial.state for trial in trials] == [
        TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE,
    ]  # fmt: skip
    assert trials[0].params == {"learning_rate": 0.1}
    assert list(trials[0].intermediate_values) == [1, 2, 3, 4]


def test_a_space_that_is_used_up_repeats_a_setting_instead_of_waiting_forever(
    small: Small, runs: Runs, finish: Finish
) -> None:
    overrides = ("tune.space={batch_size: [50, 100]}", "tune.trials=4")
    proposals = study_of(small, runs, *overrides).run(finish)
    assert {proposal.hyperparameters["batch_size"] for proposal in proposals[:2]} == {50, 100}
    assert len(proposals) == 4


def test_of_batch_sizes_alone_each_is_tried_once(small: Small, runs: Runs, finish: Finish) -> None:
    overrides = ("tune.space={batch_size: [10, 20, 25, 40, 50, 100]}", "tune.trials=6")
    proposals = study_of(small, runs, *overrides).run(finish)
    assert sorted(proposal.hyperparameters["batch_size"] for proposal in proposals) == [10, 20, 25, 40, 50, 100]


def test_no_trial_more_than_asked_for_is_proposed(small: Small, runs: Runs, finish: Finish) -> None:
    study = study_of(small, runs)
    assert len(study.run(finish)) == 5
    assert not study.search.can_propose


def test_both_learning_rate_and_batch_size_can_be_searched(small: Small, runs: Runs, finish: Finish) -> None:
    space = "tune.space={learning_rate: {low: 1e-3, high: 1}, batch_size: [25, 50, 100]}"
    proposals = study_of(small, runs, space).run(finish)
    configs: list[TrialConfig] = [proposal.config for proposal in proposals]
    assert {config.batch_size for config in configs} <= {25, 50, 100}
    assert configs[0].batch_size == 50


def test_proposals_are_golden(small: Small, runs: Runs, finish: Finish) -> None:
    """Proposals are a part of tuning trials' ids: a new Optuna must draw the same, whatever its defaults are."""
    overrides = ["tune.space={learning_rate: {low: 1e-3, high: 1}, batch_size: [25, 50, 100]}", "tune.trials=20"]
    groups = small(*overrides, "grid.width=[1/4,1/2,1]").sweep.groups()
    assert [group.study_id for group in groups] == list(GOLDEN)
    for group in groups:
        proposals = [proposal.hyperparameters for proposal in RecordedSearch(group, runs).run(finish)]
        drawn = [f"{each['learning_rate']:g}/{each['batch_size']}" for each in proposals]
        assert drawn == GOLDEN[group.study_id].split()


def test_every_option_of_the_sampler_that_is_not_deprecated_is_written_out() -> None:
    given = {"self", "seed", "n_startup_trials", *SAMPLER}
    deprecated = {
        "consider_prior", "prior_weight", "consider_magic_clip", "consider_endpoints", "gamma", "weights",
        "warn_independent_sampling", "constraints_func",
    }  # fmt: skip
    assert set(signature(TPESampler.__init__).parameters) == given | deprecated


def test_another_value_of_the_sampler_is_another_study(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    group = small().sweep.groups()[0]
    before = group.study_id
    monkeypatch.setattr(group_module, "SAMPLER", {**SAMPLER, "n_ei_candidates": 48})
    changed = group.study_id
    monkeypatch.setattr(group_module, "SAMPLER", dict(SAMPLER))
    assert (changed != before, group.study_id) == (True, before)
