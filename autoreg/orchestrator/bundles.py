"""Bundles: tiny trials that one trial of Ray Tune trains one after another, since Tune takes longer than they do."""

from collections.abc import Callable
from typing import Any

from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.jobs import TrialJob
from autoreg.orchestrator.schedule import Schedule

#: About how long a bundle trains: long beside what Tune takes to start one, short beside what a person waits for.
SECONDS = 4.0


def next_bundle(
    schedule: Schedule, durations: Durations, resources: Callable[[TrialJob], Any], most: int
) -> list[TrialJob]:
    """Return what a schedule has ready, in a bundle of about `SECONDS`; nothing if no trial can start now.

    Its trials count as in flight. A trial that was tried before goes alone, so that it takes no other with it; so does
    one of which it is not known how long it takes. Trials of the user's own code share a bundle with trials of the same
    code only, which may change anything in its process.

    Args:
        schedule: has the trials.
        durations: know how long they take.
        resources: what of the machine a trial gets; those of a bundle get the same.
        most: how many trials a bundle has at most, but for the first one.
    """
    first = schedule.next()
    if first is None:
        return []
    bundle, total = [first], durations.training(first.config)
    if first.attempt or first.is_alone or total is None:
        return bundle
    while len(bundle) < most and (another := schedule.next()):
        seconds = durations.training(another.config)
        is_fitting = seconds is not None and total + seconds <= SECONDS and not another.attempt
        is_fitting &= another.config.own_code == first.config.own_code
        if seconds is None or not is_fitting or resources(another) != resources(first):
            schedule.put_back(another.trial_id)
            break
        bundle.append(another)
        total += seconds
    return bundle
