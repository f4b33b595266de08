"""Variants of a sweep: experiments side by side, what they share trained once, each under its own name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoreg.config.group import setting_labels
from autoreg.config.overlap import count, keys_of
from autoreg.config.series import figure_points
from autoreg.config.sweep import load_definition
from autoreg.config.sweep_file import LoadedSweep, load_sweep
from autoreg.config.trial import TrialConfig
from autoreg.database.connection import query, reading
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import ConfigError
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.packaged import find_sweep
from autoreg.runs.folder import Runs
from tests.helpers.records import write_record
from tests.helpers.searching import end, next_of

Finish = Callable[..., None]
TEXT = """\
name: several
figures: [B5]
network: mlp
dataset: {name: teacher, train_size: 200, validation_size: 100, test_size: 100}
grid:
  width: [1/4, 1/2]
variants:
  - name: plain
  - name: decayed
    training: {weight_decay: 0.001}
  - name: narrow
    grid: {width: [1/4]}
  - name: own
    network: {name: mlp, hidden: 64}
    initializer: {name: normal, sigma: 1}
    tune:
      space: {learning_rate: {low: 1e-2, high: 1}}
      trials: 2
      epochs: 1
replicates: 2
training: {learning_rate: 0.1, batch_size: 50, epochs: 3}
tune:
  space: {learning_rate: {low: 1e-3, high: 1}}
  trials: 3
  epochs: 2
