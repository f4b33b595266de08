"""What a trial leaves behind: its epochs, its layers, how it ended; and what a sweep asked for."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from autoreg.config.trial import Strict, TrialConfig, content_id
from autoreg.errors import DataError

Status = Literal["done", "failed", "diverged", "pruned"]
#: What columns of results.db hold: 32 and 64 bits.
Count = Annotated[int, Field(ge=0, lt=2**31)]
LargeCount = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


def _check_time(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"a time names its zone, got {text!r}")
    return text


Time = Annotated[str, AfterValidator(_check_time)]


class Epoch(Strict):
    """One epoch of training. Accuracies are shares in [0, 1]; a loss is None where it was not finite.

    `train_loss` and `train_accuracy` are of the batches as they were trained on (augmented, before each step); the loss
    contains that of an auxiliary classifier (`Network.loss`). `learning_rate` is that of the epoch's last step.
    """

    epoch: Annotated[Count, Field(ge=1)]
    learning_rate: float
    train_loss: float | None
    train_accuracy: Share
    validation_loss: float | None
    validation_accuracy: Share
    seconds: Seconds

    @property
    def is_finite(self) -> bool:
        """Whether the network still computes numbers."""
        return self.train_loss is not None and self.validation_loss is not None


def selection_score(config: TrialConfig, epoch: Epoch) -> float:
    """Return what epochs and settings are chosen by: accuracy on the validation split.

    With random labels it is the accuracy on the training batches, since validation labels mean nothing then (released
    code, train.py).
    """
    return epoch.train_accuracy if config.random_labels else epoch.validation_accuracy


class Layer(Strict):
    """One measured layer: its units, and at how many positions each is applied (1 for fully connected layers)."""

    layer_index: Count
    layer: str
    units: Count
    positions: Count


class DamagedResult(DataError):
    """The record of a trial's training is not what was written."""


class TrialResult(Strict):
    """What a trained trial left behind, beside its checkpoint. Accuracies are of `best_epoch`'s weights, in [0, 1].

    `logits` are those of a few test examples, [examples, classes], with None where they are not finite, by which the
    network is known again; older results and trials that are not measured have none. `initial_weights` has a number for
    each of the network's weights before training, by which they are known again; older results have none.
    """

    status: Status
    error: str | None = None
    parameters: LargeCount | None = None
    epochs_run: Count = 0
    best_epoch: Annotated[Count, Field(ge=1)] | None = None
    train_accuracy: Share | None = None
    validation_accuracy: Share | None = None
    test_accuracy: Share | None = None
    seconds: Seconds = 0.0
    device: str | None = None
    finished_at: Time
    environment: dict[str, str] = Field(default_factory=dict)
    layers: list[Layer] = Field(default_factory=list)
    logits: list[list[float | None]] = Field(default_factory=list)
    initial_weights: list[float | None] = Field(default_factory=list)
    epochs: list[Epoch] = Field(default_factory=list)

    def sealed(self, trial_id: str) -> dict[str, Any]:
        """Return its fields with its trial's id, and a hash of all that, that a reader checks."""
        fields = {"trial_id": trial_id, **self.model_dump(mode="json")}
        return {**fields, "digest": content_id(fields)}

    @model_validator(mode="before")
    @classmethod
    def _unseal(cls, fields: Any, info: ValidationInfo) -> Any:
        """Check and take off what `sealed` adds, where the context names a trial; the first versions added nothing."""
        if info.context is None or not isinstance(fields, dict) or "digest" not in fields:
            return fields
        trial_id, wanted = fields.pop("trial_id", None), fields.pop("digest")
        if content_id({"trial_id": trial_id, **fields}) != wanted:
            raise ValueError("its content is not what was written, as its digest says")
        if trial_id != info.context["trial_id"]:
            raise ValueError(f"it is of trial {trial_id}, not of {info.context['trial_id']}")
        return fields

    @classmethod
    def failed(cls, error: str) -> "TrialResult":
        """Return the result of a trial that an error ended just now; its first line says what is wrong."""
        finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        readable = error.strip().encode(errors="backslashreplace").decode()  # JSON is not read with a lone surrogate
        return cls(status="failed", error=readable, finished_at=finished_at)


class SweepGroup(Strict):
    """A network at one size with one setting of the grid; `variant` is None in a sweep without variants."""

    group_id: str
    variant: str | None
    network: str
    dataset: str
    width: float
    epochs: Count
    parameters: LargeCount


class SweepTrial(Strict):
    """A trial that a sweep asks for."""

    trial_id: str
    group_id: str
    kind: str


class SweepMeasurement(Strict):
    """A measurement that a sweep asks for, of each of its final trials."""

    metric: str
    split: str
    measurement_id: str


class SweepRecord(Strict):
    """What the run folder keeps of a sweep; records of the first versions have no groups."""

    sweep_id: str
    name: str
    figures: list[str]
    definition: dict[str, Any]
    updated_at: Time
    sweep_groups: list[SweepGroup] = Field(default_factory=list)
    sweep_trials: list[SweepTrial] = Field(default_factory=list)
    sweep_measurements: list[SweepMeasurement] = Field(default_factory=list)
