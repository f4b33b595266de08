"""Inception-v3 is torchvision's, scaled; its numbers of parameters are the published ones but for known differences."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import Inception3

from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import Network, build_network, parameter_count
from autoreg.networks.initializers import initialize
from tests.helpers.torchvision_weights import copy_random_weights

MakeConfig = Callable[..., TrialConfig]

#: Appendix B.1, by width.
PUBLISHED = {0.25: 2_286_026, 0.5: 7_571_266, 1.0: 27_145_970}
PUBLISHED_LAYER = {0.25: 25_993_598, 0.5: 26_350_842, 1.0: 27_145_970, 2.0: 29_058_786, 4.0: 34_174_658}


@torch.inference_mode()
@pytest.mark.parametrize("name", ["inception_v3", "inception_v3_layer"])
def test_at_width_1_both_compute_what_torchvisions_does(config: MakeConfig, name: str) -> None:
    made = config(network=Choice(name=name, options={"auxiliary": False}), width=1.0)
    ours = build_network(made, (3, 75, 75), 10)
    theirs = Inception3(num_classes=10, aux_logits=False, init_weights=False)
    copy_random_weights(theirs, ours)
    inputs = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours.eval()(inputs), theirs.eval()(inputs), rtol=1e-4, atol=1e-4)


def without_scales(config: MakeConfig, name: str, width: float) -> int:
    """The parameters for 1001 classes, without the scales of batch normalisation, as the authors' network is."""
    with torch.device("meta"):
        network = build_network(config(network=Choice(name=name), width=width), (3, 299, 299), 1001)
    scales = sum(module.weight.numel() for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    return sum(parameter.numel() for parameter in network.parameters()) - scales


@pytest.mark.parametrize(("width", "published"), PUBLISHED.items())
def test_the_published_parameters_are_ours_but_for_one_branch(config: MakeConfig, width: float, published: int) -> None:
    # The authors' pooling branch of mixed_6 has 192 channels at every width; mixed_7 takes them in 4 branches.
    channels = 192 - int(192 * width)
    from_mixed_5, to_mixed_7 = 768 * width, 4 * 192 * width
    assert without_scales(config, "inception_v3", width) + channels * (from_mixed_5 + to_mixed_7 + 1) == published


@pytest.mark.parametrize(("width", "published"), PUBLISHED_LAYER.items())
def test_the_published_parameters_of_the_layer_variant_are_ours(
    config: MakeConfig, width: float, published: int
) -> None:
    assert without_scales(config, "inception_v3_layer", width) == published


def quarter(config: MakeConfig) -> tuple[Network, Tensor]:
    """A quarter of the network and the smallest images that it takes with its auxiliary classifier."""
    made = config(network=Choice(name="inception_v3"), initializer=Choice(name="he_uniform"))
    network = build_network(made, (3, 299, 299), 10)
    initialize(network, made.initializer, 0)
    return network, torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(0))


def test_the_auxiliary_classifier_learns_and_teaches(config: MakeConfig) -> None:
    network, inputs = quarter(config)
    labels = torch.tensor([0, 1])
    logits, loss = network.train().loss(inputs, labels)
    assert network.auxiliary is not None
    assert network.auxiliary.weight == 0.4
    beside = loss - nn.functional.cross_entropy(logits, labels)
    assert beside > 0
    beside.backward()
    assert all(parameter.grad.any() for parameter in network.auxiliary.parameters())
    assert network.stages.mixed_7.branch1x1.conv.weight.grad.any()
    assert not network.auxiliary.classifier.fc.bias.any()
    assert [stage for stage, _ in network.maps()][-2:] == ["auxiliary", "output"]
    assert [tuple(module.weight.shape) for _, module in network.maps()[-2:]] == [(10, 192), (10, 512)]


@torch.inference_mode()
def test_evaluation_never_runs_the_auxiliary_classifier(config: MakeConfig) -> None:
    network, inputs = quarter(config)
    runs: list[nn.Module] = []
    assert network.auxiliary is not None
    network.auxiliary.register_forward_hook(lambda module, *_: runs.append(module))
    logits = network.eval()(inputs)
    walked = dict(network.walk(inputs))
    assert torch.equal(network.after("mixed_7")(walked["mixed_7"]), logits)
    assert runs == []


def test_batch_normalisation_is_torchvisions_and_dropout_stands_before_the_output(config: MakeConfig) -> None:
    network = build_network(
        config(network=Choice(name="inception_v3", options={"auxiliary": False}), dropout=0.2), (3, 75, 75), 10
    )
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.1, 0.001)}
    assert list(network.stages._modules)[-4:] == ["avgpool", "dropout", "flatten", "output"]
    assert network.stages.dropout.p == 0.2


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3_layer"])
@pytest.mark.parametrize(
    ("auxiliary", "shape", "message"),
    [
        (True, (3, 298, 299), r"with the auxiliary .* 3 channels and at least 299×299 pixels, got 3×298×299"),
        (False, (3, 75, 74), r"without the auxiliary .* 3 channels and at least 75×75 pixels, got 3×75×74"),
        (True, (1, 299, 299), "got 1×299×299"),
        (True, (299,), "it needs images"),
    ],
)
def test_images_that_do_not_fit_are_refused(
    config: MakeConfig, name: str, auxiliary: bool, shape: tuple[int, ...], message: str
) -> None:
    network = Choice(name=name, options={"auxiliary": auxiliary})
    with pytest.raises(ConfigError, match=message):
        parameter_count(config(network=network), shape, 10)


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3_layer"])
def test_a_width_that_splits_a_channel_is_refused(config: MakeConfig, name: str) -> None:
    with pytest.raises(ConfigError, match=r"a width must be a multiple of 1/16, .*, got 0\.3"):
        parameter_count(config(network=Choice(name=name), width=0.3), (3, 299, 299), 10)
    assert parameter_count(config(network=Choice(name=name), width=1 / 16), (3, 299, 299), 10) > 0
