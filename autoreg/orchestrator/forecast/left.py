"""What is left to do of a sweep: of each group, what the run folder has not and no sweep before it will have done."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from autoreg.config.group import Group
from autoreg.config.overlap import Keys, TuningKey, final_keys
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import Runs


class TrialLeft(NamedTuple):
    """A trial that is left to train.

    Attributes:
        config: the trial; where a search has not chosen yet, with the hyperparameters of the sweep file.
        epochs: how many it trains at most; those of the shorter one that it goes on from do not count.
    """

    config: TrialConfig
    epochs: int


@dataclass(frozen=True)
class GroupLeft:
    """What is left of one group.

    Attributes:
        group: the group.
        parameters: of its network.
        ended: its trials that have ended already, by kind: `tune` and `final`, in the order of the plan.
        tuning: the tuning trials that are left.
        chains: the final trials that are left, in chains, in each of which one goes on where the one before ended.
        unmeasured: how many final trials have ended and are not measured yet.
    """

    group: Group
    parameters: int
    ended: dict[str, list[TrialConfig]]
    tuning: list[TrialLeft]
    chains: list[list[TrialLeft]]
    unmeasured: int

    @property
    def ended_count(self) -> int:
        """How many of its trials have ended."""
        return sum(map(len, self.ended.values()))

    @property
    def finals(self) -> list[TrialLeft]:
        """The final trials that are left."""
        return [trial for chain in self.chains for trial in chain]

    @property
    def trials(self) -> list[TrialLeft]:
        """The trials that are left."""
        return [*self.tuning, *self.finals]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to train or measure."""
        return not (self.trials or self.unmeasured)

    @property
    def may_end_early(self) -> bool:
        """Whether a trial that is left may end before its last epoch."""
        tune = self.group.tune
        is_pruned = self.tuning and tune and tune.pruning != "none"
        return bool(is_pruned or (self.chains and self.group.template.patience is not None))


def left_of(plan: Plan, runs: Runs, earlier: Keys) -> list[GroupLeft]:
    """Return what is left of each group of a plan, in the order in which they run.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        earlier: the trials that sweeps before it will have done.
    """
    states = plan.schedule(runs).states
    return [
        _left(plan, runs, state, parameters, earlier)
        for (_, parameters), state in zip(plan.groups, states, strict=True)
    ]


def _left(plan: Plan, runs: Runs, state: GroupState, parameters: int, earlier: Keys) -> GroupLeft:
    tuned = [config for trial_id, config in state.tuning_trials().items() if state.is_trained(trial_id)]
    finals = {
        trial_id: config for trial_id, config in (state.final_trials() or {}).items() if state.is_trained(trial_id)
    }
    unmeasured = 0
    for folder in map(runs.trial, finals):
        is_missing = not all(measurement.path(folder).is_file() for measurement in plan.measurements)
        unmeasured += is_missing and folder.read_result().status == "done"
    return GroupLeft(
        state.group, parameters, {"tune": tuned, "final": list(finals.values())}, list(_tuning_left(state, earlier)),
        _finals_left(state, earlier), unmeasured,
    )  # fmt: skip


def _tuning_left(state: GroupState, earlier: Keys) -> Iterator[TrialLeft]:
    group, proposed = state.group, state.tuning_trials()
    if group.tune is None:
        return
    unknown = [group.tuning_trial({})] * (group.tune.trials - len(proposed))
    known = [None if state.is_trained(trial_id) else config for trial_id, config in proposed.items()]
    study = group.study_id
    for number, config in enumerate([*known, *unknown]):
        if config and TuningKey(study, number) not in earlier:
            yield TrialLeft(config, config.epochs)


def _finals_left(state: GroupState, earlier: Keys) -> list[list[TrialLeft]]:
    group, finals = state.group, state.final_trials()
    configs = group.final_trials({}) if finals is None else finals.values()  # none if the search found nothing
    chains: dict[tuple[float, int], list[TrialLeft]] = {}
    for key, config in zip(final_keys(group), configs, strict=bool(configs)):
        if key in earlier or (finals and state.is_trained(config.trial_id)):
            continue
        shorter = group.shorter(config)
        epochs = config.epochs - (shorter.epochs if shorter else 0)
        chains.setdefault((key.lr_batch_factor, key.replicate), []).append(TrialLeft(config, epochs))
    return list(chains.values())
