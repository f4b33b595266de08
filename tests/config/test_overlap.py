"""What sweeps share is known before anything runs."""

import pytest

from autoreg.config.overlap import count, keys_of, shared_with
from autoreg.config.sweep import Sweep
from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator.plan import checked_sweep
from autoreg.packaged import find_sweep


def packaged(name: str, *overrides: str) -> Sweep:
    return checked_sweep(load_sweep(find_sweep(name), overrides))


@pytest.mark.parametrize(
    ("names", "together", "shared"),
    [
        (("cifar_init", "cifar_regularizers"), (105, 350), (15, 50)),
        (("cifar_regularizers", "cifar_random_labels"), (120, 300), (15, 50)),
        (("cifar_init", "cifar_lr_batch_factor"), (120, 200), (15, 50)),
        (("mlp_10d_init", "mlp_optimizers"), (180, 600), (15, 50)),
    ],
)
def test_shared_trials_are_those_that_the_sweeps_say(
    names: tuple[str, str], together: tuple[int, int], shared: tuple[int, int]
) -> None:
    first, second = map(packaged, names)
    assert count(keys_of([first, second])) == together
    [common] = shared_with(first, [second])
    assert (common.sweep, common.figures) == (names[1], second.figures)
    assert (common.final_trials, common.tuning_trials) == shared
    assert sum(one.final_count for one in (first, second)) - shared[0] == together[0]


def test_nothing_is_shared_with_another_network_or_with_other_epochs() -> None:
    first = packaged("cifar_init")
    assert shared_with(first, [packaged("mlp_10d_init"), packaged("cifar_init", "training.epochs=3")]) == []


def test_a_longer_search_shares_its_first_trials() -> None:
    [common] = shared_with(packaged("quickstart"), [packaged("quickstart", "tune.trials=4")])
    assert common.tuning_trials == 6 * 4
    assert common.final_trials == 12, "whose settings are chosen among more, and may then differ"
