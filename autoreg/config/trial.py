"""What a trial is: a frozen, strict record whose hash is the trial's identity everywhere."""

import hashlib
import json
import math
import operator
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from typing_extensions import override

from autoreg.config.factors import parse_fraction, scaled


class Strict(BaseModel):
    """A frozen model that refuses unknown keys and does not turn one type into another."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


#: The largest number that a column of results.db holds.
LARGEST = 2**31 - 1


def _check_option(value: Any) -> Any:
    scalars = value if isinstance(value, list) else [value]
    if not all(scalar is None or isinstance(scalar, bool | int | float | str) for scalar in scalars):
        raise ValueError("an option is a number, a text, true, false, null or a list of these")
    if any(isinstance(scalar, float) and not math.isfinite(scalar) for scalar in scalars):
        raise ValueError("an option is a finite number")
    return value


#: The value of an option: a scalar or a list of scalars.
Option = Annotated[Any, AfterValidator(_check_option)]


#: What a number of a sweep is multiplied by.
Factor = Annotated[
    float,
    BeforeValidator(parse_fraction),
    Field(gt=0, le=1024),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1024},
                {"type": "string", "pattern": "^[0-9]+ */ *[0-9]+$"},
            ]
        }
    ),
]
Width = Factor

# What the sections of a sweep file and a trial have in common; `TrialConfig` says what each means.
LearningRate = Annotated[float, Field(gt=0)]
BatchSize = Annotated[int, Field(ge=1, le=LARGEST)]
Epochs = Annotated[int, Field(ge=0, le=LARGEST)]
Patience = Annotated[int | None, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
WeightDecay = Annotated[float, Field(ge=0)]
Precision = Literal["float32", "tf32", "bfloat16"]
Parametrization = Literal["standard", "mup"]


#: What a choice may be called.
PLACE = r"^[A-Za-z_][A-Za-z0-9_.]*(:[A-Za-z_][A-Za-z0-9_]*)?$"


class Choice(Strict):
    """A registered thing by name, with its options: `alexnet`, or `{name: teacher, dimensions: 10}`.

    Attributes:
        name: a registered name, or `package.module:function` for a thing of the user's own.
        options: keyword arguments of the function, those left out that repeat its default.
        source: the hash of the user's own code, so that trials of edited code are new trials; set by `make_plan`.
        revised: of a network, the widths at which earlier versions computed something else; set by `make_plan`.
    """

    name: str = Field(min_length=1, max_length=100, pattern=PLACE)
    options: dict[str, Option] = Field(default_factory=dict)
    source: str | None = None
    revised: list[float] = Field(default_factory=list, exclude_if=operator.not_)

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value, "options": {}}
        if isinstance(value, Mapping) and "options" not in value:
            return {"name": value.get("name"), "options": {k: v for k, v in value.items() if k != "name"}}
        return value

    def at(self, width: float) -> "Choice":
        """Return this choice as a trial of one width has it."""
        return self.model_copy(update={"revised": [width] if width in self.revised else []})

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in sorted(self.options.items()))
        return f"{self.name}({inside})" if inside else self.name

    def __hash__(self) -> int:
        return hash(canonical_json(self))


#: The fields of a trial that name a function, which may be one of the user's own.
CHOICES = ("network", "dataset", "initializer", "optimizer", "schedule")


class TrialConfig(Strict):
    """Everything that can change the result of one trial.

    The fields below are those of the first day and have no defaults. A field that is added later gets the default that
    means "as before", and is left out of the hash while it has it, so that old ids stay. An option of a `Choice` that
    repeats its function's default is likewise left out (`Registry.check_options`).

    Attributes:
        kind: `tune` trials are compared on validation accuracy to choose a setting; `final` trials are measured.
        width: the factor that multiplies every layer's units; 1 is the published network.
        random_labels: train and validation labels are drawn at random, test labels stay true (paper, section 3).
        augmentation: the dataset's random crops, flips and colours during training.
        dropout: probability of dropping a unit of the fully connected layers while training, in [0, 1).
        weight_decay: L2 coefficient of the parameters that the network names for it.
        learning_rate, batch_size: before `lr_batch_factor` multiplies both.
        lr_batch_factor: the paper's k.
        patience: epochs without better validation accuracy before training stops; None trains all epochs.
        shuffle: a new order of the training set every epoch; False keeps the file's order, as the authors' code did.
        replicate: which repetition; not a part of `config_id`.
        weight_average: decay of a running average of the weights, which is validated and kept in place of them; 0 for
            none (released code, Inception-v3: 0.9999).
        precision: of matrix products and convolutions in training; `tf32` counts on GPUs only. Metrics take float32.
        study: the search that a tuning trial belongs to, whose rule may prune it; None for final trials.
        parametrization: of initial weights and learning rates by width (`autoreg.networks.parametrization`).
        richness: how far from lazy it trains (`autoreg.networks.richness`); None for logits as the network gives them.
        exact_batch: the batch size is the exact product, rounded down. Earlier versions multiplied floats, which may
            give one less; true only where it does (`with_exact_batch`).
    """

    kind: Literal["tune", "final"]
    network: Choice
    width: Width
    dataset: Choice
    random_labels: bool
    augmentation: bool
    initializer: Choice
    dropout: Probability
    weight_decay: WeightDecay
    optimizer: Choice
    learning_rate: LearningRate
    batch_size: BatchSize
    lr_batch_factor: Factor
    schedule: Choice
    epochs: Epochs
    patience: Patience
    shuffle: bool
    replicate: int = Field(ge=0, le=LARGEST)
    study: str | None = None
    weight_average: Probability = 0.0
    precision: Precision = "float32"
    parametrization: Parametrization = Field(default="standard", exclude_if="standard".__eq__)
    richness: Factor | None = Field(default=None, exclude_if=operator.not_)
    exact_batch: bool = Field(default=False, exclude_if=operator.not_)

    @property
    def own_code(self) -> tuple[Choice, ...]:
        """What of the user's own code the trial runs."""
        choices: list[Choice] = [getattr(self, field) for field in CHOICES]
        return tuple(choice for choice in choices if ":" in choice.name)

    @property
    def effective_learning_rate(self) -> float:
        """The learning rate that the factors of the schedule multiply."""
        return self.learning_rate * self.lr_batch_factor

    @property
    def effective_batch_size(self) -> int:
        """The number of examples in a training batch."""
        size, factor = self.batch_size, self.lr_batch_factor
        return max(1, scaled(size, factor) if self.exact_batch else int(size * factor))

    def with_exact_batch(self) -> Self:
        """Return this trial with the exact batch size; as it is where that is the same."""
        sizes = (int(self.batch_size * self.lr_batch_factor), scaled(self.batch_size, self.lr_batch_factor))
        differs = max(1, sizes[0]) != max(1, sizes[1])
        return self if differs == self.exact_batch else self.model_copy(update={"exact_batch": differs})

    def as_before(self) -> Self:
        """Return what earlier versions named as they named this trial; the same trial where they computed the same."""
        network = self.network.model_copy(update={"revised": []})
        return self.model_copy(update={"network": network, "exact_batch": False})

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        for cached in ("config_id", "trial_id"):  # pydantic copies them too
            copied.__dict__.pop(cached, None)
        return copied

    @cached_property
    def config_id(self) -> str:
        """The hash of everything but the replicate: 16 hexadecimal digits."""
        return content_id(self.model_dump(mode="json", exclude={"replicate"}, exclude_defaults=True))

    @cached_property
    def trial_id(self) -> str:
        """The id of this trial in the run folder, in results.db, in Ray Tune and in every figure's provenance."""
        return f"{self.config_id}-r{self.replicate}"


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no NaN."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_id(value: Any) -> str:
    """Return the BLAKE2b hash of a value's canonical JSON: 16 hexadecimal digits."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=8).hexdigest()


def measurement_id(metric: str, version: int, split: str, parameters: Mapping[str, Any]) -> str:
    """Return the id of a measurement; a corrected metric gets a new version, and re-measures only itself."""
    return content_id({"metric": metric, "version": version, "split": split, "parameters": dict(parameters)})
