"""What is taken out of models in tests, and models to take it out of."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from autoreg.surgery import Anatomy, Cut, Mend


def random_cuts(anatomy: Anatomy, seed: int, kept: int | None = None) -> dict[int, Cut]:
    """Keep so many units of each site, or a random number, and rebuild the others by random weights and offsets."""
    draw = torch.Generator().manual_seed(seed)
    cuts = {}
    for index, site in enumerate(anatomy.sites):
        if site.whole is None:
            count = int(torch.randint(1, site.units + 1, (1,), generator=draw)) if kept is None else kept
            places = torch.randperm(site.units, generator=draw)[:count].sort().values
            cuts[index] = Cut(places, tuple(mend(draw, site.units - count, count) for _ in site.reads))
    return cuts


def mend(draw: torch.Generator, removed: int, kept: int) -> Mend:
    matrix = torch.randn(removed, kept, generator=draw, dtype=torch.float64) * 0.3 / kept**0.5
    return Mend(matrix, torch.randn(removed, generator=draw, dtype=torch.float64) * 0.1)


def dropped(anatomy: Anatomy, removed: Mapping[str, Sequence[int]]) -> dict[int, Cut]:
    """Set units of sites, by name, to 0."""
    return merged(anatomy, {name: {unit: {} for unit in units} for name, units in removed.items()})


def merged(
    anatomy: Anatomy,
    removed: Mapping[str, Mapping[int, Mapping[int, float]]],
    constants: Mapping[str, Mapping[int, float]] | None = None,
) -> dict[int, Cut]:
    """Replace units by sums of others, {site: {removed: {kept: factor}}}, and constants, {site: {removed: value}}."""
    cuts = {}
    for index, site in enumerate(anatomy.sites):
        if site.name in removed:
            gone = sorted(removed[site.name])
            kept = [unit for unit in range(site.units) if unit not in gone]
            matrix = torch.zeros(len(gone), len(kept), dtype=torch.float64)
            for row, unit in enumerate(gone):
                for other, factor in removed[site.name][unit].items():
                    matrix[row, kept.index(other)] = factor
            given = (constants or {}).get(site.name, {})
            offset = torch.tensor([given.get(unit, 0.0) for unit in gone], dtype=torch.float64)
            cuts[index] = Cut(torch.tensor(kept), tuple(Mend(matrix, offset) for _ in site.reads))
    return cuts


@torch.inference_mode()
def off(one: nn.Module, other: nn.Module, inputs: Tensor) -> float:
    """How far the logits of two models are apart, in parts of the largest."""
    expected = one(inputs)
    return float((expected - other(inputs)).abs().max() / expected.abs().max())


@torch.no_grad()
def calibrated(model: nn.Module, inputs: Tensor) -> nn.Module:
    """Return a model of 64 bits in evaluation mode, with the moments of batch normalisation of these inputs."""
    model.double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train().momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)  # type: ignore[arg-type]
            nn.init.normal_(module.bias, 0, 0.3)  # type: ignore[arg-type]
    model(inputs)
    return model.eval()
