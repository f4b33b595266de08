"""Finished trials of a sweep, made without training them: for measuring what a large run folder costs.

python -m benchmarks.generate_trials --trials 10000 --folder /tmp/many
autoreg sweep /tmp/many/many.yaml --runs /tmp/many/runs --db /tmp/many/results.db
"""

import argparse
from pathlib import Path

import polars as pl

from autoreg.config.sweep_file import load_sweep
from autoreg.config.trial import TrialConfig, canonical_json
from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.orchestrator.study import propose
from autoreg.runs.folder import Runs
from autoreg.runs.records import Epoch, Layer, TrialResult

EPOCHS = 50
SETTINGS = 50
SWEEP = """\
name: many
figures: [B5]
network: mlp
dataset: {{name: teacher, train_size: 200, validation_size: 100, test_size: 100}}
grid:
  width: [1/4, 1/2, 1, 2, 4]
  initializer: [glorot_normal, he_normal, lecun_normal, glorot_uniform, he_uniform, lecun_uniform,
                {{name: normal, sigma: 0.1}}, {{name: normal, sigma: 0.2}}, {{name: normal, sigma: 0.3}},
                {{name: normal, sigma: 0.4}}]
replicates: {replicates}
training: {{learning_rate: 0.1, batch_size: 50, epochs: {epochs}}}
tune: {{trials: {tuning}, startup: {tuning}, epochs: {epochs}, space: {{learning_rate: {{low: 1e-3, high: 1}}}}}}
"""


def generate(folder: Path, trials: int) -> Path:
    """Make about so many finished trials, a quarter of them tuning ones, and return their sweep file.

    Args:
        folder: gets `many.yaml` and `runs/`.
        trials: a multiple of 200.
    """
    tuning = trials // SETTINGS // 4
    path = folder / "many.yaml"
    path.write_text(SWEEP.format(epochs=EPOCHS, tuning=tuning, replicates=trials // SETTINGS - tuning))
    plan, runs = make_plan(load_sweep(path)), Runs(folder / "runs")
    schedule = plan.schedule(runs)
    while not schedule.is_finished():
        if job := schedule.next():
            finish(job.config, job.trial_id, plan, runs)
            schedule.end(job.config, runs.trial(job.trial_id).read_result())
        elif schedule.waiting_study:
            hyperparameters = propose(schedule.search(schedule.waiting_study), runs)
            schedule.propose(schedule.waiting_study, hyperparameters)
    runs.write_sweep(plan.record(schedule.planned()))
    return path


def finish(config: TrialConfig, trial_id: str, plan: Plan, runs: Runs) -> None:
    """Write what a trial leaves behind, without the care that a real one takes of power failures."""
    folder, units = runs.trial(trial_id), int(128 * config.width)
    folder.measurements.mkdir(parents=True)
    folder.config_path.write_text(canonical_json(config))
    epochs = [
        Epoch(
            epoch=number, learning_rate=config.learning_rate, train_loss=1 / number, train_accuracy=0.51234,
            validation_loss=1.1 / number, validation_accuracy=0.5 + 0.001 * number, seconds=0.0123456,
        )
        for number in range(1, EPOCHS + 1)
    ]  # fmt: skip
    is_final = config.kind == "final"
    result = TrialResult(
        status="done", parameters=units * 10, epochs_run=EPOCHS, best_epoch=EPOCHS,
        train_accuracy=0.7 if is_final else None, validation_accuracy=0.6, test_accuracy=0.5 if is_final else None,
        seconds=1.0, device="cpu", finished_at="2026-01-01T00:00:00+00:00",
        environment={"data": plan.fingerprints(config)[0]},
        layers=[Layer(layer_index=0, layer="hidden", units=units, positions=1)], epochs=epochs,
    )  # fmt: skip
    if is_final:
        folder.checkpoint_path.write_bytes(b"weights")
        for made in plan.measurements:
            rows = ablation_rows() if made.metric == "ablation" else similarity_rows(units)
            rows.write_parquet(made.path(folder), compression="zstd", metadata=facts_of(made))
    folder.result_path.write_text(canonical_json(result))


def facts_of(made: Measurement) -> dict[str, str]:
    return {
        "metric": made.metric,
        "version": str(made.version),
        "split": made.split,
        "options": canonical_json(dict(made.options)),
    }


def ablation_rows() -> pl.DataFrame:
    """The rows of an MLP of one hidden layer: 3 samples, 7 fractions."""
    rows = [
        ("test", scope, granularity, layer, sample, step / 6, 1 - step / 6, 0.5)
        for scope, layer in (("layer", "hidden"), ("network", None))
        for granularity in ("kernel", "application")
        for sample in range(3)
        for step in range(7)
    ]
    schema = ["split", "scope", "granularity", "layer", "sample", "fraction", "unchanged", "accuracy"]
    return pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)


def similarity_rows(units: int) -> pl.DataFrame:
    """The rows of one layer of so many units: 3 samples, |r| in a hundred bins."""
    rows = [
        {
            "split": "test", "layer": "hidden", "sample": sample, "vectors": 100, "similar": [1] * units,
            "strongest": [0.9] * units, "dead": [False] * units, "pairs": list(range(100)),
        }
        for sample in range(3)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"similar": pl.List(pl.Int32)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    print(generate(arguments.folder, arguments.trials))