"""


@pytest.fixture
def several(tmp_path: Path) -> Callable[..., LoadedSweep]:
    """The sweep of four variants, with overrides."""
    path = tmp_path / "several.yaml"
    path.write_text(TEXT)
    return lambda *overrides: load_sweep(path, overrides)


Several = Callable[..., LoadedSweep]


def test_a_variant_is_the_sweep_with_its_own_parts(several: Several) -> None:
    parts = dict(several().sweep.parts())
    assert list(parts) == ["plain", "decayed", "narrow", "own"]
    assert {name: part.training.weight_decay for name, part in parts.items() if part.training.weight_decay} == {
        "decayed": 0.001
    }
    assert parts["decayed"].training.epochs == 3, "keys that a variant does not name stay"
    assert parts["narrow"].grid.width == [0.25]
    assert (str(parts["own"].network), str(parts["own"].initializer)) == ("mlp(hidden=64)", "normal(sigma=1)")
    assert {name: part.tune.trials for name, part in parts.items() if part.tune} == {
        "plain": 3, "decayed": 3, "narrow": 3, "own": 2,
    }  # fmt: skip
    assert all(part.variants is None for part in parts.values())


def test_what_two_variants_share_is_one_group(several: Several) -> None:
    sweep = several().sweep
    assert [(group.variants, group.template.width) for group in sweep.groups()] == [
        (("plain", "narrow"), 0.25), (("plain",), 0.5), (("decayed",), 0.25), (("decayed",), 0.5),
        (("own",), 0.25), (("own",), 0.5),
    ]  # fmt: skip
    assert (sweep.final_count, sweep.tuning_count) == (6 * 2, 4 * 3 + 2 * 2)


def test_variants_that_ask_for_other_trials_of_one_setting_are_refused(several: Several) -> None:
    variants = "variants=[{name: plain}, {name: scaled, grid: {lr_batch_factor: [1, 2]}}]"
    with pytest.raises(ConfigError, match=r"share a setting but not its search, epochs or lr_batch_factor: plain and"):
        several(variants).sweep.groups()


@pytest.mark.parametrize(
    ("variants", "line"),
    [
        ("{name: A, grid: {initializer: [he_normal, glorot_normal]}}, {name: 'A, He Norm'}", "'A, He Norm' at 1/4x"),
        ("{name: A, grid: {lr_batch_factor: [1, 4]}}, {name: 'A, k = 4', network: alexnet}", "'A, k = 4' at 1/4x"),
        ("{name: A, training: {dropout: 0.1}}, {name: A, training: {dropout: 0.3}}", "'A' at 1/4x"),
    ],
)
def test_two_variants_that_a_figure_would_draw_as_one_line_are_refused(
    several: Several, variants: str, line: str
) -> None:
    with pytest.raises(ConfigError, match=rf"variants\.1: variants 'A' and 'A.*' would be one line .*, {line}"):
        several(f"variants=[{variants}]")


def test_variants_that_begin_alike_are_taken_if_no_line_is_of_both(several: Several) -> None:
    names = [variant.name for variant in several("variants=[{name: A}, {name: 'A, He Norm'}]").sweep.variants or []]
    assert names == ["A", "A, He Norm"]
    several("variants=[{name: A, grid: {initializer: [he_normal, glorot_normal]}}, {name: 'A, wide'}]")
    several("variants=[{name: A}, {name: A, training: {dropout: 0.1}}, {name: A, grid: {width: [1/4]}}]")


def test_series_are_named_as_the_view_names_them(
    several: Several, tmp_path: Path, runs: Runs, trial: Callable[..., Any], sweep_record: Callable[..., Any]
) -> None:
    grid = "initializer: [{name: normal, sigma: 1}, {name: normal, sigma: 3}], optimizer: [sgd, adam], "
    grid += "regularizer: [none, all], random_labels: [false, true], parametrization: [standard, mup], "
    grid += "richness: [null, 1/10], learning_rate: [0.1, 1e-5], lr_batch_factor: [1, 1/4], epochs: [1, 3]"
    sweep = several(f"variants=[{{name: A, grid: {{{grid}, width: [1/4]}}}}]", "tune=null").sweep
    [(name, part)] = sweep.parts()
    configs = [config for group in part.groups() for config in group.final_trials({})][:: part.replicates]
    folders = [trial(**dict(config.model_copy(update={"replicate": 0}))) for config in configs]
    record = {**sweep_record(folders), "definition": sweep.model_dump(mode="json")}
    record["sweep_groups"] = [{**group, "variant": name} for group in record["sweep_groups"]]
    write_record(runs, record)
    rebuild(tmp_path / "results.db", runs)
    with reading(tmp_path / "results.db") as connection:
        named = query(connection, "select distinct series from final_trials order by all")["series"].to_list()
    assert len(named) == 2**9
    assert named == sorted({series for series, *_ in figure_points(sweep)})


def test_a_learning_rate_is_an_axis_that_is_not_searched_too(several: Several) -> None:
    rates = "grid.learning_rate=[0.01, 1]"
    with pytest.raises(ConfigError, match=r"tune.space.learning_rate: must be left out beside grid.learning_rate"):
        several(rates)
    sweep = several(rates, "tune=null", "variants=null", "grid.width=[1/4]").sweep
    assert [group.template.learning_rate for group in sweep.groups()] == [0.01, 1]
    assert [str(label).split()[-1] for label in setting_labels(sweep.groups())] == [
        "learning_rate=0.01",
        "learning_rate=1.0",
    ]


def test_rates_that_a_search_chose_are_no_axis(
    tmp_path: Path, runs: Runs, trial: Callable[..., Any], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(width=width, learning_rate=rate) for width, rate in ((1.0, 0.1), (2.0, 0.2))]
    record = sweep_record(folders)
    record["definition"]["grid"]["learning_rate"] = None
    write_record(runs, record)
    rebuild(tmp_path / "results.db", runs)
    with reading(tmp_path / "results.db") as connection:
        assert query(connection, "select distinct series from final_trials").rows() == [("He Norm",)]


def test_ids_of_variants_are_golden(several: Several) -> None:
    plan = make_plan(several())
    assert plan.sweep.sweep_id == "186bffa88ad8e5f3"
    assert [group.template.config_id for group in plan.sweep.groups()][::2] == [
        "4295629018af365a", "c005f58fdb20dd70", "881f263806384942",
    ]  # fmt: skip


def test_what_is_set_on_the_command_line_counts_for_every_variant_but_never_names_them(several: Several) -> None:
    overrides = ("training.weight_decay=0.01", "grid.width=[1]", "network.hidden=32", "tune=null", "name=other")
    sweep = several(*overrides).sweep
    parts = sweep.parts()
    assert sweep.name == "other"
    assert [name for name, _ in parts] == ["plain", "decayed", "narrow", "own"]
    assert {part.training.weight_decay for _, part in parts} == {0.01}
    assert {tuple(part.grid.width) for _, part in parts} == {(1.0,)}
    assert {str(part.network) for _, part in parts} == {"mlp(hidden=32)"}
    assert {part.tune for _, part in parts} == {None}
    assert {str(part.initializer) for _, part in parts} == {"glorot_normal", "normal(sigma=1)"}, "what is not set stays"


DECAY = "training: {weight_decay: 0.001}"
NETWORK = "network: {name: mlp, hidden: 64}"


@pytest.mark.parametrize(
    ("line", "wrong", "message"),
    [
        (DECAY, "training: {weight_deca: 1}", "several.yaml:10: variants.1.training.weight_deca"),
        (DECAY, "training: {epoch: 1}", "several.yaml:10: variants.1.training.epoch: "),
        (
            DECAY,
            "training: {epochs: ten}",
            "variants.1.training.epochs: should be a valid integer, got 'ten'",
        ),
        ("grid: {width: [1/4]}", "grid: {width: [1/4, 1/4]}", "several.yaml:12: variants.2.grid.width"),
        (NETWORK, "networks: mlp", "several.yaml:14: variants.3.networks: unknown key"),
        (NETWORK, "network: mpl", "several.yaml:14: variants.3.network: unknown network 'mpl'"),
        ("sigma: 1}", "sigm: 1}", "several.yaml:15: variants.3.initializer: initializer 'normal' has no option"),
        ("- name: plain", "- names: plain", "several.yaml:8: variants.0"),
    ],
)
def test_a_mistake_in_a_variant_is_one_line_with_its_key_and_place(
    several: Several, tmp_path: Path, line: str, wrong: str, message: str
) -> None:
    assert line in TEXT
    (tmp_path / "several.yaml").write_text(TEXT.replace(line, wrong))
    with pytest.raises(ConfigError) as caught:
        make_plan(several())
    assert message in str(caught.value).splitlines()[0]
    assert "several.yaml:" in str(caught.value)


def test_a_definition_with_variants_is_read_back_as_the_same_sweep(several: Several) -> None:
    sweep = make_plan(several()).sweep
    again = load_definition(sweep.model_dump_json())
    assert again.sweep_id == sweep.sweep_id
    assert again.groups() == sweep.groups()


def test_a_checked_sweep_keeps_its_groups_and_their_variants(several: Several) -> None:
    loaded = several()
    plan = make_plan(loaded)
    by_size = sorted(plan.sweep.groups(), key=lambda group: group.template.trial_id)
    assert sorted((group for group, _ in plan.groups), key=lambda group: group.template.trial_id) == by_size
    assert [(group.variants, group.template.width, group.tune) for group in plan.sweep.groups()] == [
        (group.variants, group.template.width, group.tune) for group in loaded.sweep.groups()
    ]
    assert make_plan(several("network.hidden=128")).sweep.parts()[0][1].network.options == {}


def test_a_checked_sweep_records_what_its_variants_change_and_no_more(several: Several) -> None:
    variants = "variants=[{name: a}, {name: b, training: {patience: null, epochs: 3}, grid: {width: [1/2]}}]"
    sweep = make_plan(several("training.patience=5", variants)).sweep
    assert sweep.variants
    assert [(variant.training, variant.grid) for variant in sweep.variants] == [
        ({}, {}), ({"patience": None}, {"width": [0.5]}),
    ]  # fmt: skip
    assert [part.training.patience for _, part in load_definition(sweep.model_dump_json()).parts()] == [5, None]


def finish_all(plan: Plan, runs: Runs, finish: Finish) -> list[TrialConfig]:
    """Finish every trial of a plan without training it, and return those that were handed out."""
    schedule = plan.schedule(runs)
    started = []
    while not schedule.is_finished():
        job = next_of(schedule, runs)
        assert job
        started.append(job.config)
        finish(job.config)
        end(schedule, job.config, runs)
    runs.write_sweep(plan.record(schedule.planned()))
    return started


def test_a_trial_of_two_variants_is_trained_once_and_stands_in_both_series(
    several: Several, runs: Runs, finish: Finish, tmp_path: Path
) -> None:
    plan = make_plan(several())
    started = finish_all(plan, runs, finish)
    assert len(started) == len({made.trial_id for made in started}) == plan.sweep.final_count + plan.sweep.tuning_count
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_sweep(plan.sweep.sweep_id)
    for made in started:
        if made.kind == "final":
            writer.queue_trial(runs.trial(made.trial_id))
    assert writer.commit()
    with reading(tmp_path / "results.db") as connection:
        rows = query(
            connection, "select series, width, count(*) as n from final_trials group by all order by all"
        ).rows()
        assert rows == [
            ("decayed", 0.25, 2), ("decayed", 0.5, 2), ("narrow", 0.25, 2), ("own", 0.25, 2), ("own", 0.5, 2),
            ("plain", 0.25, 2), ("plain", 0.5, 2),
        ]  # fmt: skip
        shared = query(connection, "select trial_id from final_trials group by all having count(*) = 2")
        assert shared.height == 2
        assert (
            query(connection, "select count(*) as n from trials where kind = 'final'")["n"][0] == plan.sweep.final_count
        )


def test_a_series_names_what_varies_within_its_variant(
    several: Several, runs: Runs, finish: Finish, tmp_path: Path
) -> None:
    variants = (
        "variants=[{name: factors, grid: {lr_batch_factor: [1, 2]}}, {name: times, network: {name: mlp, hidden: 64}, "
        "grid: {epochs: [1, 2]}, training: {epochs: 2}}]"
    )
    plan = make_plan(several(variants, "tune=null", "replicates=1", "grid.width=[1/4]"))
    started = finish_all(plan, runs, finish)
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_sweep(plan.sweep.sweep_id)
    for made in started:
        writer.queue_trial(runs.trial(made.trial_id))
    assert writer.commit()
    with reading(tmp_path / "results.db") as connection:
        series = query(connection, "select distinct series from final_trials order by all")["series"].to_list()
        assert series == ["factors, k = 1", "factors, k = 2", "times, 1 epochs", "times, 2 epochs"]


def test_what_several_sweeps_share_counts_once() -> None:
    initializers, regularizers = (load_sweep(find_sweep(f"cifar_{name}")).sweep for name in ("init", "regularizers"))
    assert count(keys_of([initializers])) == (initializers.final_count, initializers.tuning_count) == (45, 150)
    assert count(keys_of([regularizers])) == (75, 250)
    assert count(keys_of([initializers, regularizers])) == (45 + 75 - 15, 150 + 250 - 50)
    assert count(keys_of([initializers, initializers])) == (45, 150)


def test_trials_of_several_lengths_each_count(several: Several) -> None:
    sweep = several("variants=null", "tune=null", "grid.epochs=[1, 2, 3]").sweep
    assert count(keys_of([sweep])) == (2 * 3 * 2, 0)
    assert sweep.final_count == 2 * 3 * 2


def test_variants_of_one_name_that_a_figure_would_average_are_refused(several: Several) -> None:
    variants = "variants=[{name: a, training: {learning_rate: 0.1}}, {name: a, training: {learning_rate: 0.2}}]"
    with pytest.raises(ConfigError, match=r"must differ in width or another axis, got two settings for a at 1/4x"):
        make_plan(several(variants))
    apart = variants.replace("0.2}", "0.2}, grid: {width: [1]}").replace("0.1}", "0.1}, grid: {width: [1/4]}")
    assert len(make_plan(several(apart)).groups) == 2


def test_a_variant_can_go_without_tuning(several: Several) -> None:
    plan = make_plan(several("variants=[{name: tuned}, {name: fixed, tune: false, training: {weight_decay: 0.1}}]"))
    assert {group.variants: bool(group.tune) for group, _ in plan.groups} == {("tuned",): True, ("fixed",): False}
    again = load_definition(plan.sweep.model_dump_json())
    assert [group.tune for group in again.groups()] == [group.tune for group in plan.sweep.groups()]


def test_all_variants_have_one_data_folder(several: Several, tmp_path: Path) -> None:
    own = "variants=[{name: a}, {name: b, dataset: {name: teacher, train_size: 300}}]"
    assert several(own, f"dataset.root={tmp_path}").root == tmp_path
    text = TEXT.replace("grid: {width: [1/4]}", "dataset: {name: teacher, root: /b}").replace(
        "size: 100}", "size: 100, root: /a}"
    )
    (tmp_path / "several.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"dataset.root: all variants must have one data folder, got /a and /b"):
        several()


def test_the_epochs_of_a_sweep_of_several_lengths_are_those_of_the_longest(several: Several) -> None:
    with pytest.raises(ConfigError, match=r"training.epochs: must be the largest of grid.epochs, 5, got 3"):
        several("grid.epochs=[1, 5]")


def test_a_figure_of_several_panels_stands_for_all_of_them(several: Several) -> None:
    assert make_plan(several("figures=[1, 1a, 6]")).sweep.figures == ["1a", "1b", "1c", "6"]


def test_patience_beside_several_lengths_is_refused(several: Several) -> None:
    with pytest.raises(ConfigError, match=r"training.patience: must be null beside grid.epochs, got 5"):
        several("grid.epochs=[1, 2]", "training.patience=5")
