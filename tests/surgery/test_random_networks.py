"""Networks of random operations in random order become narrower with the logits of the masked ones, or stay whole."""

import random

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from autoreg.surgery import Anatomy
from tests.helpers.cuts import random_cuts


class Squeeze(nn.Module):
    """Multiplies each unit by a gate of its own."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(units, 3, 1), nn.Conv2d(3, units, 1)

    def forward(self, values: Tensor) -> Tensor:
        means = functional.adaptive_avg_pool2d(values, 1)
        return values * torch.sigmoid(self.up(torch.relu(self.down(means))))


class Half(nn.Module):
    """Keeps every other unit, which nothing here knows."""

    def forward(self, values: Tensor) -> Tensor:
        return values[:, ::2]


def normalized(units: int) -> nn.Module:
    norm = nn.BatchNorm2d(units)
    nn.init.normal_(norm.bias)
    return norm


#: Of so many inputs: a module, and its outputs.
MODULES = [
    *2 * [lambda units: (nn.Conv2d(units, 8, 3, padding=1), 8), lambda units: (nn.Conv2d(units, 5, 1, bias=False), 5)],
    lambda units: (nn.Conv2d(units, 2 * units, 3, padding=1, groups=units), 2 * units),
    lambda units: (normalized(units), units), lambda units: (nn.PReLU(units), units), lambda units: (nn.GELU(), units),
    lambda units: (nn.MaxPool2d(3, 1, 1), units), lambda units: (nn.AvgPool2d(3, 1, 1), units),
    lambda units: (nn.LocalResponseNorm(3, alpha=0.5), units), lambda units: (Squeeze(units), units),
    lambda units: (nn.GroupNorm(1, units), units), lambda units: (Half(), (units + 1) // 2),
]  # fmt: skip


class Random(nn.Module):
    """Applies modules to earlier values, adds, multiplies and concatenates them."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        choose = random.Random(seed)
        self.made, self.steps, units = nn.ModuleList(), [], [3]
        for _ in range(choose.randint(4, 14)):
            source, kind = choose.randrange(len(units)), choose.choice(["module"] * 6 + ["add", "multiply", "join"])
            others = [place for place, count in enumerate(units) if kind == "join" or count == units[source]]
            self.steps.append((kind, source, choose.choice(others)))
            count = units[source] + units[self.steps[-1][2]] if kind == "join" else units[source]
            module, count = choose.choice(MODULES)(count) if kind == "module" else (nn.Identity(), count)
            self.made.append(module)
            units.append(count)
        self.is_flattened = choose.random() < 0.5
        self.output = nn.Linear(units[-1] * (4 if self.is_flattened else 1), 3)

    def forward(self, inputs: Tensor) -> Tensor:
        values = [inputs]
        for module, (kind, source, other) in zip(self.made, self.steps, strict=True):
            one, two = values[source], values[other]
            values.append(
                module(one) if kind == "module"
                else one + two if kind == "add"
                else one * torch.sigmoid(two) if kind == "multiply"
                else torch.cat([one, two], 1)
            )  # fmt: skip
        last = functional.adaptive_avg_pool2d(values[-1], 2)
        logits: Tensor = self.output(last.flatten(1) if self.is_flattened else last.mean((2, 3)))
        return logits


@pytest.mark.parametrize(
    "seeds", [range(40), pytest.param(range(40, 2000), marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_a_narrower_random_network_is_the_masked_one(seeds: range) -> None:
    inputs = torch.randn(2, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    cut = whole = 0
    for seed in seeds:
        torch.manual_seed(seed)
        anatomy = Anatomy(Random(seed).double().eval(), inputs)
        for kept in (1, None):
            anatomy.narrow(random_cuts(anatomy, seed, kept))  # which compares the logits
        cut += sum(site.whole is None for site in anatomy.sites)
        whole += sum(site.whole is not None for site in anatomy.sites)
    assert cut > whole > 0
