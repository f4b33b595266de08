"""Shared fixtures: small configurations, a run folder with known rows, real images where there are any."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import polars as pl
import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig, measurement_id
from autoreg.database import connection, scores
from autoreg.database.writer import Writer
from autoreg.files import write_atomically
from autoreg.metrics.compression import SCHEMA
from autoreg.packaged import figure_names
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import Epoch, Layer, TrialResult
from tests.helpers.records import write_record

pytest_plugins = ["tests.helpers.fixtures"]
os.environ.pop("AUTOREG_CACHE", None)
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = os.environ.get("AUTOREG_DATA")
    for item in items:
        if marker := item.get_closest_marker("real_images"):
            [folder] = marker.args
            if not (root and (Path(root) / folder).is_dir()):
                item.add_marker(pytest.mark.skip(reason=f"no folder {folder} in AUTOREG_DATA={root or ''}"))
    if "PYTEST_XDIST_WORKER" in os.environ:  # what takes long must not begin last: sweeps first
        items.sort(key=lambda item: "ray_here" not in getattr(item, "fixturenames", ()) and not is_given_longer(item))


@pytest.hookimpl(optionalhook=True)  # which is xdist's
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have the files that use a Ray session run in one process, which starts only one for all of them."""
    from xdist.scheduler import LoadFileScheduling

    @cache
    def uses_ray(file: str) -> bool:
        return "ray_here" in (config.rootpath / file).read_text(encoding="utf-8")

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "with Ray" if uses_ray(file) else file

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def is_given_longer(item: pytest.Item) -> bool:
    """Whether a test may take longer than others."""
    limit = item.get_closest_marker("timeout")
    return limit is not None and limit.args[0] > float(item.config.getini("timeout"))


@pytest.fixture(scope="session")
def config() -> Callable[..., TrialConfig]:
    """A small MLP trial, any field of which can be set."""

    def make(**changes: Any) -> TrialConfig:
        fields: dict[str, Any] = {
            "kind": "final",
            "network": Choice(name="mlp"),
            "width": 0.25,
            "dataset": Choice(name="teacher", options={"train_size": 200, "validation_size": 100, "test_size": 100}),
            "random_labels": False,
            "augmentation": False,
            "initializer": Choice(name="he_normal"),
            "dropout": 0.0,
            "weight_decay": 0.0,
            "optimizer": Choice(name="momentum"),
            "learning_rate": 0.1,
            "batch_size": 50,
            "lr_batch_factor": 1.0,
            "schedule": Choice(name="constant"),
            "epochs": 3,
            "patience": None,
            "shuffle": True,
            "replicate": 0,
        }
        return TrialConfig(**{**fields, **changes})

    return make


@pytest.fixture(scope="session", autouse=True)
def new_databases_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make tables and views once a process, for new files and scores: most of the time of hundreds of tests else."""
    connect, empty = connection.connect, tmp_path_factory.mktemp("empty") / "results.db"

    def copied(path: Path, *, read_only: bool, patience: float) -> connection.Connection:
        if not read_only and not path.exists():
            shutil.copyfile(empty, path)
        return connect(path, read_only=read_only, patience=patience)

    @contextmanager
    def copy_for_scores() -> Iterator[connection.Connection]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "scores.db"
            shutil.copyfile(empty, path)
            with closing(connect(path, read_only=False, patience=0.0)) as opened:
                yield opened

    with connection.made_anew(empty):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "connect", copied)
        patch.setattr(scores, "in_memory", copy_for_scores)
        yield


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


@pytest.fixture
def trial(runs: Runs, trial_in: Callable[..., TrialFolder]) -> Callable[..., TrialFolder]:
    """Write a finished trial into this test's run folder."""
    return partial(trial_in, runs)


