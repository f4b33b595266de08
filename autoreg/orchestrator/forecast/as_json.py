"""A forecast as one object for programs; keys name their units, null is what is not known."""

from collections.abc import Sequence
from typing import Any

from autoreg.config.group import setting_labels
from autoreg.config.overlap import Shared
from autoreg.orchestrator.forecast.forecast import Forecast
from autoreg.orchestrator.forecast.sweep_forecast import SettingForecast, SweepForecast


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
            "problems": list(forecast.problems),
            "done_trials_took": past and {
                "trials": past.trials,
                "ratio": past.ratio,
                "lowest_ratio": past.lowest,
                "highest_ratio": past.highest,
            },
        },
    }  # fmt: skip


def _sweep(one: SweepForecast, shared: Sequence[Shared]) -> dict[str, Any]:
    sweep = one.plan.sweep
    labels = setting_labels([setting.setting.group for setting in one.settings])
    return {
        "name": sweep.name,
        "sweep_id": sweep.sweep_id,
        "figures": sweep.figures,
        "final_trials": sweep.final_count,
        "tuning_trials": sweep.tuning_count,
        "done_final_trials": sum(len(setting.setting.done["final"]) for setting in one.settings),
        "done_tuning_trials": sum(len(setting.setting.done["tune"]) for setting in one.settings),
        "shared": [
            {
                "sweep": common.name,
                "figures": common.figures,
                "final_trials": common.finals,
                "tuning_trials": common.tuning,
            }
            for common in shared
        ],
        "forecast": {
            "seconds": one.seconds,
            "is_at_most": one.at_most,
            "trials_at_once": one.at_once,
            "disk_bytes": one.disk_bytes,
            "disk_has_measurements": one.is_measuring_known,
            "states_peak_bytes": one.peak_bytes,
        },
        "settings": [_setting(setting, label) for setting, label in zip(one.settings, labels, strict=True)],
    }


def _setting(one: SettingForecast, label: str) -> dict[str, Any]:
    group, left = one.setting.group, one.setting
    return {
        "label": label,
        "group_id": group.template.config_id,
        "network": str(group.template.network),
        "dataset": str(group.template.dataset),
        "width": group.template.width,
        "variants": [name for name in group.variants if name],
        "parameters": left.parameters,
        "forward_flops_per_example": one.size.forward_flops,
        "checkpoint_bytes": one.size.checkpoint_bytes,
        "state_bytes": one.size.state_bytes,
        "final_trials": group.final_count,
        "tuning_trials": group.tune.trials if group.tune else 0,
        "done_final_trials": len(left.done["final"]),
        "done_tuning_trials": len(left.done["tune"]),
        "left_final_trials": left.finals_left,
        "left_tuning_trials": len(left.tuning),
        "left_measuring": left.unmeasured,
        "epoch_seconds": one.epoch_seconds,
        "epoch_seconds_from": one.source,
        "worker_seconds": one.seconds,
        "disk_bytes": one.disk_bytes,
    }
