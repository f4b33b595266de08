"""The sections of a sweep file, each with what its keys mean and may be."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from autoreg.config.factors import parse_fraction
from autoreg.config.trial import (
    LARGEST,
    BatchSize,
    Choice,
    Epochs,
    Factor,
    LearningRate,
    Option,
    Parametrization,
    Patience,
    Precision,
    Probability,
    Strict,
    WeightDecay,
    Width,
)

#: The regularizers of the paper's AlexNet (section 3), with the released code's values.
REGULARIZERS: dict[str, dict[str, Any]] = {
    "none": {"augmentation": False, "dropout": 0.0, "weight_decay": 0.0},
    "augmentation": {"augmentation": True, "dropout": 0.0, "weight_decay": 0.0},
    "dropout": {"augmentation": False, "dropout": 0.5, "weight_decay": 0.0},
    "weight_decay": {"augmentation": False, "dropout": 0.0, "weight_decay": 1e-3},
    "all": {"augmentation": True, "dropout": 0.5, "weight_decay": 1e-3},
}


def _once(values: Any) -> Any:
    seen = set()
    for value in values or []:
        if value in seen:
            raise ValueError(f"each value of a list stands once, {value} stands twice")
        seen.add(value)
    return values


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("a name has no control characters")
    return name


class Grid(Strict):
    """The axes of a sweep; a setting is one value of each. An axis that is not written keeps the sweep's own value.

    `epochs` makes trials of different length, in place of `training.epochs`: one goes on where the next shorter one
    ended, so that the same network is measured at several times.
    """

    width: list[Width] = Field(default=[1.0], min_length=1)
    initializer: list[Choice] | None = Field(default=None, min_length=1)
    optimizer: list[Choice] | None = Field(default=None, min_length=1)
    regularizer: list[Literal["none", "augmentation", "dropout", "weight_decay", "all"]] | None = Field(
        default=None, min_length=1
    )
    random_labels: list[bool] | None = Field(default=None, min_length=1)
    parametrization: list[Parametrization] | None = Field(default=None, min_length=1)
    richness: list[Factor | None] | None = Field(default=None, min_length=1)
    learning_rate: list[LearningRate] | None = Field(default=None, min_length=1)
    lr_batch_factor: list[Factor] = Field(default=[1.0], min_length=1)
    epochs: list[Annotated[int, Field(ge=1, le=LARGEST)]] | None = Field(default=None, min_length=1)

    @field_validator("*")
    @classmethod
    def _values_stand_once(cls, values: Any) -> Any:
        return _once(values)


class Training(Strict):
    """How every trial is trained; see `TrialConfig` for what each key means."""

    optimizer: Choice = Choice(name="momentum")
    learning_rate: LearningRate
    batch_size: BatchSize
    schedule: Choice = Choice(name="constant")
    epochs: Epochs
    patience: Patience = None
    shuffle: bool = True
    random_labels: bool = False
    augmentation: bool = False
    dropout: Probability = 0.0
    weight_decay: WeightDecay = 0.0
    weight_average: Probability = 0.0
    precision: Precision = "float32"


class LogRange(Strict):
    """A range that is searched on a logarithmic scale."""

    low: LearningRate
    high: LearningRate

    @model_validator(mode="after")
    def _low_below_high(self) -> "LogRange":
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low} and high {self.high}")
        return self


class Space(Strict):
    """What is tuned for each group: the learning rate, the batch size or both."""

    learning_rate: LogRange | None = None
    batch_size: list[BatchSize] | None = Field(default=None, min_length=1)

    @field_validator("batch_size")
    @classmethod
    def _values_stand_once(cls, values: Any) -> Any:
        return _once(values)

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
    epochs: int = Field(ge=1, le=LARGEST)
    startup: int = Field(default=4, ge=1)
    pruning: Literal["median", "none"] = "median"
    warmup: int = Field(default=5, ge=0)

    @property
    def most(self) -> int:
        """How many different trials there are at most: of batch sizes alone, no more than there are sizes."""
        sizes, rates = self.space.batch_size, self.space.learning_rate
        return min(self.trials, len(sizes)) if sizes and rates is None else self.trials


class Variant(Strict):
    """One of several experiments in a sweep: what differs from the sweep's own sections.

    Attributes:
        name: the series that figures show it as.
        network, dataset, initializer: in place of the sweep's own.
        tune: in place of the sweep's own; false uses learning rate and batch size as they are.
        grid, training: keys that are set in the sweep's own sections; the others stay.
    """

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
    network: Choice | None = None
    dataset: Choice | None = None
    initializer: Choice | None = None
    grid: dict[str, Any] = Field(default={})
    training: dict[str, Any] = Field(default={})
    tune: Tune | Literal[False] | None = None


class Measure(Strict):
    """What is measured of every final trial: each metric with its options, on each of the splits."""

    splits: Annotated[list[Literal["train", "validation", "test"]], AfterValidator(_once)] = Field(
        default=["test"], min_length=1
    )
    metrics: dict[str, dict[str, Option]] = Field(default={"ablation": {}, "similarity": {}}, min_length=1)


class Resources(Strict):
    """What one trial occupies. Not a part of any identity.

    Attributes:
        cpus: CPU cores, and threads, of one trial. One is fastest for small networks.
        gpu: the share of a GPU by width, for example `{1/4: 0.1, 4: 0.9}`; ignored on a machine without GPUs. A width
            that is not written takes the share of the next larger one that is.
        measuring: how many finished trials are measured at the same time.
        kernel: `auto` trains AlexNet on one thread of a CPU by a compiled kernel where there are AVX512-BF16 and a C
            compiler, which is about 1.5 times as fast and rounds otherwise in the last bit; `off` never does.
        time_limit_hours: how long a trial may train, or be measured, before it is taken to hang and given up; null for
            as long as it takes. `--retry-failed` goes on from its last saved state.
    """

    cpus: int = Field(default=1, ge=1)
    gpu: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default={})
    measuring: int = Field(default=1, ge=1)
    kernel: Literal["auto", "off"] = "auto"
    time_limit_hours: float | None = Field(default=None, gt=0, le=1_000_000)  # a clock of the system's holds no more

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
