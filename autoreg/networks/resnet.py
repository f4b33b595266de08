"""Residual networks for CIFAR-10 and ImageNet (paper, section 3; TensorFlow's official models v1; He et al. 2016)."""

from itertools import pairwise

from torch import nn

from autoreg.networks.network import Network, linear, networks
from autoreg.networks.sizes import image_shape, units

Stages = list[tuple[str, nn.Module]]


@networks.register
def resnet56(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    """Return a 3×3 convolution (16) and three layers of nine blocks (16, 32 and 64 filters), each times `width`.

    The filters are the released code's (the paper's text lists others), and so is the projection in the first block of
    every layer. Weight decay is for all parameters, those of batch normalisation too.
    """
    channels, _, _ = image_shape(input_shape)
    filters = [units(base, width) for base in (16, 32, 64)]
    conv1 = _initial(nn.Conv2d(channels, filters[0], 3, padding=1, bias=False))
    blocks = _block_layers(filters, blocks=9, first_projection=True)
    stages = [("conv1", conv1), *blocks, *_head(filters[-1], classes, dropout)]
    return Network(stages, ["conv1", *dict(blocks)], decayed_kinds=["weights", "biases", "normalization"])


@networks.register
def resnet18(
    width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, first_projection: bool = False
) -> Network:
    """Return a 7×7 convolution (64) and four layers of two blocks (64, 128, 256, 512 filters), each times `width`.

    It is torchvision's network. The authors' had a projection in the first block layer as well (`first_projection`) and
    1001 classes, and TensorFlow's pooling pads the bottom and right edges only. The initial convolution is measured and
    ablated after normalisation and activation; the authors' code ablates it before. Weight decay is for all parameters
    but those of batch normalisation.
    """
    channels, _, _ = image_shape(input_shape)
    filters = [units(base, width) for base in (64, 128, 256, 512)]
    conv1 = _initial(nn.Conv2d(channels, filters[0], 7, stride=2, padding=3, bias=False))
    pool1 = nn.MaxPool2d(3, stride=2, padding=1)
    blocks = _block_layers(filters, blocks=2, first_projection=first_projection)
    stages = [("conv1", conv1), ("pool1", pool1), *blocks, *_head(filters[-1], classes, dropout)]
    return Network(stages, ["conv1", *dict(blocks)], decayed_kinds=["weights", "biases"])


def _initial(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, _batch_norm(convolution.out_channels), nn.ReLU())


def _block_layers(filters: list[int], blocks: int, first_projection: bool) -> Stages:
    """Return block1, block2, …: the first keeps the size of the initial convolution's output, the others halve it."""
    layers = [_block_layer(filters[0], filters[0], blocks, stride=1, projection=first_projection)]
    layers += [_block_layer(before, here, blocks, stride=2, projection=True) for before, here in pairwise(filters)]
    return [(f"block{number}", layer) for number, layer in enumerate(layers, start=1)]


def _block_layer(inputs: int, filters: int, blocks: int, stride: int, projection: bool) -> nn.Sequential:
    from torchvision.models.resnet import BasicBlock  # takes a second to import, which other networks need not pay

    shortcut = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), _batch_norm(filters))
    first = BasicBlock(inputs, filters, stride, shortcut if projection else None, norm_layer=_batch_norm)
    layer = nn.Sequential(first, *(BasicBlock(filters, filters, norm_layer=_batch_norm) for _ in range(1, blocks)))
    for module in layer.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return layer


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    # TensorFlow's decay of 0.997 is the share of the old average that stays, PyTorch's momentum that of the new value.
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.003)


def _head(features: int, classes: int, dropout: float) -> Stages:
    if dropout:
        raise ValueError(
            f"it has no hidden fully connected layer to drop units of, so dropout must be 0, got {dropout}"
        )
    return [
        ("avgpool", nn.AdaptiveAvgPool2d(1)),
        ("flatten", nn.Flatten()),
        ("output", linear(features, classes)),
    ]
