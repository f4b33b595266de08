"""What is left to do of a sweep: of each setting, what the run folder has and what earlier sweeps will have done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autoreg.config.group import Group
from autoreg.config.overlap import Asked, final_keys
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import Runs


@dataclass(frozen=True)
class Left:
    """A trial that is left to train.

    Attributes:
        epochs: how many it trains at most; those of a shorter one that it goes on from do not count.
        batch_sizes: the one that it has, or those that the search may choose from.
    """

    epochs: int
    batch_sizes: tuple[int, ...]


@dataclass(frozen=True)
class Setting:
    """One setting of a sweep, and what is left of it.

    Attributes:
        group: the setting.
        parameters: of its network.
        done: its trials that have ended already, by kind: `tune` and `final`, in the order of the plan.
        tuning: the tuning trials that are left.
        finals: the final trials that are left: chains, in each of which one goes on where the one before ended.
        unmeasured: final trials that have ended and are not measured yet.
    """

    group: Group
    parameters: int
    done: dict[str, list[TrialConfig]]
    tuning: list[Left]
    finals: list[list[Left]]
    unmeasured: int

    @property
    def done_count(self) -> int:
        """How many of its trials have ended."""
        return sum(map(len, self.done.values()))

    @property
    def finals_left(self) -> int:
        """How many final trials are left."""
        return sum(map(len, self.finals))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to train or measure."""
        return not (self.tuning or self.finals or self.unmeasured)

    def batch_sizes(self) -> set[int]:
        """Return every batch size that one of its trials has, or may come to."""
        left = [*self.tuning, *(one for chain in self.finals for one in chain)]
        ended = {config.effective_batch_size for configs in self.done.values() for config in configs}
        return {size for one in left for size in one.batch_sizes} | ended


def settings_of(plan: Plan, runs: Runs, earlier: Asked) -> list[Setting]:
    """Return each setting of a plan, in the order in which they run.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        earlier: what sweeps before it will have done.
    """
    schedule = plan.schedule(runs)
    pairs = zip(plan.groups, schedule.states, strict=True)
    return [_setting(plan, runs, state, parameters, earlier) for (_, parameters), state in pairs]


def _setting(plan: Plan, runs: Runs, state: GroupState, parameters: int, earlier: Asked) -> Setting:
    group = state.group
    proposed = list(state.tuning_trials().items())
    tuned = [config for trial_id, config in proposed if state.is_trained(trial_id)]
    tuning = list(_tuning_left(state, proposed, earlier))
    finals = state.final_trials()
    trained = [trial_id for trial_id in finals or {} if state.is_trained(trial_id)]
    unmeasured = 0
    for trial_id in trained:
        folder = runs.trial(trial_id)
        is_missing = not all(made.path(folder).is_file() for made in plan.measurements)
        unmeasured += is_missing and folder.read_result().status == "done"
    done = {"tune": tuned, "final": [(finals or {})[trial_id] for trial_id in trained]}
    return Setting(group, parameters, done, tuning, _finals_left(state, finals, earlier), unmeasured)


def _tuning_left(state: GroupState, proposed: Sequence[tuple[str, TrialConfig]], earlier: Asked) -> Iterator[Left]:
    group = state.group
    if group.tune is None:
        return
    sizes = tuple(group.tune.space.batch_size or [group.template.batch_size])
    for number in range(earlier.tuning.get(group.study_id, 0), group.tune.trials):
        if number < len(proposed):
            trial_id, config = proposed[number]
            if not state.is_trained(trial_id):
                yield Left(group.tune.epochs, (config.batch_size,))
        else:  # the first is the one that the sweep file names
            yield Left(group.tune.epochs, sizes if number else (group.template.batch_size,))


def _finals_left(state: GroupState, finals: dict[str, TrialConfig] | None, earlier: Asked) -> list[list[Left]]:
    group = state.group
    if finals == {}:  # the search found nothing, or there are no replicates
        return []
    space = group.tune.space.batch_size if group.tune else None
    known = list((finals or {}).items())
    chains: dict[tuple[float, int], list[Left]] = {}
    for place, key in enumerate(final_keys(group)):
        if key in earlier.finals or (known and state.is_trained(known[place][0])):
            continue
        bases = [known[place][1].batch_size] if known else space or [group.template.batch_size]
        sizes = tuple(max(1, int(base * key.lr_batch_factor)) for base in bases)
        before = group.lengths.index(key.epochs)
        epochs = key.epochs - (group.lengths[before - 1] if before else 0)
        chains.setdefault((key.lr_batch_factor, key.replicate), []).append(Left(epochs, sizes))
    return list(chains.values())
