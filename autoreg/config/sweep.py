"""A sweep: one YAML file that describes an experiment, and the groups of trials that it asks for."""

import math
from collections import ChainMap
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, ValidationError, WithJsonSchema, field_validator, model_validator

from autoreg.config.factors import format_width
from autoreg.config.group import Group
from autoreg.config.sections import REGULARIZERS, Grid, Measure, Resources, Training, Tune, Variant
from autoreg.config.trial import LARGEST, Choice, Strict, TrialConfig, content_id
from autoreg.errors import ConfigError, did_you_mean
from autoreg.packaged import figure_name

Section = TypeVar("Section", Grid, Training)

#: The axes of a grid that make groups.
AXES = (
    "width", "initializer", "optimizer", "regularizer", "random_labels", "parametrization", "richness", "learning_rate",
)  # fmt: skip


#: What a sweep may be called.
NAME = r"^[a-z0-9][a-z0-9_]*$"


class Sweep(Strict):
    """One experiment, or several variants of one.

    Attributes:
        name: the sweep's name in results.db.
        figures: the figures that this sweep's trials are drawn in.
        network, dataset: by name, or `package.module:function` for one's own.
        initializer: of the weights; `grid.initializer` compares several.
        grid: the axes; every combination of their values is a setting.
        replicates: how often each final setting is trained, with other seeds; 0 only counts parameters.
        training: how every trial is trained.
        tune: the search for learning rate and batch size of each setting; without it they are used as they are.
        measure: what is measured of every final trial.
        resources: what of a machine one trial takes.
        variants: experiments that differ in more than the axes of a grid; figures show each under its name.
    """

    name: str = Field(pattern=NAME, max_length=100)
    figures: list[Annotated[str, WithJsonSchema({"type": ["string", "integer"]})]] = Field(default=["Scores"])
    network: Choice
    dataset: Choice
    initializer: Choice = Choice(name="glorot_normal")
    grid: Grid = Grid()
    variants: list[Variant] | None = Field(default=None, min_length=1)
    replicates: int = Field(ge=0, le=LARGEST)
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
        if not self.replicates:
            raise ValueError("tune must be null beside replicates: 0, which only counts parameters")
        if self.grid.learning_rate and self.tune.space.learning_rate:
            raise ValueError("tune.space.learning_rate must be left out beside grid.learning_rate")
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
        return sum(group.tune.most for group in self.groups() if group.tune)

    @property
    def size(self) -> int:
        """How many trials it asks for in all, those that variants share counted for each: known without making them."""
        size = 0
        for grid, tune in ((part.grid, part.tune) for _, part in self.parts()):
            axes = [getattr(grid, name) for name in AXES]
            finals = self.replicates * len(grid.lr_batch_factor) * len(grid.epochs or [0])
            size += math.prod(len(axis or [0]) for axis in axes) * (finals + (tune.trials if tune else 0))
        return size

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

    def groups(self) -> list[Group]:
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
                rate = group.template.learning_rate if part.grid.learning_rate else None
                if points.setdefault((name, *group.shown_as, rate), key) != key:
                    point = f"{name} at {format_width(group.template.width)}x"
                    raise ConfigError(
                        f"variants of one name must differ in width or another axis, got two settings for {point}, "
                        "which a figure would average"
                    )
                groups[key] = groups[key].shared_with(group) if key in groups else group
        return list(groups.values())

    def with_revised(self, widths: Mapping[Choice, list[float]]) -> Self:
        """Return this checked sweep with each network marked at the widths where earlier versions computed another."""

        def marked(choice: Choice) -> Choice:
            return choice.model_copy(update={"revised": sorted(set(widths.get(choice, [])))})

        variants = self.variants and [
            variant.model_copy(update={"network": variant.network and marked(variant.network)})
            for variant in self.variants
        ]
        return self.model_copy(update={"network": marked(self.network), "variants": variants})

    def _own_groups(self, variant: str | None) -> list[Group]:
        grid, training = self.grid, self.training
        axes = product(*(_axis(grid, name) for name in AXES))
        fixed = {"kind": "final", "network": self.network, "dataset": self.dataset, "initializer": self.initializer}
        base = {**dict(training), **fixed, "lr_batch_factor": 1.0, "replicate": 0}
        lengths, factors = tuple(sorted(grid.epochs or [training.epochs])), tuple(grid.lr_batch_factor)
        groups = []
        for setting in axes:
            fields = ChainMap({}, *setting, base)
            fields["network"] = self.network.at(fields.get("width", 1.0))
            template = TrialConfig.model_validate(dict(fields))
            groups.append(Group(template, self.tune, factors, self.replicates, lengths, (variant,)))
        return groups


def _axis(grid: Grid, key: str) -> list[dict[str, Any]]:
    """Return each value of an axis as what it sets; an axis that is not written sets nothing."""
    values = getattr(grid, key) or []
    return [REGULARIZERS[value] if key == "regularizer" else {key: value} for value in values] or [{}]


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


def load_definition(definition: str) -> Sweep:
    """Return the sweep that `canonical_json` wrote. Raises ConfigError if this version cannot read it."""
    try:
        return Sweep.model_validate_json(definition)
    except ValidationError as error:
        raise ConfigError(f"a recorded sweep cannot be read by this version: {error.errors()[0]['msg']}") from error
