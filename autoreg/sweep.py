"""A sweep: one YAML file that describes an experiment, and the groups of trials that it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from autoreg.config import Choice, Option, Strict, TrialConfig, Width, content_id, parse_fraction
from autoreg.errors import ConfigError

#: The regularizers of the paper's AlexNet (section 3), with the released code's values.
REGULARIZERS: dict[str, dict[str, Any]] = {
    "none": {"augmentation": False, "dropout": 0.0, "weight_decay": 0.0},
    "augmentation": {"augmentation": True, "dropout": 0.0, "weight_decay": 0.0},
    "dropout": {"augmentation": False, "dropout": 0.5, "weight_decay": 0.0},
    "weight_decay": {"augmentation": False, "dropout": 0.0, "weight_decay": 1e-3},
    "all": {"augmentation": True, "dropout": 0.5, "weight_decay": 1e-3},
}


def _once(values: Any) -> Any:
    seen: list[Any] = []
    for value in values or []:
        if value in seen:
            raise ValueError(f"each value of a list stands once, {value} stands twice")
        seen.append(value)
    return values


class Grid(Strict):
    """The axes of a sweep; a setting is one value of each. An axis that is not written keeps the sweep's own value."""

    width: list[Width] = Field(default=[1.0], min_length=1)
    initializer: list[Choice] | None = Field(default=None, min_length=1)
    optimizer: list[Choice] | None = Field(default=None, min_length=1)
    regularizer: list[Literal["none", "augmentation", "dropout", "weight_decay", "all"]] | None = Field(
        default=None, min_length=1
    )
    random_labels: list[bool] | None = Field(default=None, min_length=1)
    lr_batch_factor: list[Annotated[float, BeforeValidator(parse_fraction), Field(gt=0)]] = Field(
        default=[1.0], min_length=1
    )

    @field_validator("*")
    @classmethod
    def _values_stand_once(cls, values: Any) -> Any:
        return _once(values)


class Training(Strict):
    """How every trial is trained; see `TrialConfig` for what each key means."""

    optimizer: Choice = Choice(name="momentum")
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(ge=1)
    schedule: Choice = Choice(name="constant")
    epochs: int = Field(ge=0)
    patience: int | None = Field(default=None, ge=1)
    shuffle: bool = True
    random_labels: bool = False
    augmentation: bool = False
    dropout: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)


class LogRange(Strict):
    """A range that is searched on a logarithmic scale."""

    low: float = Field(gt=0)
    high: float = Field(gt=0)

    @model_validator(mode="after")
    def _low_below_high(self) -> "LogRange":
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low} and high {self.high}")
        return self


class Space(Strict):
    """What is tuned for each group: the learning rate, the batch size or both."""

    learning_rate: LogRange | None = None
    batch_size: list[Annotated[int, Field(ge=1)]] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _something_is_tuned(self) -> "Space":
        if self.learning_rate is None and self.batch_size is None:
            raise ValueError("tune.space must name learning_rate, batch_size or both")
        return self


class Tune(Strict):
    """The search for each group's best setting by validation accuracy.

    Attributes:
        trials: how many settings are tried for each group. The first is the one written under `training`.
        epochs: how long each is trained.
        startup: how many are drawn before any is known; they run at the same time, and none of them is pruned. The
            ones after are drawn by Optuna's TPE one at a time, so that a sweep gives the same settings however many
            trials run at once.
        pruning: `median` stops a trial whose best validation accuracy so far is below the median of the group's
            finished trials at that epoch; `none` lets all of them run.
        warmup: epochs before which no trial is pruned; a large learning rate often starts slowly.
    """

    space: Space
    trials: int = Field(ge=1)
    epochs: int = Field(ge=1)
    startup: int = Field(default=4, ge=1)
    pruning: Literal["median", "none"] = "median"
    warmup: int = Field(default=5, ge=0)


class Measure(Strict):
    """What is measured of every final trial: each metric with its options, on each of the splits."""

    splits: list[Literal["train", "validation", "test"]] = Field(default=["test"], min_length=1)
    metrics: dict[str, dict[str, Option]] = Field(default={"ablation": {}, "similarity": {}}, min_length=1)

    @field_validator("splits")
    @classmethod
    def _splits_stand_once(cls, splits: Any) -> Any:
        return _once(splits)


class Resources(Strict):
    """What one trial occupies. Not a part of any identity.

    Attributes:
        cpus: CPU cores, and threads, of one trial. One is fastest for small networks.
        gpu: the share of a GPU by width, for example `{1/4: 0.1, 4: 0.9}`; ignored on a machine without GPUs. A width
            that is not written takes the share of the next larger one that is.
        measuring: how many finished trials are measured at the same time.
    """

    cpus: int = Field(default=1, ge=1)
    gpu: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default={})
    measuring: int = Field(default=1, ge=1)

    @field_validator("gpu")
    @classmethod
    def _keys_are_widths(cls, shares: dict[str, float]) -> dict[str, float]:
        for key in shares:
            parse_fraction(key)
        return shares

    def gpu_share(self, width: float) -> float:
        """Return the share of a GPU that a trial of this width takes."""
        shares = sorted((float(parse_fraction(key)), share) for key, share in self.gpu.items())
        return next((share for limit, share in shares if width <= limit), shares[-1][1] if shares else 0.0)


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
            raise ValueError(f"training.learning_rate is tried first and must lie in tune.space, got {rate}")
        if space.batch_size and batch not in space.batch_size:
            raise ValueError(f"training.batch_size is tried first and must stand in tune.space, got {batch}")
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
