"""Training: ours, and the plain PyTorch way (`nn.LocalResponseNorm`, a DataLoader over a torchvision dataset).

python -m benchmarks.training [cpu | cuda]
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode
from torchvision.datasets import CIFAR10
from torchvision.transforms import v2 as transforms

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, Split
from autoreg.datasets.images.cifar10_images import prepare_cropped, standardised
from autoreg.networks import Network
from autoreg.networks.normalization import LocalResponseNorm
from autoreg.training.epoch import train_epoch
from autoreg.training.precision import precision_of
from autoreg.training.state import TrialState
from benchmarks.rows import Row, alternate, ratio

BATCH = 128


def config_of(name: str, width: float, precision: str = "float32") -> TrialConfig:
    """Return a trial that is trained in the stored order, so that both see the same batches."""
    return TrialConfig(
        kind="final", network=Choice(name=name), width=width, dataset=Choice(name="cifar10"),
        initializer=Choice(name="he_normal"), optimizer=Choice(name="momentum"), learning_rate=0.001,
        lr_batch_factor=1.0, random_labels=False, augmentation=False, dropout=0.0, weight_decay=0.0, patience=None,
        batch_size=BATCH, schedule=Choice(name="constant"), epochs=1, shuffle=False, replicate=0, precision=precision,
    )  # fmt: skip


def random_images(count: int, device: str) -> Dataset:
    """Return random images in the form of CIFAR-10's; what is on them makes no difference to the time."""
    generator = torch.Generator().manual_seed(0)
    stored = torch.randint(256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    train = Split(stored, torch.randint(10, (count,), generator=generator))
    few = Split(stored[:1], train.labels[:1])  # an epoch ends with the validation split, which the other side has not
    dataset = Dataset(train, few, few, (3, 32, 32), 10, "random images", prepare_cropped)
    return dataset.to(torch.device(device))


class Files(CIFAR10):
    """Torchvision's dataset with images that are in memory already."""

    def __init__(self, dataset: Dataset) -> None:
        self.data = dataset.train.inputs.permute(0, 2, 3, 1).cpu().numpy()  # type: ignore[attr-defined]
        self.targets = dataset.train.labels.tolist()
        self.target_transform = None
        self.transform = transforms.Compose(
            [
                transforms.CenterCrop(28),
                transforms.PILToTensor(),
                transforms.Lambda(lambda image: standardised(image[None].float())[0]),
                transforms.Resize(32, antialias=False),
            ]
        )


def plain(network: Network) -> nn.Sequential:
    """Return the same network of PyTorch's own parts, with the same weights."""
    stages: list[nn.Module] = []
    for stage in network.stages:
        if isinstance(stage, LocalResponseNorm):
            size = 2 * stage.radius + 1
            stages.append(nn.LocalResponseNorm(size, alpha=stage.alpha * size, beta=0.75, k=1.0))
        else:
            stages.append(stage)
    made = nn.Sequential(*stages)
    return made.to(memory_format=torch.contiguous_format)


def plain_epoch(network: nn.Module, optimizer: torch.optim.Optimizer, loader: Any, device: str) -> float:
    """Train an epoch as the tutorials do, and return the mean loss."""
    network.train()
    total, seen = 0.0, 0
    for inputs, labels in loader:
        inputs, labels = inputs.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        seen += len(labels)
    return total / seen


def product_rate(device: str, precision: str) -> float:
    """Return how many floating-point operations a second a large product of matrices does."""
    side = 8192 if device == "cuda" else 2048
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    first = torch.randn(side, side, device=device, dtype=kind)
    with precision_of(precision, torch.device(device)):
        [times] = alternate(5, lambda: (first @ first)[0, 0].item())
    return 2 * side**3 / min(times.seconds)


def seconds_of_products(action: Callable[[], None]) -> float:
    """Return how much of an action's time matrix products and convolutions take, forwards and backwards, on the CPU."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        action()
    names = ("addmm", "aten::mm", "mkldnn_convolution", "convolution_backward")
    return sum(row.self_cpu_time_total for row in profiled.key_averages() if row.key.endswith(names)) / 1e6


def compare(name: str, width: float, reach: str, steps: int, device: str, precision: str = "float32") -> Row:
    """Return the row of a network."""
    config, dataset = config_of(name, width, precision), random_images(steps * BATCH, device)
    losses: dict[str, list[float]] = {"ours": [], "plain": []}
    state = TrialState.fresh(config, dataset)
    other = plain(TrialState.fresh(config, dataset).network)
    optimizer = torch.optim.SGD(other.parameters(), lr=config.learning_rate, momentum=0.9)
    loader = DataLoader(Files(dataset), batch_size=BATCH)

    def ours() -> None:
        losses["ours"].append(train_epoch(config, dataset, state).train_loss or 0.0)

    def theirs() -> None:
        with precision_of(precision, torch.device(device)):
            losses["plain"].append(plain_epoch(other, optimizer, loader, device))

    with FlopCounterMode(display=False) as counter:
        ours()  # with what is compiled, allocated and tuned at the first step
    theirs()
    our_times, other_times = alternate(5, ours, theirs)
    worst = max(abs(a / b - 1) for a, b in zip(losses["ours"], losses["plain"], strict=True))
    if worst > (0.01 if precision == "float32" else 0.05):
        raise AssertionError(f"{name}: the losses differ by {worst:.2%}: {losses}")
    typical, text = ratio(our_times, other_times)
    images = steps * BATCH
    share = counter.get_total_flops() / our_times.typical / product_rate(device, precision)
    wanted, _, least = reach.partition("; ≥")
    products = ""
    if device == "cpu":
        alone = seconds_of_products(ours)
        products = f"; products and convolutions alone take {alone:.3g} s, {other_times.typical / alone:.2g}× as fast"
    return Row(
        what=f"training, {name} {width:g}×, {steps} steps of {BATCH}, {device}, {precision}",
        against="nn.LocalResponseNorm, DataLoader over a torchvision dataset",
        ours=f"{our_times}, {images / our_times.typical:,.0f} images/s",
        other=f"{other_times}, {images / other_times.typical:,.0f} images/s",
        ratio=text,
        reach=reach,
        reached=typical >= float(wanted.strip("≥×")) and share >= float(least.partition("%")[0] or 0) / 100,
        limit=f"{share:.0%} of the rate of a large product{products}; losses agree to {worst:.1e}",
    )


def rows(device: str) -> Iterator[Callable[[], Row]]:
    """Yield what is to be measured on a device."""
    if device == "cpu":
        yield partial(compare, "alexnet", 0.25, "≥2×", 10, device)
        yield partial(compare, "alexnet", 1.0, "≥2×", 3, device)
    else:
        yield partial(compare, "alexnet", 1.0, "≥5×", 100, device)
        yield partial(compare, "alexnet", 4.0, "≥1×; ≥40% of the matrix peak", 100, device, "bfloat16")
        yield partial(compare, "resnet56", 1.0, "≥5×", 100, device)


if __name__ == "__main__":
    torch.set_num_threads(2)
    chosen = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    if chosen == "cuda" and not torch.cuda.is_available():
        Row("a training epoch on a GPU", "the same plain loop", "", "", "", "≥5×", None, "no GPU here").emit()
    else:
        for make in rows(chosen):
            make().emit()
