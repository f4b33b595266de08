"""A sweep: one YAML file that describes an experiment, and the groups of trials that it asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from autoreg.config import Choice, Strict, TrialConfig, content_id, format_width
from autoreg.errors import ConfigError
from autoreg.registry import did_you_mean
from autoreg.sweep_sections import REGULARIZERS, Grid, Measure, Resources, Training, Tune, Variant

Section = TypeVar("Section", Grid, Training)


def figure_name(text: str) -> str:
    """Return a figure's name as the paper writes it: `6`, `1a`, `B5`."""
    return text[:1].upper() + text[1:].lower()


class Sweep(Strict):
    """One experiment, or several variants of one.

    Attributes:
        name: the sweep's name in results.db.
        figures: the figures that this sweep's trials are drawn in.
        replicates: how often each final setting is trained, with other seeds; 0 only counts parameters.
        variants: experiments that differ in more than the axes of a grid; figures show each under its name.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=100)
    figures: list[str] = Field(default=[])
    network: Choice
    dataset: Choice
    initializer: Choice = Choice(name="glorot_normal")
    grid: Grid = Grid()
    variants: list[Variant] | None = Field(default=None, min_length=1)
    replicates: int = Field(ge=0)
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
        return [figure_name(str(name)) if isinstance(name, int | str) else name for name in figures]

    @model_validator(mode="after")
    def _every_part_makes_sense(self) -> Self:
        for _, part in self.parts():
            part._check_alone()
        return self

    def _check_alone(self) -> None:
        if self.grid.epochs and self.training.patience is not None:
            raise ValueError(f"training.patience must be null beside grid.epochs, got {self.training.patience}")
        if self.grid.epochs and self.training.epochs != max(self.grid.epochs):
            longest, epochs = max(self.grid.epochs), self.training.epochs
            raise ValueError(f"training.epochs must be the largest of grid.epochs, {longest}, got {epochs}")
        if self.tune is None:
            return
        space, rate, batch = self.tune.space, self.training.learning_rate, self.training.batch_size
        if space.learning_rate and not space.learning_rate.low <= rate <= space.learning_rate.high:
            raise ValueError(f"training.learning_rate must lie in tune.space, since it is tried first, got {rate}")
        if space.batch_size and batch not in space.batch_size:
            raise ValueError(f"training.batch_size must stand in tune.space, since it is tried first, got {batch}")

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

    def parts(self) -> list[tuple[str | None, "Sweep"]]:
        """Return each variant's name and the variant as a sweep of its own; a sweep without variants is its only part.

        Raises:
            ValueError: a variant sets something that is not allowed.
        """
        if self.variants is None:
            return [(None, self)]
        parts: list[tuple[str | None, Sweep]] = []
        for index, variant in enumerate(self.variants):
            chosen: dict[str, Any] = {
                key: getattr(variant, key) for key in ("network", "dataset", "initializer", "tune")
            }
            sections = {
                "grid": _changed(self.grid, variant.grid, f"variants.{index}.grid"),
                "training": _changed(self.training, variant.training, f"variants.{index}.training"),
            }
            update = {key: value for key, value in chosen.items() if value is not None} | sections
            if variant.tune is False:
                update["tune"] = None
            parts.append((variant.name, self.model_copy(update={**update, "variants": None})))
        return parts

    def groups(self) -> list["Group"]:
        """Return one group for each setting of the grid, of every variant; what two variants share is one group.

        Raises:
            ConfigError: two settings of one part are the same trial, or two settings would be one point of a figure.
        """
        groups: dict[str, Group] = {}
        points: dict[tuple[Any, ...], str] = {}
        for name, part in self.parts():
            own: set[str] = set()
            for group in part._own_groups(name):
                key = group.template.config_id
                if key in own:
                    raise ConfigError(f"two settings are the same trial: {group.template.initializer}")
                own.add(key)
                if points.setdefault((name, *group.shown_as), key) != key:
                    point = f"{name} at {format_width(group.template.width)}x"
                    raise ConfigError(
                        f"variants of one name must differ in width or another axis, got two settings for {point}, "
                        "which a figure would average"
                    )
                groups[key] = groups[key].shared_with(group) if key in groups else group
        return list(groups.values())

    def _own_groups(self, variant: str | None) -> list["Group"]:
        grid, training = self.grid, self.training
        own_regularizers = training.model_dump(include={"augmentation", "dropout", "weight_decay"})
        lengths = tuple(sorted(grid.epochs or [training.epochs]))
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
                epochs=lengths[-1],
                patience=training.patience,
                shuffle=training.shuffle,
                weight_average=training.weight_average,
                replicate=0,
                **regularizers,
            )
            factors = tuple(grid.lr_batch_factor)
            groups.append(Group(template, self.tune, factors, self.replicates, lengths, (variant,)))
        return groups


def _changed(section: Section, changes: Mapping[str, Any], where: str) -> Section:
    """Return a section with some of its keys set. Raises ValueError that names the key."""
    try:
        return type(section).model_validate({**dict(section), **changes})
    except ValidationError as error:
        first: Any = error.errors()[0]
        key = ".".join(map(str, (where, *first["loc"])))
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(first["loc"][-1], type(section).model_fields)
            raise ValueError(f"{key} unknown key {first['loc'][-1]!r}{hint}") from error
        got = f", got {first['input']!r}"
        raise ValueError(f"{key} {first['msg'].replace('Input should', 'should')}{got}") from error


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
    """

    template: TrialConfig
    tune: Tune | None
    factors: tuple[float, ...]
    replicates: int
    lengths: tuple[int, ...]
    variants: tuple[str | None, ...] = (None,)

    @property
    def shown_as(self) -> tuple[Any, ...]:
        """What tells it from the other settings of its variant in a figure."""
        template = self.template
        regularizers = (template.augmentation, template.dropout, template.weight_decay)
        return template.width, template.initializer, template.optimizer, template.random_labels, *regularizers

    def shared_with(self, other: "Group") -> "Group":
        """Return this group as one of both variants. Raises ConfigError if they ask for different trials of it."""
        variants = tuple(dict.fromkeys((*self.variants, *other.variants)))
        if replace(self, variants=variants) != replace(other, variants=variants):
            names = " and ".join(str(name) for name in variants)
            raise ConfigError(f"variants share a setting but not its epochs or lr_batch_factor: {names}")
        return replace(self, variants=variants)

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
        """Return the final trials at the chosen setting: every factor, replicate and length, shorter ones first."""
        return [
            self.template.model_copy(
                update={**setting, "lr_batch_factor": factor, "replicate": replicate, "epochs": epochs}
            )
            for epochs, factor, replicate in product(self.lengths, self.factors, range(self.replicates))
        ]

    def shorter(self, config: TrialConfig) -> TrialConfig | None:
        """Return the final trial that this one goes on from, or None."""
        place = self.lengths.index(config.epochs)
        return config.model_copy(update={"epochs": self.lengths[place - 1]}) if place else None

    def longer(self, config: TrialConfig) -> list[TrialConfig]:
        """Return the final trials that go on from this one, the next one first."""
        return [config.model_copy(update={"epochs": epochs}) for epochs in self.lengths if epochs > config.epochs]

    @property
    def final_count(self) -> int:
        """The number of final trials."""
        return len(self.factors) * self.replicates * len(self.lengths)


def setting_labels(groups: Sequence[Group]) -> list[str]:
    """Return a line for each group: its variant or network, its width, its initializer, and what else varies."""
    fields = ("optimizer", "random_labels", "augmentation", "dropout", "weight_decay")
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


def load_definition(definition: str) -> Sweep:
    """Return the sweep that `canonical_json` wrote. Raises ConfigError if this version cannot read it."""
    try:
        return Sweep.model_validate_json(definition)
    except ValidationError as error:
        raise ConfigError(f"a recorded sweep cannot be read by this version: {error.errors()[0]['msg']}") from error
