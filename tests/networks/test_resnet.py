"""The residual networks are torchvision's, with the released code's numbers of parameters."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import build_network, parameter_count
from tests.helpers.torchvision_weights import copy_random_weights

MakeConfig = Callable[..., TrialConfig]

#: Appendix B.1, for widths 1/4, 1/2, 1, 2 and 4.
PUBLISHED = [831_513, 3_057_225, 11_694_249, 45_710_697, 180_713_193]


@torch.inference_mode()
def test_resnet18_computes_what_torchvisions_does(config: MakeConfig) -> None:
    ours = build_network(config(network=Choice(name="resnet18"), width=1.0), (3, 64, 64), 1000)
    theirs = resnet18()
    copy_random_weights(theirs, ours)
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours.eval()(inputs), theirs.eval()(inputs), rtol=1e-4, atol=1e-4)


def test_with_a_first_projection_and_1001_classes_resnet18_has_the_published_parameters(config: MakeConfig) -> None:
    network = Choice(name="resnet18", options={"first_projection": True})
    counts = [
        parameter_count(config(network=network, width=width), (3, 224, 224), 1001)
        for width in (0.25, 0.5, 1.0, 2.0, 4.0)
    ]
    assert counts == PUBLISHED


@pytest.mark.parametrize(("name", "projections"), [("resnet56", 3), ("resnet18", 3)])
def test_batch_normalisation_is_tensorflows_and_biases_start_at_zero(
    config: MakeConfig, name: str, projections: int
) -> None:
    network = build_network(config(network=Choice(name=name)), (3, 32, 32), 10)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.003, 1e-5)}
    assert not network.stages.output.bias.any()
    assert sum(".downsample.0" in parameter for parameter, _ in network.named_parameters()) == projections


@pytest.mark.parametrize("name", ["resnet56", "resnet18"])
def test_dropout_and_inputs_that_are_no_images_are_refused(config: MakeConfig, name: str) -> None:
    with pytest.raises(ConfigError, match=r"no hidden fully connected layer .* dropout must be 0, got 0\.5"):
        parameter_count(config(network=Choice(name=name), dropout=0.5), (3, 32, 32), 10)
    with pytest.raises(ConfigError, match="it needs images"):
        parameter_count(config(network=Choice(name=name)), (10,), 10)
