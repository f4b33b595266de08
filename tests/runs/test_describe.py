"""A trial in words."""

from collections.abc import Callable
from typing import Any

from autoreg.config.trial import Choice, TrialConfig
from autoreg.runs.describe import describe, ending
from autoreg.runs.records import TrialResult

CHANGES: list[dict[str, Any]] = [
    {}, {"width": 0.5}, {"optimizer": Choice(name="adam")}, {"augmentation": True}, {"dropout": 0.5},
    {"weight_decay": 0.001}, {"random_labels": True}, {"parametrization": "mup"}, {"richness": 0.1}, {"replicate": 1},
]  # fmt: skip


def test_trials_of_other_settings_have_other_words(config: Callable[..., TrialConfig]) -> None:
    assert len({describe(config(**changes)) for changes in CHANGES}) == len(CHANGES)


def test_a_failure_without_a_reason_is_told_too() -> None:
    assert ending(TrialResult(status="failed", finished_at="2026-01-01T00:00:00+00:00")) == "no reason given"
