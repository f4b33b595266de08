"""The one call of Ray Tune: it trains what the schedule hands out, where and with how much the sweep says."""

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ray import tune

from autoreg.config import canonical_json
from autoreg.tuning import worker
from autoreg.tuning.callback import SweepCallback
from autoreg.tuning.group_state import Assignment
from autoreg.tuning.searcher import ScheduleSearcher

if TYPE_CHECKING:
    from autoreg.tuning.driver import RunningSweep


def fit(sweep: "RunningSweep", ray: Any) -> None:
    """Train until the schedule has nothing left or the sweep is drained."""
    cores = max(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
    gpus = bool(ray.cluster_resources().get("GPU"))

    def order(assignment: Assignment) -> dict[str, Any]:
        return _order(sweep, assignment, cores, gpus)

    tuner = tune.Tuner(
        tune.with_resources(worker.train, _bundle),
        tune_config=tune.TuneConfig(
            metric="accuracy",
            mode="max",
            num_samples=-1,
            search_alg=ScheduleSearcher(sweep.schedule, order, lambda: sweep.draining, sweep.gone_wrong),
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name=f"tune-{sweep.schedule.handed_out}",
            storage_path=str(sweep.scratch),
            verbose=0,
            log_to_file=True,
            callbacks=[SweepCallback(sweep)],
            # Our own schedule tries again: Tune would do so with the same share of the machine.
            failure_config=tune.FailureConfig(max_failures=0),
        ),
    )
    with suppress(EOFError):  # Tune reads its own note of an error back, which is cut off on a full disk
        tuner.fit()


def _order(sweep: "RunningSweep", assignment: Assignment, cores: int, gpus: bool) -> dict[str, Any]:
    """Return all that a worker is told of a trial."""
    resources, root = sweep.plan.sweep.resources, sweep.plan.root
    threads = min(resources.cpus, cores)
    gpu = resources.gpu_share(assignment.config.width) if gpus else 0.0
    return {
        "config": canonical_json(assignment.config),
        "name": f"{assignment.trial_id}-{assignment.attempt}",
        "prune_below": assignment.prune_below,
        "shorter": assignment.shorter,
        "is_continued": assignment.is_continued,
        "runs": str(sweep.runs.root),
        "root": str(root.absolute()) if root else None,
        "stop_file": str(sweep.stop_file),
        "trace": str(sweep.trace(assignment.trial_id)),
        "time_limit": resources.time_limit_hours and resources.time_limit_hours * 3600,
        # As many threads alone as beside others, or the sums would come out in another order.
        "threads": threads,
        "cpus": cores if assignment.alone else threads,
        "gpu": math.ceil(gpu) if assignment.alone else gpu,
    }


def _bundle(config: dict[str, Any]) -> Any:
    wanted = {"CPU": config["order"]["cpus"], "GPU": config["order"]["gpu"]}
    return tune.PlacementGroupFactory([{kind: amount for kind, amount in wanted.items() if amount}])


def _name(trial: Any) -> str:
    name: str = trial.config["order"]["name"]
    return name
