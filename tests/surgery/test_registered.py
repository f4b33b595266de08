"""Every registered network becomes narrower, whichever units are kept, and gives the logits of the masked one."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import TrialConfig
from autoreg.networks import Network, networks
from autoreg.networks.wrapped import wrap
from autoreg.surgery import Anatomy
from tests.helpers.cuts import calibrated, dropped, off, random_cuts
from tests.networks.test_networks import SHAPES, built

MakeConfig = Callable[..., TrialConfig]
ANY_WIDTH = [0.25, pytest.param(1.0, marks=pytest.mark.slow)]


def ready(config: MakeConfig, name: str, width: float) -> tuple[Network, Tensor]:
    network, inputs = built(config, name, width)
    calibrated(network, inputs.double())
    return network, inputs.double()


@pytest.mark.parametrize("width", ANY_WIDTH)
@pytest.mark.parametrize("name", SHAPES)
def test_a_narrower_network_gives_the_logits_of_the_masked_one(config: MakeConfig, name: str, width: float) -> None:
    network, inputs = ready(config, name, width)
    anatomy = Anatomy(network, inputs)
    assert all(site.whole is None for site in anatomy.sites)
    for kept in (None, 1):  # a random number, and one of each site
        narrower = anatomy.narrow(random_cuts(anatomy, seed=1, kept=kept))  # which compares the logits
        assert isinstance(narrower, Network)
        assert off(network, narrower, inputs) > 1e-3


@pytest.mark.parametrize("name", ["alexnet", "resnet56"])
def test_32_bits_are_near_enough(config: MakeConfig, name: str) -> None:
    network, inputs = ready(config, name, 0.25)
    anatomy = Anatomy(network.float(), inputs.float())
    cuts = random_cuts(anatomy, seed=2)
    assert off(anatomy.masked(cuts), anatomy.narrow(cuts), inputs.float()) < 1e-4


@pytest.mark.parametrize("name", ["mlp", "alexnet", "resnet56", "resnet18"])
def test_the_first_half_of_all_units_is_the_network_of_half_the_width(config: MakeConfig, name: str) -> None:
    network, inputs = ready(config, name, 0.5)
    anatomy = Anatomy(network, inputs)
    cuts = dropped(anatomy, {site.name: range(site.units // 2, site.units) for site in anatomy.sites})
    narrower = anatomy.narrow(cuts)
    half, _ = built(config, name, 0.25)
    half.double().load_state_dict(narrower.state_dict())
    assert off(anatomy.masked(cuts), half, inputs) < 1e-12


@pytest.mark.parametrize(
    ("name", "sites"),
    [
        ("mlp", ["hidden"]),
        ("alexnet", ["conv1", "conv2", "fc3", "fc4"]),
        ("resnet56", ["conv1", "block1.0.conv1", "block1", *(f"block1.{place}.conv1" for place in range(1, 9))]),
        ("resnet18", ["conv1", "block1.0.conv1", "block1.1.conv1", "block2.0.conv1", "block2"]),
    ],
)  # fmt: skip
def test_sites_have_the_names_of_measured_layers(config: MakeConfig, name: str, sites: list[str]) -> None:
    network, inputs = ready(config, name, 0.25)
    assert [site.name for site in Anatomy(network, inputs).sites][: len(sites)] == sites


def test_the_stream_of_a_residual_layer_is_one_site_which_all_its_blocks_read(config: MakeConfig) -> None:
    network, inputs = ready(config, "resnet56", 0.25)
    [stream] = [site for site in Anatomy(network, inputs).sites if site.name == "block1"]
    blocks = [f"stages.block1.{place}.conv1" for place in range(1, 9)]
    assert [read.module for read in stream.reads] == [*blocks, "stages.block2.0.conv1", "stages.block2.0.downsample.0"]
    assert [read.pads for read in stream.reads] == [True] * 9 + [False]


def test_the_auxiliary_classifier_is_for_training_only() -> None:
    network = networks["inception_v3"](0.0625, (3, 299, 299), 10, 0.0).double().eval()
    inputs = torch.randn(2, 3, 75, 75, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    anatomy = Anatomy(network, inputs)
    narrower = anatomy.narrow(dropped(anatomy, {"mixed_7": [0, 1]}))
    assert anatomy.layout({})["without"] == ["auxiliary"]
    assert not any(name.startswith("auxiliary") for name in narrower.state_dict())
    assert narrower.auxiliary is None


def test_one_activation_may_stand_at_several_places() -> None:
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(4, 6), relu, nn.Linear(6, 5), relu, nn.Linear(5, 3)).double()
    inputs = torch.ones(2, 4, dtype=torch.float64)
    network = wrap(model, inputs)
    assert [(site.name, site.units) for site in Anatomy(network, inputs).sites] == [
        (network.measured[0], 6),
        (network.measured[1], 5),
    ]


def test_what_max_pooling_passes_through_a_layer_is_a_site_with_more_reads(config: MakeConfig) -> None:
    network, inputs = ready(config, "inception_v3", 0.25)
    sites = {site.name: site for site in Anatomy(network, inputs).sites}
    assert (sites["mixed_2"].units, sites["mixed_3"].units) == (72, 120)  # a quarter of 288, and of 768 − 288
    within = [read.module.split(".")[1] for read in sites["mixed_2"].reads]
    assert within == ["mixed_3"] * 2 + ["mixed_4"] * 4
    assert [read.module for read in sites["mixed_3"].reads] == [read.module for read in sites["mixed_2"].reads[2:]]
    assert sites["mixed_2"].reads[2].places == tuple(range(120, 192))
