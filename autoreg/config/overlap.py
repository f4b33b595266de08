"""What sweeps have in common: trials that are trained once, whichever of them comes first."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from autoreg.config.group import Group
from autoreg.config.sweep import Sweep


class FinalKey(NamedTuple):
    """What tells a final trial from all others, also while the setting that a search will choose is not known."""

    group_id: str
    study_id: str | None
    lr_batch_factor: float
    epochs: int
    replicate: int


class TuningKey(NamedTuple):
    """What tells a tuning trial from all others: its search, and its number there, from 0."""

    study_id: str
    number: int


Keys = frozenset[FinalKey | TuningKey]


def final_keys(group: Group) -> Iterator[FinalKey]:
    """Yield the key of each final trial of a group, in the order of `Group.final_trials`."""
    study = group.study_id if group.tune else None
    for config in group.final_trials({}):
        yield FinalKey(group.template.config_id, study, config.lr_batch_factor, config.epochs, config.replicate)


def keys_of(sweeps: Iterable[Sweep]) -> Keys:
    """Return the keys of all trials that some checked sweeps ask for together."""
    groups = [group for sweep in sweeps for group in sweep.groups()]
    tuning = (TuningKey(each.study_id, number) for each in groups if each.tune for number in range(each.tune.most))
    return frozenset(tuning).union(*map(final_keys, groups))


def count(keys: Keys) -> tuple[int, int]:
    """Return how many final and how many tuning trials there are."""
    finals = sum(isinstance(key, FinalKey) for key in keys)
    return finals, len(keys) - finals


class Shared(NamedTuple):
    """How many trials a sweep has in common with another, and the other's name and figures."""

    sweep: str
    figures: list[str]
    final_trials: int
    tuning_trials: int


def shared_with(sweep: Sweep, others: Iterable[Sweep]) -> list[Shared]:
    """Return what a checked sweep has in common with each of the others that it shares trials with."""
    keys = keys_of([sweep])
    common = [(other, keys & keys_of([other])) for other in others]
    return [Shared(other.name, other.figures, *count(shared)) for other, shared in common if shared]
