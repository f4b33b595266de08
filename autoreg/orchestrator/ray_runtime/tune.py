"""The one call of Ray Tune: it trains what the schedule hands out, where and with how much the sweep says."""

import math
import os
from typing import TYPE_CHECKING, Any

from ray import tune

from autoreg.config.trial import canonical_json
from autoreg.orchestrator.bundles import Bundler
from autoreg.orchestrator.group_state import Assignment
from autoreg.orchestrator.listener import TrialListener
from autoreg.orchestrator.ray_runtime import worker
from autoreg.orchestrator.ray_runtime.callback import SweepCallback
from autoreg.orchestrator.ray_runtime.searcher import ScheduleSearcher

if TYPE_CHECKING:
    from autoreg.orchestrator.driver import RunningSweep


def fit(sweep: "RunningSweep", ray: Any) -> None:
    """Train until the schedule has nothing left or the sweep is drained."""
    cores = max(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
    total = ray.cluster_resources()
    gpus = bool(total.get("GPU"))

    def resources(assignment: Assignment) -> dict[str, float]:
        return _resources(sweep, assignment, cores, gpus)

    def order(pack: list[Assignment]) -> dict[str, Any]:
        return _order(sweep, pack, resources(pack[0]))

    slots = max(1, int(total["CPU"]) // sweep.plan.sweep.resources.cpus)
    bundler = Bundler(sweep.schedule, sweep.durations, resources, slots, lambda: sweep.remaining)

    # Or Tune would ask for one trial at a time, and start its first processes one after another.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(slots)
    tuner = tune.Tuner(
        tune.with_resources(worker.train, _bundle),
        tune_config=tune.TuneConfig(
            metric="accuracy",
            mode="max",
            num_samples=-1,
            search_alg=ScheduleSearcher(sweep.schedule, bundler, order, lambda: sweep.draining, sweep.gone_wrong),
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name=f"tune-{sweep.schedule.handed_out}",
            storage_path=str(sweep.scratch),
            verbose=0,
            log_to_file=True,
            callbacks=[SweepCallback(TrialListener(sweep))],
            # Our own schedule tries again: Tune would do so with the same share of the machine.
            failure_config=tune.FailureConfig(max_failures=0),
        ),
    )
    tuner.fit()


def _resources(sweep: "RunningSweep", assignment: Assignment, cores: int, gpus: bool) -> dict[str, float]:
    """Return what of the machine a trial gets."""
    resources = sweep.plan.sweep.resources
    threads = min(resources.cpus, cores)
    gpu = resources.gpu_share(assignment.config.width) if gpus else 0.0
    return {
        # As many threads alone as beside others, or the sums would come out in another order.
        "threads": threads,
        "cpus": cores if assignment.alone else threads,
        "gpu": math.ceil(gpu) if assignment.alone else gpu,
    }


def _order(sweep: "RunningSweep", pack: list[Assignment], resources: dict[str, float]) -> dict[str, Any]:
    """Return all that a worker is told of a pack."""
    root, hours = sweep.plan.root, sweep.plan.sweep.resources.time_limit_hours
    return {
        "name": f"{pack[0].trial_id}-{pack[0].attempt}",
        "trials": [
            {
                "config": canonical_json(assignment.config),
                "prune_below": assignment.prune_below,
                "shorter": assignment.shorter,
                "is_continued": assignment.is_continued,
                "trace": str(sweep.trace(assignment.trial_id)),
            }
            for assignment in pack
        ],
        "measurements": sweep.plan.measurements,
        "runs": str(sweep.runs.root),
        "root": str(root.absolute()) if root else None,
        "stop_file": str(sweep.stop_file),
        "time_limit": hours and hours * 3600,
        **resources,
    }


def _bundle(config: dict[str, Any]) -> Any:
    wanted = {"CPU": config["order"]["cpus"], "GPU": config["order"]["gpu"]}
    return tune.PlacementGroupFactory([{kind: amount for kind, amount in wanted.items() if amount}])


def _name(trial: Any) -> str:
    name: str = trial.config["order"]["name"]
    return name
