"""A group: one network at one size with one setting of the grid, tuned together, then trained with several seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from autoreg.config.factors import format_width
from autoreg.config.sections import Tune
from autoreg.config.trial import CHOICES, TrialConfig, content_id
from autoreg.errors import ConfigError

#: The options of Optuna 5.0's `TPESampler` that are not deprecated, with the values that its defaults come to for one
#: objective: a later version has other defaults, as 5.0 had others than 4.9.
OPTUNA_5 = {"n_ei_candidates": 24, "multivariate": True, "group": False, "constant_liar": True}
#: Those that searches are made with.
SAMPLER: dict[str, Any] = OPTUNA_5


@dataclass(frozen=True)
class Group:
    """One network at one size with one setting of the grid: tuned together, then trained with several seeds.

    Attributes:
        template: the final trial of replicate 0 at the setting that the sweep file names.
        tune: how the setting is searched for, or None if the template's is used as it is.
        factors: the lr-batch factors k that multiply the chosen setting.
        replicates: how many final trials each factor gets.
        lengths: how many epochs the final trials are trained, ascending; each goes on where the one before ended.
        variants: the names of the sweep's variants that it belongs to; None in a sweep without variants.
        known: gives a trial as the run folder knows it, which may be by an older id; None where all are as planned.
        searched_as: the older id of its search that is gone on with, or None.
    """

    template: TrialConfig
    tune: Tune | None
    factors: tuple[float, ...]
    replicates: int
    lengths: tuple[int, ...]
    variants: tuple[str | None, ...] = (None,)
    known: Callable[[TrialConfig], TrialConfig] | None = None
    searched_as: str | None = None

    @property
    def shown_as(self) -> tuple[Any, ...]:
        """What tells it from the other settings of its variant in a figure."""
        template = self.template
        regularizers = (template.augmentation, template.dropout, template.weight_decay)
        axes = template.width, template.initializer, template.optimizer, template.random_labels
        return *axes, *regularizers, template.parametrization, template.richness

    def shared_with(self, other: "Group") -> "Group":
        """Return this group as one of both variants. Raises ConfigError if they ask for different trials of it."""
        variants = tuple(dict.fromkeys((*self.variants, *other.variants)))
        if replace(self, variants=variants) != replace(other, variants=variants):
            names = " and ".join(str(name) for name in variants)
            raise ConfigError(f"variants share a setting but not its search, epochs or lr_batch_factor: {names}")
        return replace(self, variants=variants)

    @property
    def study_id(self) -> str:
        """The id of the group's search. The number of trials does not count, so that a search can be extended.

        Of the sampler's options those count that differ from Optuna 5.0's.
        """
        assert self.tune is not None
        if self.searched_as:
            return self.searched_as
        search = self.tune.model_dump(mode="json", exclude={"trials"}, exclude_defaults=True)
        if sampler := dict(SAMPLER.items() - OPTUNA_5.items()):
            search["sampler"] = sampler
        return content_id({"template": self.template.config_id, "search": search})

    def tuning_trial(self, setting: Mapping[str, Any]) -> TrialConfig:
        """Return the tuning trial of a proposed setting (`learning_rate`, `batch_size` or both)."""
        assert self.tune is not None
        return self._trial(self.template, **setting, kind="tune", epochs=self.tune.epochs, study=self.study_id)

    def final_trials(self, setting: Mapping[str, Any]) -> list[TrialConfig]:
        """Return the final trials at the chosen setting: every factor, replicate and length, shorter ones first."""
        return [
            self._trial(self.template, **setting, lr_batch_factor=factor, replicate=replicate, epochs=epochs)
            for epochs, factor, replicate in product(self.lengths, self.factors, range(self.replicates))
        ]

    def parent(self, config: TrialConfig) -> TrialConfig | None:
        """Return the final trial that this one goes on from, or None."""
        index = self.lengths.index(config.epochs)
        return self._trial(config, epochs=self.lengths[index - 1]) if index else None

    def successor(self, config: TrialConfig) -> TrialConfig | None:
        """Return the next final trial that goes on from this one, or None."""
        longer = [epochs for epochs in self.lengths if epochs > config.epochs]
        return self._trial(config, epochs=longer[0]) if longer else None

    def _trial(self, like: TrialConfig, **changes: Any) -> TrialConfig:
        choices = {field: getattr(self.template, field) for field in CHOICES}  # of an older trial, those of now
        config = like.model_copy(update=choices | changes).with_exact_batch()
        return self.known(config) if self.known else config

    @property
    def final_count(self) -> int:
        """The number of final trials."""
        return len(self.factors) * self.replicates * len(self.lengths)


def setting_labels(groups: Sequence[Group]) -> list[str]:
    """Return a line for each group: its variant or network, its width, its initializer, and what else varies."""
    fields = (
        "optimizer", "random_labels", "augmentation", "dropout", "weight_decay", "parametrization", "richness",
        "learning_rate",
    )  # fmt: skip
    varying = [name for name in fields if len({str(getattr(group.template, name)) for group in groups}) > 1]
    labels = []
    for group in groups:
        template = group.template
        name = " and ".join(name for name in group.variants if name) or str(template.network)
        words = [name, f"{format_width(template.width)}x", str(template.initializer)]
        values = {name: getattr(template, name) for name in varying}
        words += [name if value is True else f"{name}={value}" for name, value in values.items() if value]
        labels.append(" ".join(words))
    return labels
