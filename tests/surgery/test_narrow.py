"""A narrower model is kept as a layout and a state, and is made again from a fresh model."""

import copy
import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from autoreg.errors import ConfigError
from autoreg.networks import networks
from autoreg.surgery import Anatomy, narrow_like
from tests.helpers.cuts import calibrated, random_cuts


def network_of(name: str, seed: int, width: float = 0.25) -> tuple[nn.Module, Tensor]:
    shape = (10,) if name == "mlp" else (3, 16, 16)
    torch.manual_seed(seed)
    network = networks[name](width, shape, 10, 0.0)
    inputs = torch.randn(3, *shape, dtype=torch.float64)
    return calibrated(network, inputs).float(), inputs.float()


@pytest.mark.parametrize("name", ["mlp", "alexnet", "resnet56"])
def test_layout_and_state_make_a_fresh_network_the_same_to_the_bit(name: str) -> None:
    network, inputs = network_of(name, seed=0)
    anatomy = Anatomy(network, inputs)
    cuts = random_cuts(anatomy, seed=0)
    narrower = anatomy.narrow(cuts)
    layout = json.loads(json.dumps(anatomy.layout(cuts)))
    fresh = narrow_like(network_of(name, seed=1)[0], layout)
    fresh.load_state_dict(narrower.state_dict())
    assert torch.equal(fresh(inputs), narrower(inputs))
    assert layout["kept"] == {anatomy.sites[site].name: cut.kept.tolist() for site, cut in cuts.items()}


def test_a_layout_is_for_a_network_of_the_same_size() -> None:
    network, inputs = network_of("mlp", seed=0)
    anatomy = Anatomy(network, inputs)
    layout = anatomy.layout(random_cuts(anatomy, seed=0))
    with pytest.raises(
        ConfigError, match=r"stages.hidden.0 is a Linear of \[10, 64\], in what was narrowed a Linear of "
    ):
        narrow_like(network_of("mlp", seed=0, width=0.5)[0], layout)
    with pytest.raises(ConfigError, match="the layout is that of another model, or damaged"):
        narrow_like(network_of("alexnet", seed=0)[0], layout)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["modules"], None), (["without"], ["none"]), (["without"], ["forward"]), (["modules"], {}),
        (["modules", "stages.output", "inputs"], [0, 99]), (["modules", "stages.output", "inputs"], [-1]),
        (["modules", "stages.output", "inputs"], []), (["modules", "stages.output", "inputs"], ["a"]),
        (["modules", "stages.output", "kind"], "Conv2d"), (["modules", "stages.output"], {}),
    ],
)  # fmt: skip
def test_a_damaged_layout_is_refused_in_one_line(path: list[str], value: Any) -> None:
    network, inputs = network_of("mlp", seed=0)
    anatomy = Anatomy(network, inputs)
    cuts = random_cuts(anatomy, seed=0)
    layout = copy.deepcopy(anatomy.layout(cuts))
    *above, last = path
    entry = layout
    for name in above:
        entry = entry[name]
    entry[last] = value
    if value == {} and path == ["modules"]:
        del entry[last]
    with pytest.raises(ConfigError) as raised:
        narrow_like(network, layout)
    assert "\n" not in str(raised.value)


def test_a_narrower_alexnet_is_exported_for_any_number_of_images() -> None:
    network, inputs = network_of("alexnet", seed=0)
    anatomy = Anatomy(network, inputs)
    narrower = anatomy.narrow(random_cuts(anatomy, seed=0))
    exported = torch.export.export(narrower, (inputs,), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    for count in (2, 5):
        images = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(count))
        assert torch.equal(exported.module()(images), narrower(images))
