"""The AlexNet for CIFAR-10 (paper, section 3; the released code's sizes and biases)."""

from torch import nn

from autoreg.networks.network import Network, networks
from autoreg.networks.normalization import LocalResponseNorm
from autoreg.networks.sizes import image_shape, units


@networks.register
def alexnet(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    """Return two 5×5 convolutions (96, 256) and two fully connected layers (384, 192), each times `width`.

    Pooling is TensorFlow's "SAME", which pads both edges of an odd side, and the bottom or right one of an even side.
    Biases start at 0, 0.1, 0.1, 0.1 and 0. Weight decay is for the two fully connected layers only, dropout after each
    of them.
    """
    channels, height, breadth = image_shape(input_shape)
    conv1, conv2, fc3, fc4 = (units(base, width) for base in (96, 256, 384, 192))
    pooled = [-(-side // 2) for side in (height, breadth)]
    positions = -(-pooled[0] // 2) * -(-pooled[1] // 2)
    stages = [
        ("conv1", _layer(nn.Conv2d(channels, conv1, 5, padding="same"), bias=0.0)),
        ("pool1", _pool(height, breadth)),
        ("norm1", LocalResponseNorm()),
        ("conv2", _layer(nn.Conv2d(conv1, conv2, 5, padding="same"), bias=0.1)),
        ("pool2", _pool(*pooled)),
        ("norm2", LocalResponseNorm()),
        ("flatten", nn.Flatten()),
        ("fc3", _layer(nn.Linear(conv2 * positions, fc3), bias=0.1)),
        ("dropout3", nn.Dropout(dropout)),
        ("fc4", _layer(nn.Linear(fc3, fc4), bias=0.1)),
        ("dropout4", nn.Dropout(dropout)),
        ("output", _biased(nn.Linear(fc4, classes), bias=0.0)),
    ]
    return Network(stages, measured=["conv1", "conv2", "fc3", "fc4"], decayed=["fc3", "fc4"])


def _layer(module: nn.Conv2d | nn.Linear, bias: float) -> nn.Sequential:
    return nn.Sequential(_biased(module, bias), nn.ReLU())


def _pool(*sides: int) -> nn.MaxPool2d:
    padding = (sides[0] % 2, sides[1] % 2)
    return nn.MaxPool2d(3, 2, padding if any(padding) else 0, ceil_mode=True)  # 0 is what the compiled kernel knows


def _biased(module: nn.Conv2d | nn.Linear, bias: float) -> nn.Conv2d | nn.Linear:
    assert module.bias is not None
    nn.init.constant_(module.bias, bias)
    return module
