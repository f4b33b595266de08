"""A sweep file becomes groups of trials, or one line that says what is wrong with it."""

from pathlib import Path

import pytest

from autoreg.config.sections import Grid, Training
from autoreg.config.sweep import Sweep, load_definition
from autoreg.config.sweep_file import load_sweep
from autoreg.errors import ConfigError
from autoreg.packaged import find_sweep, sweep_names
from tests.helpers.another import VALUES, with_another

TEXT = """\
name: small
network: mlp
dataset: {name: teacher, dimensions: 10, root: /some/where}
grid:
  width: [1/4, 1]
  initializer: [he_normal, {name: normal, sigma: 1e-2}]
  lr_batch_factor: [1, 4]
replicates: 3
training:
  learning_rate: 0.1
  batch_size: 100
  epochs: 10
tune:
  space: {learning_rate: {low: 1e-3, high: 1}}
  trials: 5
  epochs: 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(TEXT)
    return path


def test_a_group_is_one_setting_at_one_width(file: Path) -> None:
    groups = load_sweep(file).sweep.groups()
    assert [(group.template.width, str(group.template.initializer)) for group in groups] == [
        (0.25, "he_normal"), (0.25, "normal(sigma=0.01)"), (1.0, "he_normal"), (1.0, "normal(sigma=0.01)"),
    ]  # fmt: skip
    assert len({group.study_id for group in groups}) == 4


def test_final_trials_are_the_chosen_setting_at_each_factor_and_replicate(file: Path) -> None:
    group = load_sweep(file).sweep.groups()[0]
    finals = group.final_trials({"learning_rate": 0.5})
    assert [(trial.lr_batch_factor, trial.replicate) for trial in finals] == [(k, r) for k in (1, 4) for r in range(3)]
    assert len(finals) == group.final_count
    assert {trial.effective_learning_rate for trial in finals} == {0.5, 2.0}
    assert {trial.kind for trial in finals} == {"final"}


def test_a_tuning_trial_has_the_searchs_epochs(file: Path) -> None:
    trial = load_sweep(file).sweep.groups()[0].tuning_trial({"learning_rate": 0.5})
    assert (trial.kind, trial.epochs, trial.learning_rate) == ("tune", 2, 0.5)


def test_a_longer_search_is_the_same_study(file: Path) -> None:
    [short, longer] = [load_sweep(file, [f"tune.trials={count}"]).sweep.groups()[0] for count in (5, 9)]
    assert short.study_id == longer.study_id
    other = load_sweep(file, ["tune.epochs=3"]).sweep.groups()[0]
    assert other.study_id != short.study_id


def trial_ids(sweep: Sweep) -> set[str]:
    return {trial.trial_id for group in sweep.groups() for trial in group.final_trials({})}


@pytest.mark.parametrize("key", Training.model_fields)
def test_every_key_of_training_changes_every_trial(file: Path, key: str) -> None:
    sweep = load_sweep(file).sweep
    changed = sweep.model_copy(update={"training": with_another(sweep.training, key)})
    assert trial_ids(sweep).isdisjoint(trial_ids(changed))


@pytest.mark.parametrize("key", Grid.model_fields)
def test_every_axis_of_the_grid_changes_the_trials(file: Path, key: str) -> None:
    sweep = load_sweep(file).sweep
    changed = sweep.model_copy(update={"grid": with_another(sweep.grid, key, [[value] for value in VALUES])})
    assert trial_ids(sweep) != trial_ids(changed)


def test_sweep_and_study_ids_are_golden(file: Path) -> None:
    sweep = load_sweep(file).sweep
    assert sweep.sweep_id == "28712b4aa1b4c073"
    assert sweep.groups()[0].study_id == "d172c40727eff07f"


def test_a_tuning_trial_belongs_to_its_study(file: Path) -> None:
    [plain, pruned] = [load_sweep(file, [f"tune.pruning={rule}"]).sweep.groups()[0] for rule in ("none", "median")]
    setting = {"learning_rate": 0.5}
    assert plain.tuning_trial(setting).trial_id != pruned.tuning_trial(setting).trial_id
    assert [trial.trial_id for trial in plain.final_trials(setting)] == [
        trial.trial_id for trial in pruned.final_trials(setting)
    ]


def test_figures_are_named_as_people_write_them(file: Path) -> None:
    assert load_sweep(file, ["figures=[6, b5]"]).sweep.figures == ["6", "B5"]


def test_where_data_lies_and_what_is_occupied_are_no_part_of_the_identity(file: Path) -> None:
    loaded = load_sweep(file)
    assert loaded.root == Path("/some/where")
    assert "root" not in loaded.sweep.dataset.options
    assert load_sweep(file, ["dataset.root=/else", "resources.cpus=2"]).sweep.sweep_id == loaded.sweep.sweep_id
    assert load_sweep(file, ["replicates=4"]).sweep.sweep_id != loaded.sweep.sweep_id


def test_overrides_reach_any_key(file: Path) -> None:
    sweep = load_sweep(
        file, ["grid.width=[1/2]", "training.epochs=3", "network.hidden=64", "dataset.dimensions=5", "tune=null"]
    ).sweep
    assert sweep.grid.width == [0.5]
    assert sweep.training.epochs == 3
    assert sweep.network.options == {"hidden": 64}
    assert sweep.dataset.options["dimensions"] == 5
    assert sweep.tune is None


def test_a_definition_is_read_back_as_the_same_sweep(file: Path) -> None:
    sweep = load_sweep(file).sweep
    assert load_definition(sweep.model_dump_json()).sweep_id == sweep.sweep_id


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs=ten", "training.epochs: should be a valid integer, got 'ten'"),
        ("training.epochs=010", "got '010'"),
        ("training.epochs=1.5", "should be a valid integer, got 1.5"),
        ("training.epochs=-1", "greater than or equal to 0, got -1"),
        ("training.shuffle=no", "should be a valid boolean, got 'no'"),
        ("training.epoch=1", "unknown key 'epoch'; did you mean 'epochs'?"),
        ("replicats=1", "unknown key 'replicats'; did you mean 'replicates'?"),
        ("tune.space.lr=1", "unknown key 'lr' (allowed: batch_size, learning_rate)"),
        ("training.learning_rate=0", "greater than 0, got 0"),
        ("training.learning_rate=.nan", "should be a valid number, got '.nan'"),
        ("training.learning_rate=1e999", "finite number"),
        (
            "training.learning_rate=5",
            "training.learning_rate: must lie in tune.space, since it is tried first, got 5.0",
        ),
        ("training.dropout=1", "less than 1, got 1"),
        ("grid.width=[]", "at least 1 item"),
        ("grid.width=[1/4,0.25]", "each value of a list stands once, 0.25 stands twice"),
        ("grid.width=[1/0]", "a factor is a positive number such as 1/4, 0.5 or 2, got '1/0'"),
        ("grid.width=[-1]", "greater than 0, got -1"),
        ("grid.width=1", "should be a valid list, got 1"),
        ("grid.depth=[1]", "unknown key 'depth'"),
        ("grid.regularizer=[l1]", "got 'l1'"),
        ("grid.initializer=[3]", "grid.initializer.0"),
        ("dataset.dimensions={a: 1}", "an option is a number, a text, true, false, null or a list of these"),
        ("replicates=-1", "greater than or equal to 0, got -1"),
        ("name=a/b", "name: must be small letters, digits and underscores"),
        ("name=../up", "name: must be small letters, digits and underscores"),
        ("tune.space.learning_rate.low=2", "low must be below high, got low 2.0 and high 1.0"),
        ("tune.trials=0", "greater than or equal to 1, got 0"),
        ("tune.pruning=asha", "should be 'median' or 'none', got 'asha'"),
        ("measure.splits=[test, test]", "measure.splits: each value of a list stands once, test stands twice"),
        ("resources.gpu={4: 1.5}", "less than or equal to 1, got 1.5"),
        ("measure.splits=[tset]", "got 'tset'"),
        ("resources.gpu={x: 1}", "a factor is a positive number"),
        ("network=", "network"),
        ("network.name=os.system('x')", "must be a name of letters, digits and underscores"),
        ("noequals", "--set wants key=value, got 'noequals'"),
        ("name.deeper=1", "name: should be a valid string"),
    ],
)
def test_a_mistake_is_one_line_with_key_value_and_what_is_allowed(file: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_sweep(file, [override])
    text = str(caught.value)
    assert message in text
    assert len(text.splitlines()) == 1
    assert f"--set {override.partition('=')[0].split('.')[0]}" in text or "noequals" in text or "small.yaml:" in text


def test_a_mistake_in_the_file_names_its_line(file: Path) -> None:
    file.write_text(TEXT.replace("epochs: 10", "epochs: 1e1"))
    with pytest.raises(ConfigError, match=r"small.yaml:12: training.epochs: should be a valid integer"):
        load_sweep(file)


@pytest.mark.parametrize("text", ["", "- a\n- b", "just text", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"small.yaml"):
        load_sweep(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read"):
        load_sweep(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("name", sweep_names())
def test_every_packaged_sweep_expands_and_has_its_own_name(name: str) -> None:
    sweep: Sweep = load_sweep(find_sweep(name)).sweep
    assert sweep.name == name
    assert sweep.groups()
    head = find_sweep(name).read_text().splitlines()
    comment = [line for line in head[:30] if line.startswith("#")]
    for word in ("trials", "cost", "expect", "command", *sweep.figures):
        assert any(word in line for line in comment), f"the head of {name}.yaml does not speak of {word}"


def test_the_figure_6_sweep_is_the_papers() -> None:
    groups = load_sweep(find_sweep("cifar_init")).sweep.groups()
    assert {group.template.width for group in groups} == {0.25, 0.5, 1, 2, 4}
    assert {group.template.initializer.name for group in groups} == {"glorot_normal", "he_normal", "lecun_normal"}
    assert sum(group.final_count for group in groups) == 45


def test_a_sweep_is_found_by_name_or_path_and_a_wrong_name_is_answered_with_the_known_ones() -> None:
    assert find_sweep("quickstart").samefile(find_sweep("sweeps/quickstart.yaml"))
    with pytest.raises(ConfigError, match="did you mean 'quickstart'"):
        find_sweep("quickstat")
