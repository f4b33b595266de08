"""Every view has the grain that its second line promises, and the derived numbers equal those worked out by hand."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import torch

from autoreg.config.trial import Choice, canonical_json, measurement_id
from autoreg.database.connection import query, reading
from autoreg.database.schema import Connection
from autoreg.database.writer import Writer
from autoreg.metrics.similarity import correlate
from autoreg.packaged import packaged_folder
from autoreg.report.verdicts import verdicts
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.measurements import write_measurement
from tests.conftest import COMPRESSED, similarity_rows
from tests.helpers.records import add_movement, write_record

VIEWS = sorted(packaged_folder("analysis_sql").glob("*/*.sql"))


@contextmanager
def opened(path: Path, runs: Runs, folders: list[TrialFolder], *records: dict[str, Any]) -> Iterator[Connection]:
    """Bring trials and their sweeps into a database, and open it for reading."""
    writer = Writer(path, runs)
    for folder in folders:
        writer.queue_trial(folder)
    for record in records:
        write_record(runs, record)
        writer.queue_sweep(record["sweep_id"])
    assert writer.commit()
    with reading(path) as connection:
        yield connection


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory, trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> Iterator[Connection]:
    """Two widths × two initializers × two replicates; the second replicate's curve lies higher."""
    folder = tmp_path_factory.mktemp("grid")
    runs = Runs(folder / "runs")
    folders = grid_of(partial(trial_in, runs), "mlp")
    with opened(folder / "results.db", runs, folders, sweep_record(folders)) as connection:
        yield connection


