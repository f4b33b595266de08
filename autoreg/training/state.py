"""How far a trial's training has come, saved so that it can go on."""

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.networks import Network
from autoreg.networks.compiled import Kernel
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import Epoch, selection_score
from autoreg.training import checkpoints
from autoreg.training.generators import drawn_so_far
from autoreg.training.initial import drawn_network, is_near, sketch
from autoreg.training.optimizers import build_optimizer

Weights = tuple[Tensor, ...] | list[Tensor]


@dataclass
class BegunEpoch:
    """What the steps of an epoch have come to so far.

    Attributes:
        loss: sum over the examples seen, on their device.
        correct: how many of them were classified correctly, on their device.
        steps: how many were made.
        seen: examples.
        learning_rate: of the last step.
        seconds: that they took.
        drawn: where the random generators stood, if the state was loaded.
    """

    loss: Tensor
    correct: Tensor
    steps: int = 0
    seen: int = 0
    learning_rate: float = 0.0
    seconds: float = 0.0
    drawn: dict[str, Any] = field(default_factory=dict)


@dataclass
class TrialState:
    """A trial in training: its network and optimizer, its history and its best weights.

    With `weight_average`, `average` holds a second network, whose weights follow those of the first. `has_kernel` says
    whether it is trained by the compiled kernel, see `autoreg.training.fast_path`. By `drawn` the initial weights are
    known again. Between the first and the last step of an epoch, `begun` says how far it is.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    average: AveragedModel | None = None
    drawn: list[float | None] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    best_score: float = -1.0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    has_kernel: bool = False
    begun: BegunEpoch | None = None

    @classmethod
    def fresh(cls, config: TrialConfig, dataset: Dataset) -> Self:
        """Return a trial before its first epoch, on the dataset's device."""
        network = drawn_network(config, dataset)
        drawn = sketch(network)
        network.to(dataset.train.labels.device)
        if config.richness is not None:
            network.train_from(deepcopy(network), config.richness)
        average = averaged(network, config.weight_average) if config.weight_average else None
        return cls(network, build_optimizer(config, network), average, drawn)

    @property
    def kept(self) -> Network:
        """The network that is validated and kept: that with averaged weights, if there is one."""
        return self.network if self.average is None else cast(Network, self.average.module)

    @classmethod
    def resumed(cls, config: TrialConfig, dataset: Dataset, *folders: TrialFolder) -> tuple[Self, str | None]:
        """Return the trial as `save` left it in the first folder that has a state, and what the record is to say of it.

        Without a state, or with damaged ones only, the trial is a fresh one.

        Args:
            config: the trial.
            dataset: its dataset, on its device.
            folders: its own, and that of the shorter trial that it goes on from.
        """
        problems = []
        for folder in folders:
            for path in (folder.resume_path, folder.previous_resume_path):
                if not path.is_file():
                    continue
                state = cls.fresh(config, dataset)
                try:
                    state.load(path, folder.trial_id, dataset.fingerprints)
                except DataError as error:
                    problems.append(str(error))
                    if isinstance(error, checkpoints.DamagedCheckpoint):
                        path.unlink()  # or it would take the place of the one before when the next is saved
                    continue
                source = "" if folder.trial_id == config.trial_id else f" of {folder.trial_id}"
                steps = f" and {state.begun.steps} steps" if state.begun else ""
                return state, "; ".join([*problems, f"continued after epoch {len(state.epochs)}{steps}{source}"])
        return cls.fresh(config, dataset), "; ".join([*problems, "trained from the start"]) if problems else None

    def set_kernel(self, kernel: Kernel | None) -> None:
        """Have the trial trained by a compiled kernel, and its weights updated by a fused one, or by neither."""
        self.network.training_kernel, self.has_kernel = kernel, kernel is not None
        if type(self.optimizer) is torch.optim.SGD:
            for group in self.optimizer.param_groups:
                group["fused"] = self.has_kernel or None

    def add(self, epoch: Epoch, config: TrialConfig) -> None:
        """Note an epoch, and keep its weights if they are the best so far.

        Without early stopping the last weights are kept, which need no copy.
        """
        self.epochs.append(epoch)
        self.begun = None
        score = selection_score(config, epoch)
        if epoch.is_finite and (config.patience is None or score > self.best_score):
            self.best_epoch, self.best_score = epoch.epoch, score
            if config.patience is not None:
                self.best_weights = {name: value.clone() for name, value in self.kept.state_dict().items()}

    def is_finished(self, config: TrialConfig) -> bool:
        """Whether all epochs are trained; with early stopping also once patience ends or random labels are learnt."""
        done = len(self.epochs)
        if done >= config.epochs:
            return True
        if config.patience is None:
            return False
        if config.random_labels and done and self.epochs[-1].train_accuracy == 1.0:
            return True
        return done - (self.best_epoch or 0) >= config.patience

    def falls_behind(self, config: TrialConfig, prune_below: Sequence[float | None]) -> bool:
        """Whether the best score so far is below what this epoch asks for."""
        done = len(self.epochs)
        wanted = prune_below[done - 1] if done <= len(prune_below) else None
        return wanted is not None and max(selection_score(config, epoch) for epoch in self.epochs) < wanted

    def save(self, folder: TrialFolder, config: TrialConfig, data: str) -> None:
        """Write everything that the next step depends on; random states of an epoch's first derive from its number.

        The state saved before is kept until the next one is.

        Args:
            folder: of the trial.
            config: the trial.
            data: the dataset's fingerprint.
        """
        begun = self.begun
        with suppress(FileNotFoundError):
            folder.resume_path.replace(folder.previous_resume_path)
        checkpoints.save(
            folder.resume_path,
            {
                "trial_id": config.trial_id,
                "data": data,
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.state_dict() if self.average is not None else {},
                "epochs": [epoch.model_dump() for epoch in self.epochs],
                "best_epoch": self.best_epoch,
                "best_score": self.best_score,
                "best_weights": self.best_weights,
                "has_kernel": self.has_kernel,
                "drawn": self.drawn,
                "begun": {**asdict(begun), "drawn": drawn_so_far(begun.loss.device)} if begun else None,
            },
        )

    def load(self, path: Path, trial_id: str, data: Sequence[str]) -> None:
        """Continue from what `save` wrote. Raises DataError if it is damaged or of another trial, data or draw."""
        content = checkpoints.load(path)
        try:
            if content["trial_id"] != trial_id:
                raise DataError(f"{path.name} is of another trial, {content['trial_id']}")
            if content["data"] not in data:
                raise DataError(f"{path.name} is of other data")
            self.drawn = content.get("drawn", [])  # states of earlier versions say nothing of it, nor of a kernel
            if self.network.richness is not None and not is_near(self.network, self.drawn):
                raise DataError(f"{path.name} is of other initial weights than are drawn now, which richness subtracts")
            self.epochs = [Epoch(**epoch) for epoch in content["epochs"]]
            self.network.load_state_dict(content["network"])
            self.optimizer.load_state_dict(content["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(content["average"])
            self.best_epoch, self.best_score = content["best_epoch"], content["best_score"]
            self.best_weights = content["best_weights"]
            self.has_kernel = content.get("has_kernel", False)
            begun = content.get("begun")  # states of earlier versions were saved between epochs
            self.begun = BegunEpoch(**begun) if begun else None
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, torch.OutOfMemoryError | torch.AcceleratorError):  # the state is not to blame
                raise
            raise checkpoints.DamagedCheckpoint(f"{path.name} does not fit the trial") from error


def averaged(network: Network, decay: float) -> AveragedModel:
    """Return a copy of the network whose weights become a running average of its weights, step by step.

    As in TensorFlow, the decay begins with (1 + step) / (10 + step), so that the first weights are soon forgotten. The
    statistics of batch normalisation, which are averages already, are copied.
    """

    def update(averages: Weights, current: Weights, steps: Tensor | int) -> None:
        done = int(steps)
        average = get_ema_multi_avg_fn(min(decay, (1 + done) / (10 + done)))  # type: ignore[no-untyped-call]
        average(averages, current, steps)

    return AveragedModel(network, multi_avg_fn=update)
