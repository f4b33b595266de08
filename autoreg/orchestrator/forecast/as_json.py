"""A forecast as one object for programs; keys name their units, null is what is not known."""

from collections.abc import Sequence
from typing import Any

from autoreg.config.group import setting_labels
from autoreg.config.overlap import Shared
from autoreg.orchestrator.forecast.forecast import Forecast, SweepForecast
from autoreg.orchestrator.forecast.group import GroupForecast


def json_of(forecast: Forecast, shared: Sequence[Sequence[Shared]]) -> dict[str, Any]:
    """Return the sweeps with their settings and forecasts, and what the forecast is made of.

    Args:
        forecast: the forecast.
        shared: of each sweep, what it has in common with others.
    """
    past = forecast.hindsight
    return {
        "sweeps": [_sweep(sweep, common) for sweep, common in zip(forecast.sweeps, shared, strict=True)],
        "forecast": {
            "seconds": forecast.seconds,
            "is_at_most": any(sweep.at_most for sweep in forecast.sweeps),
            "disk_bytes": sum(sweep.disk_bytes for sweep in forecast.sweeps),
            "slowdown_ratio_now": forecast.slowdown,
            "problems": forecast.problems,
            "done_trials_took": past and {
                "trials": past.trials,
                "ratio": past.ratio,
                "lowest_ratio": past.lowest,
                "highest_ratio": past.highest,
            },
        },
    }  # fmt: skip


def _sweep(forecast: SweepForecast, shared: Sequence[Shared]) -> dict[str, Any]:
    sweep, groups = forecast.plan.sweep, forecast.groups
    labels = setting_labels([group.left.group for group in groups])
    return {
        "name": sweep.name,
        "sweep_id": sweep.sweep_id,
        "figures": sweep.figures,
        "final_trials": sweep.final_count,
        "tuning_trials": sweep.tuning_count,
        "done_final_trials": sum(len(group.left.ended["final"]) for group in groups),
        "done_tuning_trials": sum(len(group.left.ended["tune"]) for group in groups),
        "shared": [common._asdict() for common in shared],
        "forecast": {
            "seconds": forecast.seconds,
            "is_at_most": forecast.at_most,
            "trials_at_once": forecast.at_once,
            "disk_bytes": forecast.disk_bytes,
            "disk_has_measurements": forecast.is_measuring_known,
            "states_peak_bytes": forecast.peak_bytes,
        },
        "settings": [_group(group, label) for group, label in zip(groups, labels, strict=True)],
    }


def _group(forecast: GroupForecast, label: str) -> dict[str, Any]:
    left, group = forecast.left, forecast.left.group
    return {
        "label": label,
        "group_id": group.template.config_id,
        "network": str(group.template.network),
        "dataset": str(group.template.dataset),
        "width": group.template.width,
        "variants": [name for name in group.variants if name],
        "parameters": left.parameters,
        "forward_flops_per_example": forecast.size.forward_flops,
        "checkpoint_bytes": forecast.size.checkpoint_bytes,
        "state_bytes": forecast.size.state_bytes,
        "final_trials": group.final_count,
        "tuning_trials": group.tune.trials if group.tune else 0,
        "done_final_trials": len(left.ended["final"]),
        "done_tuning_trials": len(left.ended["tune"]),
        "left_final_trials": len(left.finals),
        "left_tuning_trials": len(left.tuning),
        "left_measuring": left.unmeasured,
        "epoch_seconds": forecast.epoch_seconds,
        "epoch_seconds_from": forecast.source,
        "worker_seconds": forecast.seconds,
        "disk_bytes": forecast.disk_bytes,
    }
