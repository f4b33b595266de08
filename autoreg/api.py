"""Sweeps and trained networks for Python and notebooks."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.sweep_file import load_sweep as _load_file
from autoreg.config.trial import TrialConfig
from autoreg.database.scores import Measures
from autoreg.datasets import Dataset, Split, forget_datasets
from autoreg.datasets.given import checked_labels, given_dataset, given_examples
from autoreg.errors import ConfigError, did_you_mean
from autoreg.metrics import metrics
from autoreg.metrics.finite import finite_activations
from autoreg.metrics.metric import default_metrics
from autoreg.metrics.progress import Progress
from autoreg.networks import Network
from autoreg.networks.given_model import device_and_type
from autoreg.networks.wrapped import wrap
from autoreg.orchestrator.plan import Plan, check_resources, make_plan
from autoreg.orchestrator.ray_runtime.kept_state import kept_state
from autoreg.orchestrator.recorder import Summary
from autoreg.orchestrator.run import run_sweep
from autoreg.packaged import find_sweep
from autoreg.runs.describe import describe
from autoreg.runs.folder import Runs
from autoreg.runs.records import TrialResult
from autoreg.surgery.compress import EXAMPLES, compress_model, compress_trained
from autoreg.surgery.small import Small
from autoreg.training.loop import layers_of
from autoreg.training.trained import load_trained


def load_sweep(name: str | os.PathLike[str] | Mapping[str, Any], *overrides: str) -> LoadedSweep:
    """Return a sweep, read and checked: `plan` says what it costs, `run` runs it.

    Args:
        name: a YAML file; the name of a packaged sweep: `quickstart`; or a dict of what would stand in a file.
        overrides: `key=value` texts as the command line's `--set` takes them: `training.epochs=3`.

    Raises:
        ConfigError: there is no such sweep, or a key breaks a rule; it names file, line, key and what is allowed.
    """
    return _load_file(name if isinstance(name, Mapping) else find_sweep(str(name)), overrides)


def plan(sweep: LoadedSweep | str | os.PathLike[str] | Mapping[str, Any]) -> Plan:
    """Return a sweep that can run: every name known, every option valid, its data there, its parameters counted.

    Raises:
        ConfigError: a network, dataset, option, … is unknown or does not fit.
        DataError: its data is missing or damaged.
    """
    loaded = sweep if isinstance(sweep, LoadedSweep) else load_sweep(sweep)
    forget_datasets()
    with kept_state(lambda _: None):  # what a network's function sets is not to stay in the process of the caller
        return make_plan(loaded)


def run(
    sweep: Plan | LoadedSweep | str | os.PathLike[str] | Mapping[str, Any],
    *,
    database: str | os.PathLike[str] = "results.db",
    runs: str | os.PathLike[str] = "runs",
    address: str | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Train and measure what is not done yet of a sweep, as `autoreg sweep` does, and say how it ended.

    Args:
        sweep: a plan, a loaded sweep, or what `load_sweep` takes.
        database: results.db, made if it is not there.
        runs: the run folder.
        address: a Ray cluster to join; None starts Ray on this machine.
        retry_failed: train failed trials of this sweep again.

    Raises:
        ConfigError, DataError, DatabaseError: see `load_sweep`, `plan` and `autoreg.orchestrator.run.run_sweep`.
    """
    if not isinstance(sweep, Plan):
        loaded = sweep if isinstance(sweep, LoadedSweep) else load_sweep(sweep)
        if not address:
            check_resources(loaded)
        sweep = plan(loaded)
    return run_sweep(sweep, Runs(Path(runs)), Path(database), address, retry_failed)


@dataclass(frozen=True)
class Trial:
    """A trained trial.

    Attributes:
        config: all that decides how it was trained.
        result: how its training ended.
        network: with its trained weights, in evaluation mode, on the CPU.
        dataset: what it was trained on; `dataset.batches("test")` gives (inputs, labels) as the network takes them.
    """

    config: TrialConfig
    result: TrialResult
    network: Network
    dataset: Dataset

    def __repr__(self) -> str:
        accuracy = self.result.test_accuracy
        ending = self.result.status if accuracy is None else f"test accuracy {accuracy:.1%}"
        layers = ", ".join(f"{layer.layer} {layer.units}" for layer in self.result.layers)
        return f"<trial {self.config.trial_id}: {describe(self.config)}, {ending}; units: {layers or 'not counted'}>"


def load_trial(
    trial: str, *, runs: str | os.PathLike[str] = "runs", data: str | os.PathLike[str] | None = None
) -> Trial:
    """Return a trained trial of a run folder.

    Args:
        trial: its id, or the beginning of it if no other trial has the same.
        runs: the run folder.
        data: the folder that holds data; None for AUTOREG_DATA.

    Raises:
        ConfigError: there is no such trial, or more than one.
        DataError: it has no result yet, its checkpoint or its data is missing, damaged or not what it was trained on,
            or the network that its function builds now does not compute what the trained one did.
    """
    folder = Runs(Path(runs)).find(trial)
    forget_datasets()
    with kept_state(lambda _: None):
        config, result, dataset, network = load_trained(folder, Path(data) if data is not None else None)
    return Trial(config, result, network, dataset)


