"""What is left to do of a sweep: of each group, what the run folder has not and no sweep before it will have done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autoreg.config.group import Group
from autoreg.config.overlap import Keys, TuningKey, final_keys
from autoreg.config.trial import TrialConfig
from autoreg.metrics.measure import is_measured
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.same_data import require_same_data
from autoreg.runs.folder import Runs, TrialFolder


@dataclass(frozen=True)
class GroupLeft:
    """What is left of one group; where a search has not chosen yet, with the hyperparameters of the sweep file.

    Attributes:
        ended: its trials that have ended already.
        tuning: the tuning trials that are left.
        finals: the final trials that are left, shorter ones first.
        unmeasured: how many final trials have ended and are not measured yet.
    """

    group: Group
    ended: list[TrialConfig]
    tuning: list[TrialConfig]
    finals: list[TrialConfig]
    unmeasured: int

    @property
    def trials(self) -> list[TrialConfig]:
        """The trials that are left."""
        return [*self.tuning, *self.finals]

    @property
    def may_end_early(self) -> bool:
        """Whether a trial that is left may end before its last epoch."""
        is_pruned = bool(self.tuning) and self.group.tune is not None and self.group.tune.pruning != "none"
        return is_pruned or (bool(self.finals) and self.group.template.patience is not None)


def left_of(plan: Plan, runs: Runs, earlier: Keys) -> Iterator[GroupLeft]:
    """Yield what is left of each group of a plan, in the order in which they run.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        earlier: the trials that sweeps before it will have done.

    Raises:
        DataError: some were trained on other data than what is there now, or a result is damaged.
    """
    schedule = plan.schedule(runs)
    require_same_data(plan, schedule, runs)
    for state in schedule.states:
        trials = [*state.tuning_trials().values(), *(state.final_trials() or {}).values()]
        ended = [config for config in trials if state.is_trained(config.trial_id)]
        finals = [runs.trial(config.trial_id) for config in ended if config.kind == "final"]
        unmeasured = _unmeasured(finals, plan)
        yield GroupLeft(state.group, ended, _tuning_left(state, earlier), _finals_left(state, earlier), unmeasured)


def _unmeasured(finals: Sequence[TrialFolder], plan: Plan) -> int:
    """Return how many trials of a group lack a measurement; their networks have the same layers."""
    layers = next((layers for folder in finals if (layers := folder.read_result().layers)), [])
    lacking = [folder for folder in finals if not is_measured(folder, layers, plan.measurements)]
    return sum(folder.read_result().status == "done" for folder in lacking)


def _tuning_left(state: GroupState, earlier: Keys) -> list[TrialConfig]:
    group, proposed = state.group, list(state.tuning_trials().values())
    if group.tune is None:
        return []
    study = group.study_id
    shared = sum(TuningKey(study, number) in earlier for number in range(group.tune.most))  # always the first ones
    known = [config for config in proposed[shared:] if not state.is_trained(config.trial_id)]
    return known + [group.tuning_trial({})] * (group.tune.most - max(shared, len(proposed)))


def _finals_left(state: GroupState, earlier: Keys) -> list[TrialConfig]:
    group, finals = state.group, state.final_trials()
    configs = group.final_trials({}) if finals is None else finals.values()  # none if the search found nothing
    return [
        config
        for key, config in zip(final_keys(group), configs, strict=bool(configs))
        if key not in earlier and not (finals and state.is_trained(config.trial_id))
    ]
