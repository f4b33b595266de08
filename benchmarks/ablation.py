"""Ablation curves: ours, and a full forward pass with hooks for every layer, fraction and sample, as the authors did.

python -m benchmarks.ablation [EXAMPLES]
"""

import sys
from itertools import product

import polars as pl
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autoreg.config.trial import Choice
from autoreg.datasets import Dataset, Split
from autoreg.metrics.ablation import ablation
from autoreg.networks import Network, networks
from autoreg.networks.initializers import initialize
from autoreg.seeds import derive_seed
from benchmarks.rows import Row, Times, alternate, ratio

SAMPLES, FRACTIONS, REPETITIONS = 3, 7, 3


def random_images(count: int) -> Dataset:
    """Return random images; what is on them makes no difference to the time."""
    generator = torch.Generator().manual_seed(0)
    split = Split(torch.randn(count, 3, 32, 32, generator=generator), torch.randint(10, (count,), generator=generator))
    return Dataset(split, split, split, (3, 32, 32), 10, "random images")


def network_of(name: str, width: float) -> Network:
    """Return a network whose labels depend on the image, so that a dropped unit shows."""
    network = networks[name](width, (3, 32, 32), 10, 0.0)
    initialize(network, Choice(name="he_normal"), 0)
    network.eval()
    with torch.inference_mode():
        network.stages.output.bias -= network(random_images(200).test.inputs).mean(0)
    return network


class Mask(nn.Module):
    """A forward hook that sets the first `count` units of an order to zero."""

    def __init__(self, order: Tensor, step: int) -> None:
        super().__init__()
        self.kept = (order >= order.numel() * step // (FRACTIONS - 1)).float()

    def forward(self, module: nn.Module, given: object, output: Tensor) -> Tensor:
        """Return the masked output."""
        return output * self.kept


@torch.inference_mode()
def with_hooks(network: Network, dataset: Dataset) -> dict[tuple[str, str, str | None, int, int], float]:
    """Return the share of unchanged labels by (scope, granularity, layer, sample, step): one pass for each."""
    batch = next(dataset.batches("test"))[0]
    shapes = {layer: values.shape[1:] for layer, values in network.walk(batch[:1])}
    base = torch.cat([network(inputs).argmax(1) for inputs, _ in dataset.batches("test")])

    def order_of(layer: str, granularity: str, sample: int) -> Tensor:
        shape = shapes[layer]
        if granularity == "kernel" or shape[1:].numel() == 1:
            granularity, shape = "kernel", torch.Size([shape[0], *(1 for _ in shape[1:])])
        generator = torch.Generator().manual_seed(derive_seed(0, "ablation", layer, granularity, sample))
        return torch.randperm(shape.numel(), generator=generator).reshape(shape)

    found = {}
    for granularity, layer in product(("kernel", "application"), (*network.measured, None)):
        if layer and granularity == "application" and shapes[layer][1:].numel() <= 1:
            continue  # the same numbers as for whole units
        for sample, step in product(range(SAMPLES), range(FRACTIONS)):
            masked = [layer] if layer else network.measured
            handles = [
                getattr(network.stages, name).register_forward_hook(Mask(order_of(name, granularity, sample), step))
                for name in masked
            ]
            labels = torch.cat([network(inputs).argmax(1) for inputs, _ in dataset.batches("test")])
            for handle in handles:
                handle.remove()
            key = ("layer" if layer else "network", granularity, layer, sample, step)
            found[key] = (labels == base).double().mean().item()
    return found


def flops(action: object) -> int:
    """Return how many floating-point operations something takes."""
    with FlopCounterMode(display=False) as counter:
        action()  # type: ignore[operator]
    return int(counter.get_total_flops())


@torch.inference_mode()
def forward(network: Network, dataset: Dataset) -> None:
    """Pass all images through the network."""
    for inputs, _ in dataset.batches("test"):
        network(inputs)


def compare(name: str, width: float, reach: float, examples: int) -> Row:
    """Return the row of a network."""
    network, dataset = network_of(name, width), random_images(examples)
    frame: list[pl.DataFrame] = []
    hooks: list[dict[tuple[str, str, str | None, int, int], float]] = []

    def ours() -> None:
        frame.append(ablation(network, dataset, "test", 0, fractions=FRACTIONS, samples=SAMPLES))

    def pass_through() -> None:
        forward(network, dataset)

    pass_through()
    our_times, passes = alternate(REPETITIONS, ours, pass_through)
    [other_times] = alternate(1, lambda: hooks.append(with_hooks(network, dataset)))
    rows = {
        (scope, granularity, layer, sample, round(fraction * (FRACTIONS - 1))): unchanged
        for scope, granularity, layer, sample, fraction, unchanged, _ in frame[0].iter_rows()
    }
    worst = max(abs(rows[key] - value) for key, value in hooks[0].items())
    if worst > 2.5 / examples:
        raise AssertionError(f"{name}: the curves differ by up to {worst}")
    floor = passes.typical * flops(ours) / flops(pass_through)
    typical, text = ratio(our_times, Times(other_times.seconds * REPETITIONS))
    over = our_times.typical / floor
    return Row(
        what=f"ablation curves, {name} {width:g}×, {examples} images, {SAMPLES} samples × {FRACTIONS} fractions",
        against="a full pass with hooks for each",
        ours=str(our_times),
        other=str(other_times),
        ratio=text,
        reach=f"≥{reach:g}×; ≤1.3× of the suffixes' FLOPs",
        reached=typical >= reach and over <= 1.3,
        limit=f"the FLOPs left need {floor:.3g} s at the forward pass's rate: {over:.2f}×",
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 250
    compare("alexnet", 0.5, 5, count).emit()
    compare("resnet56", 0.25, 3, count).emit()