@pytest.fixture(scope="session")
def trial_in(config: Callable[..., TrialConfig]) -> Callable[..., TrialFolder]:
    """Write a finished trial with measurements of two layers, all of them numbers that a person can check."""

    def make(
        runs: Runs,
        unchanged: tuple[float, ...] = (1.0, 0.5, 0.1),
        similar: Any = ((1, 1), (2, None)),
        similarity: pl.DataFrame | None = None,
        compressed: Any = None,
        **changes: Any,
    ) -> Any:
        made = config(**changes)
        folder = runs.trial(made.trial_id)
        folder.write_config(made)
        epoch = Epoch(
            epoch=1, learning_rate=0.1, train_loss=1.0, train_accuracy=0.5, validation_loss=None,
            validation_accuracy=0.6, seconds=0.1,
        )  # fmt: skip
        folder.write_result(
            TrialResult(
                status="done", parameters=10, epochs_run=1, best_epoch=1, train_accuracy=0.7, validation_accuracy=0.6,
                test_accuracy=0.5, seconds=0.1, device="cpu", finished_at="2026-01-01T00:00:00+00:00", epochs=[epoch],
                layers=[
                    Layer(layer_index=0, layer="conv", units=2, positions=4),
                    Layer(layer_index=1, layer="full", units=2, positions=1),
                ],
            )
        )  # fmt: skip
        _write(folder, "ablation", ablation_rows(unchanged))
        _write(folder, "similarity", similarity_rows(similar) if similarity is None else similarity)
        if compressed is not None:
            _write(folder, "compression", compression_rows(compressed))
        return folder

    return make


#: By surgery, its levels: (rule, level, units kept of both layers, labels unchanged on validation).
Compressed = Mapping[str, Sequence[tuple[str, float, tuple[int, int], float]]]
#: Such as a person can check.
COMPRESSED: Compressed = {
    "drop": [("error", 1e-5, (2, 1), 0.995), ("error", 1e-4, (1, 1), 0.96), ("share", 0.5, (1, 1), 0.96)],
    "merge": [("error", 1e-5, (1, 2), 0.992), ("error", 1e-4, (1, 1), 0.9), ("share", 0.5, (1, 1), 0.9)],
    "either": [("error", 1e-5, (2, 2), 1.0), ("refined", 5e-5, (1, 1), 0.99), ("error", 1e-4, (1, 1), 0.99)],
    "rebuild": [("error", 1e-5, (1, 1), 1.0), ("error", 1e-4, (1, 1), 1.0), ("share", 0.5, (1, 1), 1.0)],
}


def ablation_rows(unchanged: tuple[float, ...]) -> pl.DataFrame:
    rows = []
    for scope, granularity, layers, bonus in [
        ("layer", "kernel", ["conv", "full"], 0.0),
        ("layer", "application", ["conv", "full"], 0.0),
        ("network", "kernel", [None], 0.0),
        ("network", "application", [None], 0.0),
    ]:
        for layer in layers:
            for sample in (0, 1):
                for step, value in enumerate(unchanged):
                    # Only the rows that each definition must read differ from the others.
                    shift = 0.02 if (scope, granularity) == ("layer", "application") and step == 1 else bonus
                    fraction = step / (len(unchanged) - 1)
                    rows.append((scope, granularity, layer, sample, fraction, value + shift, value))
    schema = ["scope", "granularity", "layer", "sample", "fraction", "unchanged", "accuracy"]
    frame = pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)
    return frame.select(pl.lit("test").alias("split"), pl.all())


def similarity_rows(similar: Any) -> pl.DataFrame:
    rows = [
        {
            "split": "test",
            "layer": layer,
            "sample": sample,
            "vectors": 10,
            "similar": list(counts),
            "strongest": [None if count is None else 0.9 for count in counts],
            "dead": [count is None for count in counts],
            "pairs": [0] * 25 + [3] + [0] * 49 + [1] + [0] * 24,
        }
        for layer, counts in zip(("conv", "full"), similar, strict=True)
        for sample in (0, 1)
    ]
    return pl.DataFrame(rows, schema_overrides={"similar": pl.List(pl.Int32)})


def compression_rows(compressed: Compressed) -> pl.DataFrame:
    """Two layers of 2 units each; the levels of a surgery are (rule, level, kept of both, unchanged on validation)."""
    rows: list[dict[str, Any]] = [
        {
            "surgery": surgery, "rule": rule, "level": level, "layers": ["conv", "full"], "kept": list(kept),
            "parameters": 5 * sum(kept), "flops": 10 * sum(kept), "unchanged_validation": unchanged,
            "unchanged": unchanged - 0.01, "accuracy": unchanged / 2,
        }
        for surgery, levels in compressed.items()
        for rule, level, kept, unchanged in [("error", 0.0, (2, 2), 1.0), *levels]
    ]  # fmt: skip
    rows += [
        {"layer": layer, "units": 2, "eigenvalues": values}
        for layer, values in (("conv", [3.0, 1]), ("full", [99.0, 1]))
    ]
    rows += [
        {"surgery": surgery, "layer": layer, "taken": [1], "errors": [0.25]}
        for surgery in compressed for layer in ("conv", "full")
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=SCHEMA)
    return frame.select(pl.lit("test").alias("split"), pl.all())


