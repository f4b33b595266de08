"""A network that was widened by copies, its weights split among them, needs the narrow one's units and no more."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import Choice, TrialConfig
from autoreg.networks import Network
from autoreg.networks.build import build_network
from autoreg.networks.network import MAPS
from autoreg.surgery.anatomy import Anatomy
from autoreg.surgery.levels import NOTHING
from autoreg.surgery.surgeon import examine

Config = Callable[..., TrialConfig]
INPUTS = {
    "mlp": (10,), "alexnet": (3, 28, 28), "resnet56": (3, 28, 28), "resnet18": (3, 64, 64),
    "inception_v3": (3, 299, 299),
}  # fmt: skip
#: How strong the parts are that cancel, by the network's weights. Rounding grows by so much from layer to layer.
STRENGTH = {"mlp": 20.0, "alexnet": 20.0}
#: What reads the sums of local response normalisation, in which copies differ: its weights are split in halves.
IN_HALVES = ("stages.conv2.0", "stages.fc3.0")


def pair(config: Config, name: str) -> tuple[Network, Network, Tensor]:
    """A network, one of twice its width in which units 2i and 2i + 1 are its unit i, and inputs."""
    torch.manual_seed(1)
    made = config(network=Choice(name=name), width=0.25)
    narrow = build_network(made, INPUTS[name], 10)
    inputs = torch.randn(5 if name == "inception_v3" else 12, *INPUTS[name]).double()
    narrow(inputs.float())  # batch normalisation sees activations
    narrow = narrow.double().eval()
    wide = build_network(made.model_copy(update={"width": 0.5}), INPUTS[name], 10).double().eval()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for (path, small), (_, large) in zip(narrow.named_modules(), wide.named_modules(), strict=True):
            for key, values in [*small.named_parameters(recurse=False), *small.named_buffers(recurse=False)]:
                target, is_map = getattr(large, key), isinstance(small, MAPS)
                if values.ndim and target.shape[0] == 2 * values.shape[0]:
                    values = values.repeat_interleave(2, 0)
                if is_map and key == "weight" and target.shape[1] != values.shape[1]:
                    strength = 0.0 if name == "alexnet" and path in IN_HALVES else STRENGTH.get(name, 0.05)
                    positions = values.shape[1] // len(narrow.stages.conv2[0].weight) if path == "stages.fc3.0" else 1
                    values = split(values, positions, strength, generator)
                target.copy_(values)
    return narrow, wide, inputs


def split(weight: Tensor, positions: int, strength: float, generator: torch.Generator) -> Tensor:
    """Split weights among the two copies of each input unit, which has so many positions."""
    by_unit = weight.unflatten(1, (-1, positions))
    change = strength * by_unit.std() * torch.randn(by_unit.shape, generator=generator, dtype=by_unit.dtype)
    return torch.stack([by_unit / 2 + change, by_unit / 2 - change], 2).flatten(1, 3)


def free(network: Network, inputs: Tensor) -> tuple[dict[str, int], nn.Module]:
    """Merge what can be merged for nothing, and return how many units are left of each site, and the network."""
    anatomy = Anatomy(network, inputs[:2])
    surgeon = examine(anatomy, [inputs], examples=len(inputs), threshold=0.5, seed=0)
    counts = surgeon.within("merge", NOTHING)
    left = {site.name: site.units - count for site, count in zip(anatomy.sites, counts, strict=True)}
    return left, anatomy.narrow(surgeon.cuts("merge", counts))


@pytest.mark.parametrize("name", ["mlp", "resnet56", "resnet18", pytest.param("inception_v3", marks=pytest.mark.slow)])
@torch.inference_mode()
def test_copies_are_taken_out_to_the_last(config: Config, name: str) -> None:
    narrow, wide, inputs = pair(config, name)
    expected = narrow(inputs)
    near = 1e-9 * expected.abs().max()
    assert (wide(inputs) - expected).abs().max() < near
    needed, _ = free(narrow, inputs)
    left, found = free(wide, inputs)
    assert left == needed
    assert sum(left.values()) > 10
    assert (found(inputs) - expected).abs().max() < near


@torch.inference_mode()
def test_copies_before_a_local_response_normalisation_are_taken_out_at_a_small_difference(config: Config) -> None:
    narrow, wide, inputs = pair(config, "alexnet")
    needed, _ = free(narrow, inputs)
    left, found = free(wide, inputs)
    assert left == needed
    expected = wide(inputs)
    off = (found(inputs) - expected).abs().max() / expected.abs().max()
    assert 1e-9 < off < 1e-3  # copies change the sums over neighbours, and stand at different places in them
