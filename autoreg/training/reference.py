"""Whether a network that was loaded is the one that was trained: its logits of a few test examples tell."""

import copy
import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from autoreg.datasets import Dataset
from autoreg.errors import ConfigError, DataError
from autoreg.networks import Network
from autoreg.runs.records import TrialResult
from autoreg.training.precision import precision_of

Logits = list[list[float | None]]

#: How many test examples' logits are kept.
EXAMPLES = 8
#: Logits may differ by this share of the largest: another device rounds differently.
NEAR = 1e-3
#: Test accuracies may differ by this much: that of a trial in bfloat16 was computed in bfloat16.
NEAR_ACCURACY = 0.005


@torch.inference_mode()
def reference_logits(network: Network, dataset: Dataset, split: str = "test") -> Logits:
    """Return a network's logits of a split's first 8 examples, in float32, to 6 digits; None where not finite."""
    inputs = _first_inputs(dataset, split)
    with precision_of("float32", inputs.device):
        logits = network(inputs).tolist()
    return [[float(f"{value:.6g}") if math.isfinite(value) else None for value in row] for row in logits]


@torch.inference_mode()
def check_stages(network: Network, dataset: Dataset) -> None:
    """Raise ConfigError unless a network's stages, run as metrics run them, compute what the network does."""
    network = copy.copy(network.eval())
    network.richness = None  # f - f₀ is 0 before training, but for what rounding leaves
    inputs = _first_inputs(dataset, "train")
    with precision_of("float32", inputs.device):
        logits = _logits_in_order(network, dataset)
        reason = _other_logits(network, inputs, logits)
        few = len(inputs) // 2 or 1
        reason = reason or _difference(network(inputs[:few]), logits[:few], "without other examples beside it, ")
        if not reason and type(network).loss is Network.loss:  # whose order of modules is another
            trained, _ = network.loss(inputs, inputs.new_zeros(len(inputs), dtype=torch.long))
            reason = _difference(trained, logits, "while training, ")
    if reason:
        raise ConfigError(f"the network's stages, one after another, do not compute what it does: {reason}")


def _logits_in_order(network: Network, dataset: Dataset) -> Logits:
    """Return reference logits of the training split; ConfigError if the map registered last does not run last."""
    maps, run = network.maps(), list[nn.Module]()
    handles = [module.register_forward_hook(lambda module, *_: run.append(module)) for _, module in maps]
    logits = reference_logits(network, dataset, "train")
    for handle in handles:
        handle.remove()
    if maps and maps[-1][1] in run[:-1] and run[-1] is not maps[-1][1]:
        raise ConfigError(
            f"stage {maps[-1][0]!r}: the map that is registered last, the output layer to an initializer, must run last"
        )
    return logits


@torch.inference_mode()
def check_network(network: Network, dataset: Dataset, result: TrialResult) -> None:
    """Raise DataError unless a loaded network, run as metrics run it, computes what the trained one did.

    Its logits are compared with those of `result` by every measured layer; for an older result, which has none, its
    test accuracy is.
    """
    with precision_of("float32", dataset.test.labels.device):
        if result.logits:
            reason = _other_logits(network, _first_inputs(dataset, "test"), result.logits)
        else:
            reason = _other_accuracy(network, dataset, result)
    if reason:
        raise DataError(
            f"the network is not the one that was trained: {reason}; its function builds another one now, or it keeps "
            "something that its state_dict has not"
        )


def _other_logits(network: Network, inputs: Tensor, logits: Logits) -> str | None:
    activations = dict(network.walk(inputs))
    network(inputs.flip(0))  # what a stage remembers of a call is of other examples now
    for layer, values in activations.items():
        if reason := _difference(network.after(layer)(values), logits, f"by layer {layer!r}, "):
            return reason
    return None


def _difference(found: Tensor, logits: Logits, where: str) -> str | None:
    trained = torch.tensor([[math.nan if value is None else value for value in row] for row in logits])
    largest = float(trained.nan_to_num(0.0).abs().max())
    found = found.cpu().float()
    found = found.where(found.isfinite(), math.nan)
    if found.shape != trained.shape:
        return f"{where}logits were {tuple(trained.shape)} and are {tuple(found.shape)}"
    if torch.allclose(found, trained, rtol=0.0, atol=NEAR * largest, equal_nan=True):
        return None
    furthest = float((found - trained).abs().nan_to_num(math.inf).max())
    return f"{where}a logit is off by {furthest:.3g}, allowed {NEAR * largest:.3g}"


def _other_accuracy(network: Network, dataset: Dataset, result: TrialResult) -> str | None:
    hits, last, examples = 0, network.measured[-1], len(dataset.test)
    for inputs, labels in dataset.batches("test"):
        predicted = network.after(last)(dict(network.walk(inputs))[last]).argmax(1)
        hits += int((predicted == labels).sum())
    allowed = max(NEAR_ACCURACY, 1 / examples)  # one example may always lie between two classes
    trained = math.nan if result.test_accuracy is None else result.test_accuracy
    if abs(hits / examples - trained) <= allowed + 1e-9:
        return None
    return f"its test accuracy was {trained:.4g} and is {hits / examples:.4g}, allowed ±{allowed:.2g}"


def _first_inputs(dataset: Dataset, split: str) -> Tensor:
    few: dict[str, Any] = {split: dataset.split(split).first(EXAMPLES)}
    inputs, _ = next(replace(dataset, **few).batches(split, EXAMPLES))
    return inputs