IDS = {name: measurement_id(name, 1, "test", {}) for name in ("ablation", "similarity", "compression")}


def _write(folder: TrialFolder, metric: str, frame: pl.DataFrame) -> None:
    facts = {"metric": metric, "version": "1", "split": "test", "options": "{}"}
    path = folder.measurement_path(metric, IDS[metric])
    write_atomically(path, lambda temporary: frame.write_parquet(temporary, metadata=facts))


@pytest.fixture(scope="session")
def sweep_record() -> Callable[..., dict[str, Any]]:
    """What the run folder says of a sweep over the given trials."""

    def make(folders: list[TrialFolder], figures: Sequence[str] | None = None) -> dict[str, Any]:
        configs = [folder.read_config() for folder in folders]
        has_variants = len({made.network for made in configs}) > 1
        return {
            "sweep_id": "0123456789abcdef",
            "name": "fixture",
            "figures": figure_names() if figures is None else list(figures),
            "definition": definition(configs),
            "updated_at": "2026-01-01T00:00:00+00:00",
            "sweep_groups": [
                {
                    "group_id": made.config_id,
                    "variant": str(made.network) if has_variants else None,
                    "network": str(made.network),
                    "dataset": str(made.dataset),
                    "width": made.width,
                    "epochs": made.epochs,
                    "parameters": 10,
                }
                for made in configs
                if made.replicate == 0
            ],
            "sweep_trials": [
                {
                    "trial_id": made.trial_id,
                    "group_id": made.config_id,
                    "kind": made.kind,
                }
                for made in configs
            ],
            "sweep_measurements": [
                {"metric": name, "split": "test", "measurement_id": identity}
                for name, identity in IDS.items()
                if any(folder.measurement_path(name, identity).is_file() for folder in folders)
            ],
        }

    return make


def definition(configs: list[TrialConfig]) -> dict[str, Any]:
    from autoreg.config.sweep import Sweep

    first, rates = configs[0], dict.fromkeys(made.learning_rate for made in configs)
    sweep = Sweep.model_validate(
        {
            "name": "fixture",
            "network": first.network,
            "dataset": first.dataset,
            "grid": {
                "width": list(dict.fromkeys(made.width for made in configs)),
                "initializer": list({made.initializer.name: made.initializer for made in configs}.values()),
                "learning_rate": list(rates) if len(rates) > 1 else None,
            },
            "replicates": 1 + max(made.replicate for made in configs),
            "training": {
                "learning_rate": first.learning_rate,
                "batch_size": first.batch_size,
                "epochs": first.epochs,
            },
        }
    )
    return sweep.model_dump(mode="json")


@pytest.fixture(scope="session")
def ray_here() -> Iterator[Any]:
    """One Ray session for all tests of a process that train through Ray."""
    from autoreg.orchestrator.ray_runtime.session import ray_session

    with ray_session() as session:
        yield session.ray


@pytest.fixture(scope="session")
def fill_in(
    trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Make a results.db with a sweep of two widths and two initializers, and its run folder.

    What was made before is copied, unless there is something in the folder already.
    """
    made: dict[str, Path] = {}

    def copied(folder: Path, **asked: Any) -> Path:
        if (folder / "runs").exists():
            return make(folder, **asked)
        if repr(asked) not in made:
            made[repr(asked)] = make(tmp_path_factory.mktemp("filled"), **asked).parent
        shutil.copytree(made[repr(asked)], folder, dirs_exist_ok=True)
        return folder / "results.db"

    def make(
        folder: Path,
        drop: int = 0,
        network: str = "mlp",
        settings: Mapping[str, Any] = MappingProxyType({}),
        **changes: Any,
    ) -> Path:
        path, runs = folder / "results.db", Runs(folder / "runs")
        folders = [
            trial_in(
                runs,
                width=width,
                initializer=Choice(name=name),
                replicate=replicate,
                similar=((1, None), (3, 5)),
                **{"network": Choice(name=network), **settings},
            )
            for width in (0.25, 1.0)
            for name in ("he_normal", "glorot_normal")
            for replicate in (0, 1)
        ]
        write_record(runs, {**sweep_record(folders), **changes})
        writer = Writer(path, runs)
        for made in folders[drop:]:
            writer.queue_trial(made)
        writer.queue_sweep(changes.get("sweep_id", "0123456789abcdef"))
        assert writer.commit()
        return path

    return copied