def measure_model(
    model: nn.Module,
    inputs: Any,
    labels: Any = None,
    *,
    seed: int = 0,
    batch_size: int = 250,
    logits: str | int | None = None,
    layers: Sequence[str] | None = None,
    **options: Any,
) -> Measures:
    """Return the removable and the repeated units of a trained model, which is not changed.

    On a terminal and in a notebook, what takes more than a few seconds says on stderr how far it is.

        measured = autoreg.measure_model(torchvision.models.resnet18(weights="DEFAULT"), inputs, labels)
        measured.by_layer()  # layer, units, auc, similar_units, dead_share

    Args:
        model: of one input and one output, logits, [examples, classes], of two classes or more; it is cut into layers
            by `autoreg.networks.wrapped.wrap`, or is a `Network`. One of 16 bits is measured with 32.
        inputs: examples as the model takes them, [examples, …], in a tensor, an array or lists; or a DataLoader of
            (inputs, labels). They are held in memory, on the model's device.
        labels: true labels, whole numbers from 0, [examples] or [examples, 1]; without them accuracies are NaN.
            Unchanged labels need none.
        seed: of the random choices.
        batch_size: how many examples are passed at once; all activations of a batch are held.
        logits: which of a model's outputs they are, the key of a dict or the place in a tuple; None if it has one.
        layers: paths of the modules whose outputs are measured, as `model.named_modules()` has them:
            `["encoder.layers.encoder_layer_0.mlp.1"]`; with hooks, so that the model need not be cut. `path:1` is the
            second run of a module. None for all activations through which all that follows passes.
        options: of the metrics, each for all that have it, as `autoreg list metrics` names them: `samples=1`.

    Raises:
        ConfigError: the model cannot be cut into layers, or does not take the inputs; labels are none of its classes;
            no metric has such an option.
        DataError: activations are not finite; it names the layer.
    """
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ConfigError(f"batch_size is a whole number from 1, got {batch_size!r}")
    known = {option for name in default_metrics() for option in metrics.options(name)}
    if unknown := sorted(options.keys() - known):
        raise ConfigError(f"no metric has an option {unknown[0]!r}{did_you_mean(unknown[0], known)}")
    device, dtype = device_and_type(model)
    inputs, labels = given_examples(inputs, labels, dtype)
    network = wrap(model, inputs[:2].to(device), logits, layers).to(device).eval()
    if inputs.dtype in (torch.float16, torch.bfloat16):
        inputs = inputs.float()
    with torch.inference_mode():
        classes = network(inputs[:1].to(device)).shape[1]
    true = torch.zeros(len(inputs), dtype=torch.int64) if labels is None else checked_labels(labels, classes)
    split = Split(inputs, true).to(device)
    progress = Progress(len(inputs))
    dataset = replace(given_dataset([split, split, split], classes, batch_size), prepare=progress.prepare)
    rows = {}
    for name in default_metrics():
        progress.begin(name)
        taken: dict[str, Any] = {option: given for option, given in options.items() if option in metrics.options(name)}
        checked = metrics.check_options(name, taken)
        with finite_activations(network, "given"):
            rows[name] = metrics[name](network, dataset, "test", seed, **checked)
        if labels is None and "accuracy" in rows[name].columns:
            rows[name] = rows[name].with_columns(accuracy=math.nan)
    return Measures(rows, layers_of(network, dataset))


def compress(
    model: nn.Module | Trial,
    inputs: Any = None,
    labels: Any = None,
    unchanged: float = 0.99,
    surgery: str = "rebuild",
    *,
    seed: int = 0,
    examples: int | None = EXAMPLES,
) -> Small:
    """Return a trained model with as few units as keep its labels, really narrower; the model is not changed.

        small = autoreg.compress(model, inputs, labels, unchanged=0.99)
        small.save("small.pt")  # for autoreg.narrow(fresh_model, "small.pt")

    A third of the inputs, drawn at random, says which units go and what stands for them; a third chooses how far, the
    most for which the one-sided 95 % lower bound of the share of unchanged labels reaches `unchanged`; a third judges.
    Of a trial these are its splits for training, validation and test.

    Args:
        model: in evaluation mode, of one input and one output, logits, [examples, classes]; or a trial, without inputs.
        inputs: examples as the model takes them, [examples, …], in a tensor, an array or lists; or a DataLoader of
            (inputs, labels). They are held in memory, on the model's device.
        labels: true labels, whole numbers from 0, [examples]; without them there is no accuracy.
        unchanged: share of the labels that is to stay, in (0, 1]; 0.99 takes 897 inputs or more.
        surgery: `drop`, `merge`, `either` or `rebuild`, which can do the most.
        seed: of the random choices; a trial's is the number of its replicate.
        examples: how many of each third or split are looked at, at most; None for all.

    Raises:
        ConfigError: the model is in training mode, cannot be traced, does not take the inputs, or has no units that may
            be taken out; an argument is out of its range.
        DataError: activations or logits are not finite.
    """
    if isinstance(model, Trial):
        if inputs is not None or labels is not None:
            raise ConfigError("a trial is compressed on its own data, without inputs and labels beside it")
        trained = model.config, model.network, model.dataset
        return compress_trained(*trained, unchanged=unchanged, surgery=surgery, examples=examples)
    return compress_model(model, inputs, labels, unchanged=unchanged, surgery=surgery, seed=seed, examples=examples)
