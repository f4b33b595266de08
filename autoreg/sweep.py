"""A sweep: one YAML file that describes an experiment, and the groups of trials that it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from autoreg.config import Choice, Strict, TrialConfig, content_id
from autoreg.errors import ConfigError
from autoreg.sweep_sections import REGULARIZERS, Grid, Measure, Resources, Training, Tune


class Sweep(Strict):
    """One experiment.

    Attributes:
        name: the sweep's name in results.db.
        figures: the figures and tables that this sweep's trials are drawn in.
        replicates: how often each final setting is trained, with other seeds.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=100)
    figures: list[str] = Field(default=[])
    network: Choice
    dataset: Choice
    initializer: Choice = Choice(name="glorot_normal")
    grid: Grid = Grid()
    replicates: int = Field(ge=1)
    training: Training
    tune: Tune | None = None
    measure: Measure = Measure()
    resources: Resources = Resources()

    @field_validator("figures", mode="before")
    @classmethod
    def _figures_are_names(cls, figures: Any) -> Any:
        """Take `6` and `b5` for the names "6" and "B5"."""
        if not isinstance(figures, list):
            return figures
        return [str(name).upper() if isinstance(name, int | str) else name for name in figures]

    @model_validator(mode="after")
    def _the_start_lies_in_the_space(self) -> "Sweep":
        if self.tune is None:
            return self
        space, rate, batch = self.tune.space, self.training.learning_rate, self.training.batch_size
        if space.learning_rate and not space.learning_rate.low <= rate <= space.learning_rate.high:
            raise ValueError(f"training.learning_rate must lie in tune.space, since it is tried first, got {rate}")
        if space.batch_size and batch not in space.batch_size:
            raise ValueError(f"training.batch_size must stand in tune.space, since it is tried first, got {batch}")
        return self

    @property
    def sweep_id(self) -> str:
        """The hash of everything that this sweep asks for; its resources do not count."""
        return content_id(self.model_dump(mode="json", exclude={"resources"}, exclude_defaults=True))

    @property
    def final_count(self) -> int:
        """How many final trials the sweep has in all."""
        return sum(group.final_count for group in self.groups())

    @property
    def tuning_count(self) -> int:
        """How many tuning trials the sweep has in all."""
        return sum(group.tune.trials for group in self.groups() if group.tune)

    def groups(self) -> list["Group"]:
        """Return one group for each setting of the grid."""
        grid, training = self.grid, self.training
        own_regularizers = training.model_dump(include={"augmentation", "dropout", "weight_decay"})
        axes = product(
            grid.width,
            grid.initializer or [self.initializer],
            grid.optimizer or [training.optimizer],
            [REGULARIZERS[name] for name in grid.regularizer] if grid.regularizer else [own_regularizers],
            grid.random_labels or [training.random_labels],
        )
        groups = []
        for width, initializer, optimizer, regularizers, random_labels in axes:
            template = TrialConfig(
                kind="final",
                network=self.network,
                width=width,
                dataset=self.dataset,
                initializer=initializer,
                optimizer=optimizer,
                random_labels=random_labels,
                learning_rate=training.learning_rate,
                batch_size=training.batch_size,
                lr_batch_factor=1.0,
                schedule=training.schedule,
                epochs=training.epochs,
                patience=training.patience,
                shuffle=training.shuffle,
                replicate=0,
                **regularizers,
            )
            groups.append(Group(template, self.tune, tuple(grid.lr_batch_factor), self.replicates))
        return groups


@dataclass(frozen=True)
class Group:
    """One network at one size with one setting of the grid: tuned together, then trained with several seeds.

    Attributes:
        template: the final trial of replicate 0 at the setting that the sweep file names.
        tune: how the setting is searched for, or None if the template's is used as it is.
        factors: the lr-batch factors k that multiply the chosen setting.
        replicates: how many final trials each factor gets.
    """

    template: TrialConfig
    tune: Tune | None
    factors: tuple[float, ...]
    replicates: int

    @property
    def study_id(self) -> str:
        """The id of the group's search. The number of trials does not count, so that a search can be extended."""
        assert self.tune is not None
        search = self.tune.model_dump(mode="json", exclude={"trials"}, exclude_defaults=True)
        return content_id({"template": self.template.config_id, "search": search})

    def tuning_trial(self, setting: Mapping[str, Any]) -> TrialConfig:
        """Return the tuning trial of a proposed setting (`learning_rate`, `batch_size` or both)."""
        assert self.tune is not None
        return self.template.model_copy(
            update={**setting, "kind": "tune", "epochs": self.tune.epochs, "study": self.study_id}
        )

    def final_trials(self, setting: Mapping[str, Any]) -> list[TrialConfig]:
        """Return the final trials at the chosen setting: every factor, every replicate."""
        return [
            self.template.model_copy(update={**setting, "lr_batch_factor": factor, "replicate": replicate})
            for factor, replicate in product(self.factors, range(self.replicates))
        ]

    @property
    def final_count(self) -> int:
        """The number of final trials."""
        return len(self.factors) * self.replicates


def load_definition(definition: str) -> Sweep:
    """Return the sweep that `canonical_json` wrote. Raises ConfigError if this version cannot read it."""
    try:
        return Sweep.model_validate_json(definition)
    except ValidationError as error:
        raise ConfigError(f"a recorded sweep cannot be read by this version: {error.errors()[0]['msg']}") from error
