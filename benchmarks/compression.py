"""Compression: what it costs, and the labels that stay beside Torch-Pruning's magnitude pruning.

python -m benchmarks.compression [--runs RUNS --trial TRIAL] [--width 1] [--examples 2000]

The labels are those of a trained trial, whose weights are in RUNS and whose data is in AUTOREG_DATA.
"""

import argparse
import time
from pathlib import Path

import torch
import torch_pruning
from torch import nn

from autoreg.config.factors import format_width
from autoreg.datasets import Dataset, build_dataset
from autoreg.metrics.compression import compression
from autoreg.networks.given_model import copied
from autoreg.runs.folder import Runs
from autoreg.surgery.anatomy import Anatomy
from autoreg.surgery.compress import compress_trained
from autoreg.surgery.known import MAPS
from autoreg.surgery.labelled import Labelled
from autoreg.training.loop import load_network
from benchmarks.ablation import network_of, random_images
from benchmarks.rows import Row, Times, seconds_of

UNCHANGED = 0.99


def cost(name: str, width: float, examples: int, minutes: int) -> Row:
    """Return the row of what the metric costs for a network, with all surgeries."""
    network, dataset = network_of(name, width), random_images(examples)
    busy = time.process_time()
    times = Times([seconds_of(lambda: compression(network, dataset, "test", 0, examples=examples))])
    busy = time.process_time() - busy
    return Row(
        what=f"compression of {name} {width:g}×, {examples:,} images, all surgeries",
        against="",
        ours=str(times),
        other="",
        ratio="",
        reach=f"≤{60 * minutes} s",
        reached=times.typical <= 60 * minutes if (width, examples) == (1, 2000) else None,
        limit=f"{busy:.3g} s of the processor",
    )


def by_magnitude(anatomy: Anatomy, kept: list[int]) -> nn.Module:
    """Return a model of which Torch-Pruning took the units of the smallest weights, so that so many of each site stay.

    A unit's magnitude is the norm of all weights that go with it, those that make it and those that read it.
    """
    model = copied(anatomy.model)
    importance = torch_pruning.importance.GroupMagnitudeImportance(p=2)
    for site, count in zip(anatomy.sites, kept, strict=True):
        graph = torch_pruning.DependencyGraph().build_dependency(model, example_inputs=anatomy.example)
        maker = next(each for each in model.get_submodule(f"stages.{site.name}").modules() if isinstance(each, MAPS))
        prune = torch_pruning.prune_conv_out_channels
        if isinstance(maker, nn.Linear):
            prune = torch_pruning.prune_linear_out_channels
        magnitudes = importance(graph.get_pruning_group(maker, prune, idxs=list(range(site.units))))
        gone = magnitudes.argsort()[: site.units - count].tolist()
        if gone:
            graph.get_pruning_group(maker, prune, idxs=gone).prune()
    return model


def labels(runs: Path, trial: str, examples: int) -> Row:
    """Return the row of the labels that stay when a trained network loses its units in both ways."""
    folder = Runs(runs).find(trial)
    config = folder.read_config()
    dataset: Dataset = build_dataset(config, None, "cpu")
    network = load_network(config, folder, dataset)
    asked = {"unchanged": UNCHANGED, "examples": examples}
    small = compress_trained(config, network, dataset, surgery="rebuild", **asked)
    anatomy = Anatomy(network, next(dataset.batches("test", 2))[0])
    kept = small.layers["after"].to_list()
    with torch.inference_mode():
        shown = Labelled.of(network, dataset.batches("test"))
        ours, our_accuracy = shown.compare(small.model)
    theirs = by_magnitude(anatomy, kept)
    with torch.inference_mode():
        other, other_accuracy = shown.compare(theirs)
    return Row(
        what=f"labels unchanged of {shown.examples:,}: {config.network.name} {format_width(config.width)}× "
        f"({config.initializer.name}), trained, {sum(kept)} of {sum(site.units for site in anatomy.sites)} units",
        against="Torch-Pruning, magnitude, as many units of each layer",
        ours=f"{ours:.1%} (accuracy {our_accuracy:.1%})",
        other=f"{other:.1%} (accuracy {other_accuracy:.1%})",
        ratio="",
        reach=f"≥ theirs; ≥{UNCHANGED:.0%}",
        reached=ours >= max(other, UNCHANGED),
        limit=f"the level is chosen on {examples:,} validation images by a bound of {UNCHANGED:.0%}; "
        f"accuracy before: {shown.accuracy:.1%}; units by layer: {', '.join(map(str, kept))}",
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--trial")
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--examples", type=int, default=2000)
    given = parser.parse_args()
    if given.runs:
        labels(given.runs, given.trial, given.examples).emit()
    cost("alexnet", given.width, given.examples, 3).emit()
    cost("resnet56", given.width, given.examples, 5).emit()
