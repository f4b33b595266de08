"""Bundles: tiny trials that one trial of Ray Tune trains one after another, since Tune takes longer than they do."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.jobs import BundleJob, Place, Share, TrialJob
from autoreg.orchestrator.schedule import Schedule

#: About how long a bundle trains: long beside what Tune takes to start one, short beside what a person waits for.
SECONDS = 4.0


class Bundler:
    """Hands out what a schedule has ready, in bundles of about `SECONDS`.

    A trial that was tried before goes alone, so that it takes no other with it; so does one of which it is not known
    how long it takes. Trials of the user's own code share a bundle with trials of the same code only, which may change
    anything in its process. Towards the end bundles get smaller, so that the last ones end at about the same time.

    Args:
        schedule: has the trials.
        durations: know how long they take.
        resources: what of the machine a trial gets; those of a bundle get the same.
        slots: how many trials run at once.
        remaining: tells how many trials are left to hand out.
    """

    def __init__(
        self,
        schedule: Schedule,
        durations: Durations,
        resources: Callable[[TrialJob], Any],
        slots: int,
        remaining: Callable[[], int],
    ) -> None:
        self._schedule, self._durations, self._resources = schedule, durations, resources
        self._slots, self._remaining = slots, remaining

    def next(self) -> list[TrialJob]:
        """Return the next bundle and count its trials as in flight; nothing if no trial can start now."""
        most = self._remaining() // (2 * self._slots)
        first = self._schedule.next()
        if first is None:
            return []
        bundle, total = [first], self._durations.training(first.config)
        if first.attempt or first.is_alone or total is None:
            return bundle
        while len(bundle) < most and (another := self._schedule.next()):
            seconds = self._durations.training(another.config)
            is_fitting = seconds is not None and total + seconds <= SECONDS and not another.attempt
            is_fitting &= another.config.own_code == first.config.own_code
            if seconds is None or not is_fitting or self._resources(another) != self._resources(first):
                self._schedule.put_back(another.trial_id)
                break
            bundle.append(another)
            total += seconds
        return bundle


def job_of(bundle: Sequence[TrialJob], measurements: Iterable[Measurement], place: Place, share: Share) -> BundleJob:
    """Return what a worker is told of a bundle."""
    name = f"{bundle[0].trial_id}-{bundle[0].attempt}"
    return BundleJob(name, tuple(bundle), tuple(measurements), place, share)