def grid_of(trial: Callable[..., TrialFolder], network: str, **changes: Any) -> list[TrialFolder]:
    return [
        trial(
            unchanged=(1.0, 0.5 + 0.1 * replicate, 0.1), similar=((1, None), (3, 5)),
            network=Choice(name=network), width=width, initializer=Choice(name=name), replicate=replicate,
            compressed=COMPRESSED, **changes,
        )
        for width in (0.25, 1.0) for name in ("he_normal", "glorot_normal") for replicate in (0, 1)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def every_network(
    tmp_path_factory: pytest.TempPathFactory, trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> Iterator[Connection]:
    """The same grid for a network of each family in one sweep; in two AlexNet on some of CIFAR-10, once in bfloat16."""
    folder = tmp_path_factory.mktemp("networks")
    runs = Runs(folder / "runs")
    names = ("mlp", "alexnet", "resnet56", "resnet18", "inception_v3", "inception_v3_layer")
    folders = [made for name in names for made in grid_of(partial(trial_in, runs), name)]
    some = Choice(name="cifar10", options={"train_size": 2000})
    alexnets = grid_of(partial(trial_in, runs), "alexnet", dataset=some)
    measure_exactly(alexnets[0], ((1, None), (5, 5)))
    record, [moved, *_] = sweep_record(alexnets), [add_movement(folder) for folder in alexnets]
    asked = [*record["sweep_measurements"], moved]
    alone = {**record, "sweep_id": "f" * 16, "name": "alexnet_alone", "sweep_measurements": asked}
    reduced = grid_of(partial(trial_in, runs), "alexnet", dataset=some, precision="bfloat16")
    records = sweep_record(folders), alone, {**sweep_record(reduced), "sweep_id": "e" * 16, "name": "alexnet_bfloat16"}
    with opened(folder / "results.db", runs, [*folders, *alexnets, *reduced], *records) as connection:
        yield connection


def measure_exactly(folder: TrialFolder, similar: Any) -> None:
    """Add similarity over all vectors: the second unit of conv is dead, the first is active at 1 in 2,000 positions."""
    rows = similarity_rows(similar).filter(sample=0)
    active = pl.Series([[0.0005, 0.0], [0.5, 0.002]]), pl.Series([[3, 0], [10, 2]])
    frame = rows.with_columns(active_share=active[0], active_inputs=active[1])
    identity = measurement_id("similarity", 1, "test", {"max_vectors": None})
    facts = {"metric": "similarity", "version": "1", "split": "test", "options": '{"max_vectors":null}'}
    frame.write_parquet(folder.measurement_path("similarity", identity), metadata=facts)


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
def test_a_view_has_rows_and_its_grain(path: Path, every_network: Connection) -> None:
    sentence, grain = path.read_text(encoding="utf-8").splitlines()[:2]
    assert re.fullmatch(r"-- .+\.", sentence)
    assert grain.startswith("-- grain: ")
    keys = [key.removesuffix(" or null") for key in grain.removeprefix("-- grain: ").split(", ")]
    frame = query(every_network, f"select * from {path.stem}")
    assert frame.height > 0
    assert frame.select(keys).is_duplicated().sum() == 0
    assert {key for key in keys if frame[key].has_nulls()} == {"layer" for _ in re.findall("layer or null", grain)}


def test_views_are_in_the_database_for_a_plain_client(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(width=width) for width in (0.25, 1.0)]
    with opened(tmp_path / "results.db", runs, folders, sweep_record(folders)):
        pass
    with duckdb.connect(str(tmp_path / "results.db"), read_only=True) as plain:
        row = plain.execute("select count(*) from figure_6").fetchone()
    assert row == (2 * 2,)  # widths × definitions


def test_areas_equal_hand_values(connection: Connection) -> None:
    found = query(connection, "select definition, replicate, auc from auc join final_trials using (sweep_id, trial_id)")
    for replicate, middle in ((0, 0.5), (1, 0.6)):
        own = {row["definition"]: row["auc"] for row in found.to_dicts() if row["replicate"] == replicate}
        # released: the mean of the points of the whole network's curve; text: trapezoids under 1, m + 0.02, 0.1
        assert own["released"] == pytest.approx((1 + middle + 0.1) / 3)
        assert own["text"] == pytest.approx(0.5 * (1 + middle + 0.02) / 2 + 0.5 * (middle + 0.02 + 0.1) / 2)


def test_an_option_of_ones_own_metric_is_no_departure_from_the_paper(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    made = trial()
    record = sweep_record([made])
    for metric in ("own:sparsity", "similarity"):
        options = {"threshold": 0.3}
        identity = measurement_id(metric, 1, "test", options)
        facts = {"metric": metric, "version": "1", "split": "test", "options": '{"threshold":0.3}'}
        frame = similarity_rows(((1, 1), (2, None)))
        rows = frame if metric == "similarity" else frame.select("split", "layer", sparsity=pl.lit(0.5))
        rows.write_parquet(made.measurement_path(metric, identity), metadata=facts)
        record["sweep_measurements"] += [{"metric": metric, "split": "test", "measurement_id": identity}]
    with opened(tmp_path / "results.db", runs, [made], record) as other:
        assert query(other, "from departures")["departures"].to_list() == ["similar from |r| = 0.3 on"]


def test_replicates_are_those_that_every_mean_is_of(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(replicate=replicate) for replicate in range(3)]
    next(folders[2].measurements.glob("ablation-*")).unlink()
    with opened(tmp_path / "results.db", runs, folders, sweep_record(folders)) as other:
        for view in ("scores_by_width", "layer_scores_by_width"):
            assert query(other, f"select distinct replicates from {view}")["replicates"].to_list() == [2], view


def test_similar_units_equal_hand_values(connection: Connection) -> None:
    rows = query(
        connection, "select distinct definition, similar_units, similar_units_std, dead_units from similar_units"
    )
    found = {row["definition"]: row for row in rows.to_dicts()}
    assert rows.height == 2
    # conv: 1 and a dead unit; full: 3 and 5
    assert found["text"]["similar_units"] == pytest.approx((1 + 4) / 2)
    assert found["released"]["similar_units"] == pytest.approx(((1 - 1) / 2 + 4) / 2)
    assert found["text"]["similar_units_std"] == pytest.approx((0 + 1) / 2)
    assert found["released"]["similar_units_std"] == pytest.approx((1 + 1) / 2)
    assert found["text"]["dead_units"] == 1


def test_similar_units_at_each_threshold_equal_hand_values(connection: Connection) -> None:
    rows = query(connection, "select distinct definition, threshold, similar_units from similar_units_by_threshold")
    found = {(definition, threshold): value for definition, threshold, value in rows.iter_rows()}
    assert len(found) == rows.height == 2 * 7
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        # Each layer has 2 units and 1 pair with |r| in 0.75 to 0.76; one unit of conv is dead, none of full is.
        similar = 2 if threshold < 0.75 else 0
        assert found["text", threshold] == pytest.approx((similar / 1 + similar / 2) / 2)
        assert found["released", threshold] == pytest.approx(((similar - 1) / 2 + similar / 2) / 2)


def test_a_threshold_counts_the_pairs_from_its_own_bin_on(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folder = trial(similarity=similarity_of({"full": ([0] * 100, [False] * 100, [1] * 100)}))
    with opened(tmp_path / "other.db", runs, [folder], sweep_record([folder])) as other:
        rows = query(
            other, "select distinct threshold, similar_units from similar_units_by_threshold order by threshold"
        )
        pairs = (70, 60, 50, 40, 30, 20, 10)
        assert rows["similar_units"].to_list() == pytest.approx([2 * count / 100 for count in pairs])


def test_at_the_measured_threshold_both_views_of_similar_units_agree(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    generator = torch.Generator().manual_seed(0)
    layers = {}
    for name, units in (("mixed", 60), ("dead", 7), ("lonely", 3)):
        vectors = torch.randn(200, units, generator=generator)
        if name == "mixed":
            vectors = (vectors + 2 * torch.randn(200, 1, generator=generator) * (torch.arange(units) % 3)).relu()
            vectors[:, ::7] = 0
        elif name == "dead":
            vectors[:] = 1
        similar, _, dead, pairs = correlate(vectors, 0.5).as_lists()
        layers[name] = (similar, dead, pairs)
    assert sum(layers["mixed"][2][50:]) > 100  # there is something to agree about
    assert sum(layers["lonely"][2][50:]) == 0
    folder = trial(similarity=similarity_of(layers))
    with opened(tmp_path / "other.db", runs, [folder], sweep_record([folder])) as other:
        keys = "sweep_id, trial_id, definition, split, sample"
        both = query(
            other,
            f"""
            select similar_units.similar_units as counted, similar_units_by_threshold.similar_units as binned
            from similar_units
            join similar_units_by_threshold using ({keys})
            where threshold = 0.5
            """,
        )
        assert both.height == 2
        assert both["binned"].to_list() == pytest.approx(both["counted"].to_list(), rel=1e-14)


def similarity_of(layers: dict[str, tuple[list[int | None], list[bool], list[int]]]) -> pl.DataFrame:
    """A similarity measurement of one sample: (similar, dead, pairs) of each layer."""
    rows = [
        {
            "split": "test", "layer": layer, "sample": 0, "vectors": 200, "similar": similar,
            "strongest": [0.5] * len(dead), "dead": dead, "pairs": pairs,
        }
        for layer, (similar, dead, pairs) in layers.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"similar": pl.List(pl.Int32)})


def test_width_trends_hold_each_replicate_once_and_give_verdicts(connection: Connection) -> None:
    frame = query(connection, "select * from width_trends")
    assert frame.height == 2 * 2 * 2 * 2 * 7  # widths, initializers, replicates, definitions, thresholds
    chosen = frame.filter(definition="released", threshold=0.9, series="He Norm", width=0.25, replicate=1)
    [row] = chosen.to_dicts()
    assert row["auc"] == pytest.approx((1 + 0.6 + 0.1) / 3)
    assert row["similar_units"] == pytest.approx(-0.25)
    found = verdicts(frame)
    assert found.height == 2 * 2 * 7
    assert found["verdict"].unique().to_list() == ["undecided"]  # two widths are no trend


def test_verdicts_are_made_over_all_vectors_only_where_every_trial_of_a_series_has_them(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = grid_of(trial, "mlp")
    for folder in folders:
        config = folder.read_config()
        is_last = config.width == 1.0 and config.replicate == 1
        if config.initializer.name == "he_normal" or not is_last:
            measure_exactly(folder, ((None, None), (1, 1)))
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        sql = "select distinct series, vectors, similar_units from width_trends where definition = 'released'"
        rows = query(other, f"{sql} and threshold = 0.5 order by all").rows()
        assert rows == [("Glorot Norm", "drawn", (0.5 + 1) / 2), ("He Norm", "all", (0 + 1) / 2)]
        shown = query(other, "select distinct similar_units from trial_scores where definition = 'released'")
        assert shown["similar_units"].to_list() == [2.0]  # figures show what the sweep asks for
        assert set(verdicts(query(other, "from width_trends"))["vectors"]) == {"drawn", "all"}


def test_the_spread_over_samples_stands_beside_what_all_vectors_give(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    drawn = pl.concat(
        [similarity_rows(((1, 1), (2, None))).filter(sample=0), similarity_rows(((3, 1), (0, 0))).filter(sample=1)]
    )
    folders = [trial(similarity=drawn), trial(similarity=drawn, replicate=1)]
    measure_exactly(folders[0], ((1, None), (4, 0)))
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        columns = "layer, samples, least, similar_units, most, sample_std, exact"
        sql = (
            f"select {columns} from similar_units_spread where definition = 'released' and trial_id = $id order by all"
        )
        rows = query(other, sql, id=folders[0].trial_id).rows()
        assert rows == [
            ("conv", 2, 1.0, 1.5, 2.0, 0.5, 0.0),  # of the exact one, a unit is dead
            ("full", 2, 0.0, 0.25, 0.5, 0.25, 2.0),
            (None, 2, 0.75, 0.875, 1.0, 0.125, 1.0),
        ]
        assert query(other, sql, id=folders[1].trial_id)["exact"].to_list() == [None] * 3
        [row] = query(other, "from scores_by_width where definition = 'released'").to_dicts()
        assert row["similar_units_sample_std"] == pytest.approx(0.125)
        activity = query(other, "from activity_by_layer order by layer").rows()
        [swept] = query(other, "select sweep_id from sweeps")["sweep_id"]
        assert activity == [
            (swept, folders[0].trial_id, "test", "conv", 2, 1, 1, 3.0, 0),
            (swept, folders[0].trial_id, "test", "full", 2, 0, 0, None, 2),
        ]


def test_a_sweep_that_asks_for_all_vectors_shows_them(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folder = trial()
    measure_exactly(folder, ((1, None), (4, 0)))
    exact = {"metric": "similarity", "split": "test"}
    exact["measurement_id"] = measurement_id("similarity", 1, "test", {"max_vectors": None})
    record = {**sweep_record([folder]), "sweep_measurements": [exact]}
    with opened(tmp_path / "other.db", runs, [folder], record) as other:
        scores = query(other, "select similar_units from trial_scores where definition = 'released'")
        assert scores["similar_units"].to_list() == [1.0]
        assert query(other, "select distinct vectors from width_trends")["vectors"].to_list() == ["all"]


def test_width_trends_leave_out_trials_that_failed_and_keep_those_without_similarity(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(replicate=replicate) for replicate in range(3)]
    failed = folders[1].read_result()
    assert failed is not None
    folders[1].write_result(failed.model_copy(update={"status": "failed", "error": "out of memory"}))
    [path] = [path for path in folders[2].measurement_paths() if "similarity" in path.name]
    path.unlink()
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        rows = query(
            other, "select distinct replicate, auc is null, similar_units is null from width_trends order by all"
        )
        assert rows.rows() == [(0, False, False), (2, False, True)]


def test_scores_have_each_trial_once_without_a_condition(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [
        trial(unchanged=(1.0, 0.5 + 0.1 * replicate, 0.1), similar=((1, None), (3, 5)), replicate=replicate)
        for replicate in range(3)
    ]
    failed = folders[2].read_result()
    folders[2].write_result(failed.model_copy(update={"status": "failed", "error": "out of memory"}))
    both = sweep_record(folders)
    later = {**sweep_record(folders[:1]), "sweep_id": "1" * 16, "name": "later"}
    with opened(tmp_path / "other.db", runs, folders, both, later) as other:
        rows = query(other, "select replicate, sweeps, auc, similar_units from scores order by replicate").rows()
        assert [row[:2] for row in rows] == [(0, ["fixture", "later"]), (1, ["fixture"])]
        assert [row[2] for row in rows] == pytest.approx([(1 + middle + 0.1) / 3 for middle in (0.5, 0.6)])
        assert [row[3] for row in rows] == pytest.approx([((1 - 1) / 2 + 4) / 2] * 2)
        layers = query(other, "select replicate, layer, units, similar_units from layer_scores order by all").rows()
        assert layers == [(replicate, *row) for replicate in (0, 1) for row in (("conv", 2, 0.0), ("full", 2, 4.0))]


#: A sweep that asks for other measurements of a trial: similarity with these options and on this split, or nothing.
LATER = [("train", {}), ("test", {"threshold": 0.8}), ("test", {"max_vectors": None}), None]


@pytest.mark.parametrize("other_sweep", LATER, ids=str)
def test_no_other_sweep_of_a_trial_changes_its_scores(
    tmp_path: Path,
    runs: Runs,
    trial: Callable[..., TrialFolder],
    sweep_record: Callable[..., Any],
    other_sweep: tuple[str, dict[str, Any]] | None,
) -> None:
    folder, both = trial(similar=((1, None), (3, 5))), ("scores", "layer_scores")
    scores = ("auc", "auc_split", "auc_options", "similar_units", "similarity_split", "similarity_options")
    selected = ", ".join(scores)
    with opened(tmp_path / "other.db", runs, [folder], sweep_record([folder])) as database:
        before = [query(database, f"select {selected} from {view} order by all").rows() for view in both]
    assert before[0] == [(pytest.approx((1 + 0.5 + 0.1) / 3), "test", "{}", 2.0, "test", "{}")]
    asked = []
    if other_sweep is not None:
        asked = [measure_otherwise(folder, *other_sweep)]
    later = {"sweep_id": "1" * 16, "updated_at": "2027-01-02T00:00:00+00:00", "sweep_measurements": asked}
    with opened(tmp_path / "other.db", runs, [folder], {**sweep_record([folder]), **later}) as database:
        assert [query(database, f"select {selected} from {view} order by all").rows() for view in both] == before


def test_scores_say_which_split_and_options_stand_behind_a_value(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(), trial(replicate=1)]
    [path] = [path for path in folders[0].measurement_paths() if "similarity" in path.name]
    path.unlink()
    asked = measure_otherwise(folders[0], "train", {"threshold": 0.8})
    other_sweep = {**sweep_record(folders[:1]), "sweep_id": "1" * 16, "sweep_measurements": [asked]}
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders), other_sweep) as database:
        columns = "auc is null, auc_split, auc_options, similar_units, similarity_split, similarity_options"
        assert query(database, f"select {columns} from scores order by replicate").rows() == [
            (False, "test", "{}", 9.0, "train", '{"threshold":0.8}'), (False, "test", "{}", 0.75, "test", "{}")
        ]  # fmt: skip


def measure_otherwise(folder: TrialFolder, split: str, options: dict[str, Any]) -> dict[str, str]:
    """Add similarity with other options or on another split, with 9 similar units each, and return who asks for it."""
    identity = measurement_id("similarity", 1, split, options)
    facts = {"metric": "similarity", "version": "1", "split": split, "options": canonical_json(options)}
    frame = similarity_rows(((9, 9), (9, 9))).with_columns(split=pl.lit(split))
    write_measurement(folder.measurement_path("similarity", identity), frame, facts)
    return {"metric": "similarity", "split": split, "measurement_id": identity}


def test_figure_6_averages_the_replicates(connection: Connection) -> None:
    frame = query(
        connection, "select * from figure_6 where definition = 'released' and width = 0.25 and series = 'He Norm'"
    )
    [row] = frame.to_dicts()
    areas = [(1 + middle + 0.1) / 3 for middle in (0.5, 0.6)]
    assert row["replicates"] == 2
    assert row["auc"] == pytest.approx(sum(areas) / 2)
    assert row["auc_std"] == pytest.approx((areas[1] - areas[0]) / 2)
    assert row["dead_share"] == pytest.approx(1 / 4)
    assert len(row["trials"]) == 2


@pytest.mark.parametrize(("variant", "series"), [("A", "A"), (None, "He Norm")])
def test_figure_b2_has_one_series_for_all_epochs_of_a_network(
    tmp_path: Path,
    runs: Runs,
    trial: Callable[..., TrialFolder],
    sweep_record: Callable[..., Any],
    variant: str | None,
    series: str,
) -> None:
    folders = [trial(epochs=epochs) for epochs in (82, 90)]
    record = sweep_record(folders, ["B2"])
    record["sweep_groups"] = [{**group, "variant": variant, "epochs": 90} for group in record["sweep_groups"]]
    with opened(tmp_path / "other.db", runs, folders, record) as other:
        sql = "select distinct series, epochs_before_end from figure_b2 order by all"
        assert query(other, sql).rows() == [(series, 0), (series, 8)]


def test_figure_3_shows_the_last_layer_that_has_positions(connection: Connection) -> None:
    frame = query(connection, "select * from figure_3 where width = 1 and series = 'He Norm' order by bin_low")
    assert frame["layer"].unique().to_list() == ["conv"]
    assert frame["share"].to_list() == pytest.approx([0.75, 0.25])
    assert frame["mean_abs_r"].to_list() == pytest.approx([0.75 * 0.255 + 0.25 * 0.755] * 2)


def test_sigmas_have_short_labels_and_other_options_keep_theirs(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    options = [{"sigma": 100.0}, {"sigma": 0.01}, {"sigma": 1e-5}, {"sigma": 1.0, "hidden_ratio": 1.0}]
    folders = [trial(initializer=Choice(name="normal", options=given)) for given in options]
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        labels = query(other, "select distinct initializer from final_trials order by all")["initializer"].to_list()
        assert labels == ["normal(hidden_ratio=1.0, sigma=1.0)", "σ = 0.01", "σ = 100", "σ = 1e-05"]


def test_only_measurements_that_the_sweep_asked_for_are_shown(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folder = trial()
    with opened(tmp_path / "results.db", runs, [folder], sweep_record([folder])) as connection:
        before = query(connection, "select count(*) as n from ablation_curves")["n"][0]
    [ablation] = [path for path in folder.measurement_paths() if "ablation" in path.name]
    identity = measurement_id("ablation", 1, "test", {"samples": 2})
    facts = {**pl.read_parquet_metadata(ablation), "options": '{"samples":2}'}
    pl.read_parquet(ablation).write_parquet(folder.measurement_path("ablation", identity), metadata=facts)
    with opened(tmp_path / "results.db", runs, [folder]) as connection:
        assert query(connection, "select count(distinct measurement_id) as n from ablation")["n"][0] == 2
        assert query(connection, "select count(*) as n from ablation_curves")["n"][0] == before > 0


def test_a_series_names_the_axes_that_its_sweep_varies(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [
        trial(random_labels=labels, lr_batch_factor=factor, augmentation=True, weight_decay=1e-3)
        for labels in (False, True)
        for factor in (0.25, 4.0)
    ]
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        series = query(other, "select series from final_trials order by all")["series"].to_list()
        assert series == [f"{labels} labels, k = {k}" for labels in ("Random", "True") for k in ("0.25", "4")]
        assert query(other, "select distinct regularizer from final_trials").rows() == [("Data Aug. + Weight Decay",)]


def test_networks_of_two_parametrizations_are_two_series(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(parametrization=name) for name in ("standard", "mup")]
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        rows = query(other, "select series, parametrization from final_trials order by all").rows()
        assert rows == [("mup", "mup"), ("standard", "standard")]


def test_networks_of_several_richnesses_are_as_many_series(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(richness=gamma) for gamma in (None, 0.1, 10.0)]
    with opened(tmp_path / "other.db", runs, folders, sweep_record(folders)) as other:
        rows = query(other, "select series, richness from final_trials order by richness nulls first").rows()
        assert rows == [("no γ", None), ("γ = 0.1", 0.1), ("γ = 10", 10.0)]
