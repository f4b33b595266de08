"""Where what is taken out adds nothing of its own, the narrower network gives the logits of the one before."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from autoreg.networks import networks
from autoreg.networks.normalization import LocalResponseNorm
from autoreg.surgery import Anatomy
from autoreg.surgery.placed_lrn import PlacedLRN
from tests.helpers.cuts import calibrated, dropped, merged, off

DRAW = torch.Generator().manual_seed(0)
EXAMPLES = torch.randn(90, 8, dtype=torch.float64, generator=DRAW)
U, V = (torch.randn(8, 8, dtype=torch.float64, generator=DRAW) for _ in range(2))
W, ETA = (torch.randn(3, 8, dtype=torch.float64, generator=DRAW) for _ in range(2))
NOTHING = torch.zeros(3, 8, dtype=torch.float64)
GAMMA = torch.linspace(0.5, 2, 8, dtype=torch.float64)


def network_of(first: Tensor, second: Tensor, is_convolution: bool) -> tuple[nn.Module, Tensor]:
    """Return examples → these units → logits; or the same at each of nine positions."""
    if is_convolution:
        maps: list[nn.Module] = [nn.Conv2d(8, len(first), 1), nn.Conv2d(len(first), 3, 1)]
        model = nn.Sequential(maps[0], nn.ReLU(), maps[1], nn.Flatten())
    else:
        maps = [nn.Linear(8, len(first)), nn.Linear(len(first), 3)]
        model = nn.Sequential(maps[0], nn.ReLU(), maps[1])
    with torch.no_grad():
        for module, weight in zip(maps, (first, second), strict=True):
            module.weight = nn.Parameter(weight.reshape(module.weight.shape))  # type: ignore[arg-type]
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return model.double().eval(), EXAMPLES.reshape(10, 3, 3, 8).movedim(-1, 1) if is_convolution else EXAMPLES


@pytest.mark.parametrize("is_convolution", [False, True], ids=["linear", "convolution"])
@pytest.mark.parametrize(
    ("first", "second", "factor"),
    [
        (torch.cat([U, U]), torch.cat([W, NOTHING], 1), None),
        (torch.cat([U, torch.zeros_like(U)]), torch.cat([W, W], 1), None),
        (torch.cat([U, V]), torch.cat([W, NOTHING], 1), None),
        (torch.cat([U, U]), torch.cat([W / 2 + ETA, W / 2 - ETA], 1), torch.ones(8)),
        (torch.cat([U, GAMMA[:, None] * U]), torch.cat([W - ETA * GAMMA, ETA], 1), GAMMA),
    ],
    ids=["copied and silent", "dead", "silent", "copied", "scaled"],
)
def test_the_constructions_of_section_2_3_become_the_small_network(
    first: Tensor, second: Tensor, factor: Tensor | None, is_convolution: bool
) -> None:
    small, inputs = network_of(U, W, is_convolution)
    large, _ = network_of(first, second, is_convolution)
    anatomy = Anatomy(large, inputs)
    combinations = {8 + unit: {} if factor is None else {unit: float(factor[unit])} for unit in range(8)}
    narrower = anatomy.narrow(merged(anatomy, {"0": combinations}))
    assert [tuple(values.shape) for values in narrower.state_dict().values()] == [
        tuple(values.shape) for values in small.state_dict().values()
    ]
    assert off(small, narrower, inputs) < 1e-12


def resnet() -> tuple[nn.Module, Tensor]:
    inputs = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    return calibrated(networks["resnet56"](0.25, (3, 16, 16), 10, 0.0), inputs), inputs


def test_what_is_constant_is_so_at_the_border_of_an_image_too() -> None:
    network, inputs = resnet()
    norm = network.get_submodule("stages.block1.3.bn1")
    with torch.no_grad():
        norm.weight[1], norm.bias[1] = 0, 0.7  # type: ignore[index, operator]
    anatomy = Anatomy(network, inputs)
    site = "block1.3.conv1"
    narrower = anatomy.narrow(merged(anatomy, {site: {1: {}}}, {site: {1: 0.7}}))
    assert off(network, narrower, inputs) < 1e-12
    assert off(network, anatomy.narrow(dropped(anatomy, {site: [1]})), inputs) > 1e-6


def test_a_copy_within_a_residual_stream_is_taken_out_of_all_its_blocks() -> None:
    network, inputs = resnet()
    copied, of = 2, 0
    with torch.no_grad():
        for path, module in network.named_modules():
            if path.startswith("stages.block2.") and path.endswith((".bn2", "downsample.1")):
                for values in (module.weight, module.bias, module.running_mean, module.running_var):
                    values[copied] = values[of]  # type: ignore[index]
            if path.startswith("stages.block2.") and path.endswith((".conv2", "downsample.0")):
                module.weight[copied] = module.weight[of]  # type: ignore[index]
    anatomy = Anatomy(network, inputs)
    narrower = anatomy.narrow(merged(anatomy, {"block2": {copied: {of: 1.0}}}))
    assert off(network, narrower, inputs) < 1e-12


def test_dead_units_leave_their_places_in_local_response_normalisation() -> None:
    inputs = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    network = networks["alexnet"](0.25, (3, 16, 16), 10, 0.0).double().eval()
    dead = {"conv1": [0, 5, 6, 20], "conv2": [*range(0, 64, 3)]}
    with torch.no_grad():
        for layer, units in dead.items():
            network.get_submodule(f"stages.{layer}.0").weight[units] = 0  # type: ignore[index, operator]
            network.get_submodule(f"stages.{layer}.0").bias[units] = -1  # type: ignore[index, operator]
    anatomy = Anatomy(network, 30 * inputs)
    narrower = anatomy.narrow(dropped(anatomy, dead))
    assert off(network, narrower, 30 * inputs) < 1e-12
    narrower.stages.norm1 = LocalResponseNorm()  # type: ignore[union-attr]
    assert off(network, narrower, 30 * inputs) > 1e-6


def test_one_unit_stays_of_a_layer_that_is_dead_as_a_whole() -> None:
    model, inputs = network_of(torch.zeros_like(U), W, is_convolution=False)
    with torch.no_grad():
        model[0].bias.fill_(-1)  # type: ignore[index, operator, union-attr]
        model[2].bias.copy_(torch.arange(3.0))  # type: ignore[index, operator, union-attr]
    narrower = Anatomy(model, inputs).narrow(dropped(Anatomy(model, inputs), {"0": range(1, 8)}))
    assert off(model, narrower, inputs) == 0


@pytest.mark.parametrize(
    "make",
    [
        LocalResponseNorm,
        lambda: LocalResponseNorm(radius=1, alpha=0.5),
        lambda: nn.LocalResponseNorm(5, alpha=0.3, beta=0.75, k=2.0),
        lambda: nn.LocalResponseNorm(4, alpha=0.3, beta=0.5),
    ],
)
@pytest.mark.parametrize("kept", [[0], [3, 4, 8], [*range(9)]])
def test_a_normalisation_of_what_is_left_is_that_of_all_where_the_others_are_0(
    make: Callable[[], nn.LocalResponseNorm], kept: list[int]
) -> None:
    inputs = 3 * torch.randn(2, 9, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    masked = torch.zeros_like(inputs)
    masked[:, kept] = inputs[:, kept]
    original = make()
    torch.testing.assert_close(PlacedLRN(original, kept).double()(inputs[:, kept]), original(masked)[:, kept])
