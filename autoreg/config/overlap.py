"""What sweeps have in common: trials that are trained once, whichever of them comes first."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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


def final_keys(group: Group) -> Iterator[FinalKey]:
    """Yield the key of each final trial of a group, in the order of `Group.final_trials`."""
    study = group.study_id if group.tune else None
    for config in group.final_trials({}):
        yield FinalKey(group.template.config_id, study, config.lr_batch_factor, config.epochs, config.replicate)


@dataclass(frozen=True)
class Asked:
    """The trials that sweeps ask for.

    Attributes:
        finals: the final trials.
        tuning: how many tuning trials of each search, by its id; they are numbered from 0.
    """

    finals: frozenset[FinalKey] = frozenset()
    tuning: Counter[str] = field(default_factory=Counter)

    def __or__(self, other: "Asked") -> "Asked":
        return Asked(self.finals | other.finals, self.tuning | other.tuning)

    def __and__(self, other: "Asked") -> "Asked":
        return Asked(self.finals & other.finals, self.tuning & other.tuning)

    @property
    def final_count(self) -> int:
        """How many final trials."""
        return len(self.finals)

    @property
    def tuning_count(self) -> int:
        """How many tuning trials."""
        return self.tuning.total()


def asked_by(sweeps: Iterable[Sweep]) -> Asked:
    """Return what some checked sweeps ask for together; what they share counts once."""
    groups = [group for sweep in sweeps for group in sweep.groups()]
    tuning: Counter[str] = Counter()
    for group in groups:
        if group.tune:
            tuning[group.study_id] = max(tuning[group.study_id], group.tune.trials)
    return Asked(frozenset(key for group in groups for key in final_keys(group)), tuning)


@dataclass(frozen=True)
class Shared:
    """What a sweep has in common with another.

    Attributes:
        name, figures: the other's.
        finals, tuning: how many trials.
    """

    name: str
    figures: list[str]
    finals: int
    tuning: int


def shared_with(sweep: Sweep, others: Iterable[Sweep]) -> list[Shared]:
    """Return what a checked sweep has in common with each of the others that it shares trials with."""
    asked = asked_by([sweep])
    shared = [(other, asked & asked_by([other])) for other in others]
    return [
        Shared(other.name, other.figures, common.final_count, common.tuning_count)
        for other, common in shared
        if common.finals or common.tuning
    ]
