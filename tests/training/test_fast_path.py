"""A trial is trained by the compiled kernel where it can be, says so, and stays with what it began with."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from autoreg.config.trial import TrialConfig
from autoreg.datasets import build_dataset
from autoreg.networks.compiled import NEEDED
from autoreg.networks.cpu import cpu_flags
from autoreg.runs.folder import Runs
from autoreg.runs.records import TrialResult
from autoreg.training import fast_path
from autoreg.training.epoch import train_epoch
from autoreg.training.fast_path import choose_path
from autoreg.training.loop import train_trial
from autoreg.training.state import TrialState
from tests.helpers.image_trials import ALEXNET, folder_of, weights_of, without_times

pytestmark = pytest.mark.skipif(not cpu_flags().issuperset(NEEDED), reason="this CPU lacks instructions of the kernel")


@pytest.fixture
def made(config: Callable[..., TrialConfig]) -> TrialConfig:
    return config(**{**ALEXNET, "width": 0.1, "epochs": 2, "precision": "bfloat16"})


def trained(made: TrialConfig, runs: Runs, *, interrupted: bool = False, then: bool | None = None, **how: bool) -> Any:
    """Train a trial; `interrupted` after an epoch, and then with another `kernel`."""
    folder = folder_of(runs, made)
    if interrupted:
        assert train_trial(made, folder, stop=lambda: True, **how) is None
        how = {"kernel": bool(then)}
    result = train_trial(made, folder, **how)
    assert isinstance(result, TrialResult)
    return result, weights_of(folder)


def are_equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_kernel_trains_a_network_as_the_modules_do(made: TrialConfig) -> None:
    exact = made.model_copy(update={"precision": "float32", "epochs": 1})
    dataset = build_dataset(exact, None)
    plain, fast = TrialState.fresh(exact, dataset), TrialState.fresh(exact, dataset)
    assert choose_path(plain, False) == "off: as resources.kernel says"
    assert choose_path(fast, True) == "on"
    for state in (plain, fast):
        train_epoch(exact, dataset, state)
    assert not are_equal(plain.network.state_dict(), fast.network.state_dict())
    for one, other in zip(plain.network.parameters(), fast.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_what_it_was_trained_by_is_in_the_result_and_off_is_as_it_always_was(made: TrialConfig, runs: Runs) -> None:
    result, weights = trained(made, Runs(runs.root / "off"), kernel=False)
    assert result.environment["kernel"] == "off: as resources.kernel says"
    dataset = build_dataset(made, None)
    state = TrialState.fresh(made, dataset)
    state.epochs = []
    while not state.is_finished(made):
        train_epoch(made, dataset, state)
    assert without_times(result.epochs) == without_times(state.epochs)
    assert are_equal(weights, state.best_weights)
    other, others = trained(made, Runs(runs.root / "on"))
    assert other.environment["kernel"] == "on"
    assert not are_equal(weights, others)


@pytest.mark.parametrize("kernel", [True, False])
def test_a_trial_that_goes_on_stays_with_what_it_began_with(made: TrialConfig, runs: Runs, kernel: bool) -> None:
    whole, weights = trained(made, Runs(runs.root / "whole"), kernel=kernel)
    parts, others = trained(made, Runs(runs.root / "parts"), interrupted=True, kernel=kernel, then=not kernel)
    assert without_times(parts.epochs) == without_times(whole.epochs)
    assert are_equal(weights, others)
    assert parts.environment["kernel"] == ("on" if kernel else "off: as when the trial began")


def test_where_there_is_no_kernel_a_trial_goes_on_without_and_says_so(
    made: TrialConfig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "load_kernel", lambda: "there is no C compiler cc")
    result, _ = trained(made, Runs(runs.root / "new"))
    assert result.environment["kernel"] == "off: there is no C compiler cc"
    monkeypatch.undo()
    folder = folder_of(runs, made)
    train_trial(made, folder, stop=lambda: True)
    monkeypatch.setattr(fast_path, "load_kernel", lambda: "there is no C compiler cc")
    continued = train_trial(made, folder)
    assert continued is not None
    assert continued.environment["kernel"] == "off: there is no C compiler cc"
    assert continued.environment["resumed"] == "continued after epoch 1"


def test_a_network_of_other_modules_or_on_more_threads_is_trained_without(
    made: TrialConfig, config: Callable[..., TrialConfig]
) -> None:
    other = config()
    assert choose_path(TrialState.fresh(other, build_dataset(other, None)), True) is None
    state = TrialState.fresh(made, build_dataset(made, None))
    torch.set_num_threads(2)
    try:
        assert choose_path(state, True) == "off: it computes on one thread, not on 2"
    finally:
        torch.set_num_threads(1)
    assert state.network.training_kernel is None
