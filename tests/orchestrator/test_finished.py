"""The line on a trial that has ended: short, and never the same for two trials."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoreg.config.group import Group
from autoreg.config.sweep_file import LoadedSweep, load_sweep
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.finished import FinishedLines
from autoreg.orchestrator.plan import checked_sweep, make_plan
from autoreg.packaged import packaged_folder, sweep_names
from tests.helpers.simulated import SimulatedSweep, result_of

COUNT = "[146/150] "


def trials(group: Group) -> Iterator[TrialConfig]:
    """Yield a group's final trials, and a tuning trial, all with a learning rate of many digits if it is tuned."""
    space = group.tune and group.tune.space
    setting = {"learning_rate": space.learning_rate.low * 1.23456} if space and space.learning_rate else {}
    if group.tune:
        yield group.tuning_trial(setting)
    yield from group.final_trials(setting)


@pytest.mark.parametrize("name", sweep_names())
def test_it_fits_eighty_columns_and_tells_each_trial_of_a_packaged_sweep_from_all_others(name: str) -> None:
    groups = checked_sweep(load_sweep(packaged_folder("sweeps") / f"{name}.yaml")).groups()
    lines, seen = FinishedLines(groups), set()
    for group in groups:
        for config in trials(group):
            result = result_of(config, seconds=5000 / max(config.epochs, 1))  # 83 minutes
            line = lines.of(config, group.variants, result)
            assert len(COUNT + line) <= 80
            seen.add(line)
    assert len(seen) == sum(group.final_count + bool(group.tune) for group in groups)


def test_it_names_the_variant_and_what_its_trials_share_is_said_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("""\
name: two
network: mlp
dataset: teacher
grid: {width: [1/4], optimizer: [sgd, adam]}
variants:
  - name: plain
  - name: decayed
    training: {weight_decay: 0.001}
    tune: {space: {learning_rate: {low: 1e-3, high: 1}}, trials: 2, epochs: 1}
replicates: 1
training: {learning_rate: 0.1, batch_size: 50, epochs: 3}
""")
    sweep = SimulatedSweep(make_plan(load_sweep(file)))
    sweep.run()
    assert sweep.driver.finished.shared == [
        "plain: mlp glorot_normal lr 0.1 bs 50",
        "decayed: mlp glorot_normal decay 0.001 bs 50",
    ]
    assert "done plain 1/4x SGD r0: 93.5%, 3 epochs, 300 ms" in sweep.said()
    assert "tuned decayed 1/4x Adam lr 0.04: 99.0%, 1 epoch, 100 ms" in sweep.said()


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_trial_that_went_wrong_says_how_and_which_it_was(small: Callable[..., LoadedSweep], status: str) -> None:
    [group, *_] = groups = small("training.batch_size=50").sweep.groups()
    tuning, final, *_ = trials(group)
    lines = FinishedLines(groups)
    for config, kind in ((tuning, "tuning"), (final, "r0")):
        line = lines.of(config, group.variants, result_of(config, status))
        assert line.startswith(f"{status} 1/4x lr ")
        assert f" {kind}: " in line
