"""torchvision's models become narrower with the logits of the masked ones, and indices are Torch-Pruning's."""

from typing import Any

import pytest
import torch
import torch_pruning
import torchvision
from torch import Tensor, nn

from autoreg.surgery import Anatomy
from tests.helpers.cuts import calibrated, dropped, off, random_cuts

MODELS = ["resnet18", "vgg11_bn", "alexnet", "inception_v3", "densenet121", "mobilenet_v3_small"]


def model_of(name: str) -> tuple[nn.Module, Tensor]:
    """Return a model with random weights, and inputs; classifiers of a hundred million parameters have 20 units."""
    with torch.device("meta"):
        options: dict[str, Any] = {"init_weights": False} if name == "inception_v3" else {}
        model: Any = torchvision.models.get_model(name, weights=None, **options)
    if name in ("vgg11_bn", "alexnet"):
        features = {"vgg11_bn": 512 * 49, "alexnet": 256 * 36}[name]
        model.classifier = nn.Sequential(nn.Dropout(), nn.Linear(features, 20), nn.ReLU(), nn.Linear(20, 10))
    model.to_empty(device="cpu")
    torch.manual_seed(0)
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    size = 75 if name == "inception_v3" else 64
    inputs = torch.randn(2, 3, size, size, dtype=torch.float64)
    return calibrated(model, inputs), inputs


@pytest.fixture(scope="module", params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def traced(name: str) -> tuple[nn.Module, Tensor, Anatomy]:
    model, inputs = model_of(name)
    return model, inputs, Anatomy(model, inputs)


def test_all_units_can_be_taken_out(traced: tuple[nn.Module, Tensor, Anatomy]) -> None:
    model, inputs, anatomy = traced
    assert all(site.whole is None for site in anatomy.sites)
    narrower = anatomy.narrow(random_cuts(anatomy, seed=1))  # which compares the logits with those of the masked one
    assert type(narrower) is type(model)
    assert off(model, narrower, inputs) > 1e-3
    assert sum(map(torch.numel, narrower.parameters())) < 0.6 * sum(map(torch.numel, model.parameters()))
    assert not any(name.startswith("AuxLogits") for name in narrower.state_dict())


def test_what_goes_with_a_unit_is_what_torch_pruning_says(traced: tuple[nn.Module, Tensor, Anatomy]) -> None:
    model, inputs, anatomy = traced
    graph = torch_pruning.DependencyGraph().build_dependency(model, example_inputs=inputs)
    paths = {module: path for path, module in model.named_modules()}
    for index, site in enumerate(anatomy.sites[:: max(1, len(anatomy.sites) // 12)]):
        unit = 7 * index % site.units
        ours = gone(anatomy, site.name, unit)
        [maker, *_] = [path for path, end in ours if end == "outputs"]
        [place] = ours[maker, "outputs"]
        module = model.get_submodule(maker)
        prune = torch_pruning.prune_conv_out_channels
        if isinstance(module, nn.Linear):
            prune = torch_pruning.prune_linear_out_channels
        theirs: dict[tuple[str, str], set[int]] = {}
        for dependency, places in graph.get_pruning_group(module, prune, idxs=[place]):
            if dependency.target.module in paths:
                end = "inputs" if "in_channels" in dependency.handler.__name__ else "outputs"
                theirs.setdefault((paths[dependency.target.module], end), set()).update(places)
        assert ours == theirs, site.name


def gone(anatomy: Anatomy, site: str, unit: int) -> dict[tuple[str, str], set[int]]:
    """Return which inputs and outputs of each module go with a unit, those of one through which it passes once."""
    found = {}
    for path, entry in anatomy.layout(dropped(anatomy, {site: [unit]}))["modules"].items():
        is_map = len(entry["sizes"]) == 2 and not is_depthwise(anatomy, path)
        for end, size in (("inputs", entry["sizes"][0]), ("outputs", entry["sizes"][-1])):
            kept = entry[end]
            if kept is not None and len(kept) < size and (is_map or end == "outputs"):
                found[path, end] = set(range(size)) - set(kept)
    return found


def is_depthwise(anatomy: Anatomy, path: str) -> bool:
    return getattr(anatomy.model.get_submodule(path), "groups", 1) > 1
