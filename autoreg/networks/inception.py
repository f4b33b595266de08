"""Inception-v3 for ImageNet (paper, section 3; Szegedy et al. 2016), made of torchvision's modules."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from autoreg.networks.auxiliary import Auxiliary
from autoreg.networks.network import Network, linear, networks
from autoreg.networks.sizes import image_shape

#: Our names, which are the paper's, and torchvision's.
CONVOLUTIONS_AND_POOLS = {
    "conv0": "Conv2d_1a_3x3", "conv1": "Conv2d_2a_3x3", "conv2": "Conv2d_2b_3x3", "pool1": "maxpool1",
    "conv3": "Conv2d_3b_1x1", "conv4": "Conv2d_4a_3x3", "pool2": "maxpool2",
}  # fmt: skip
MIXED = ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]
STAGES = CONVOLUTIONS_AND_POOLS | {f"mixed_{index}": f"Mixed_{name}" for index, name in enumerate(MIXED)}
MEASURED = [name for name in STAGES if not name.startswith("pool")]

#: The smallest images, in pixels a side, that leave a position for every kernel; by whether the auxiliary is there.
SMALLEST = {True: 299, False: 75}


@networks.register
def inception_v3(
    width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, auxiliary: bool = True
) -> Network:
    """Return Inception-v3 with all channels times `width`, a multiple of 1/16; the 16 layers of the paper are measured.

    Dropout is before the output layer. The auxiliary classifier takes the activations of `mixed_7`, and its loss counts
    0.4, as in TensorFlow's code. Weight decay is for weights only, as in the released code.

    The authors' network differs: 1001 classes; no scales in batch normalisation; 192 channels at every width in the
    pooling branch of `mixed_6`. With these three, the numbers of parameters are the published ones (appendix B.1). Its
    batch statistics were averaged with a decay of 0.9997 (here torchvision's 0.9), and its initial sigma was 0.1 for
    convolutions, 0.01 for the output layer and smaller in the auxiliary.
    """
    _check(input_shape, auxiliary)
    model = _inception3(_convolution(width, unscaled=3), classes, dropout, auxiliary)
    return _network(model, width, classes)


@networks.register
def inception_v3_layer(
    width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, auxiliary: bool = True
) -> Network:
    """Return `inception_v3` of width 1, but with the channels of `mixed_2` times `width`, a multiple of 1/16.

    All convolutions of `mixed_2` are scaled. The two layers after it take more inputs: `mixed_3` pools them through.
    """
    from torchvision.models.inception import BasicConv2d, InceptionA, InceptionB, InceptionC

    _check(input_shape, auxiliary)
    model = _inception3(BasicConv2d, classes, dropout, auxiliary)
    channels = _scaled(288, width)
    model.Mixed_5d = InceptionA(288, pool_features=64, conv_block=_convolution(width, unscaled=288))
    model.Mixed_6a = InceptionB(channels)
    model.Mixed_6b = InceptionC(480 + channels, channels_7x7=128)
    return _network(model, 1, classes)


def _check(input_shape: tuple[int, ...], auxiliary: bool) -> None:
    channels, height, breadth = image_shape(input_shape)
    smallest = SMALLEST[auxiliary]
    if channels != 3 or min(height, breadth) < smallest:
        classifier = "with" if auxiliary else "without"
        raise ValueError(
            f"{classifier} the auxiliary classifier images must have 3 channels and at least {smallest}×{smallest} "
            f"pixels, got {channels}×{height}×{breadth}"
        )


def _scaled(channels: int, width: float) -> int:
    scaled = channels * width
    if scaled < 1 or scaled != int(scaled):
        raise ValueError(f"a width must be a multiple of 1/16, so that channels are whole in every branch, got {width}")
    return int(scaled)


def _convolution(width: float, unscaled: int) -> Callable[..., nn.Module]:
    """Return what builds a convolution with scaled channels, except for inputs of `unscaled` channels."""
    from torchvision.models.inception import BasicConv2d

    def convolution(inputs: int, outputs: int, **options: Any) -> nn.Module:
        given = inputs if inputs == unscaled else _scaled(inputs, width)
        built: nn.Module = BasicConv2d(given, _scaled(outputs, width), **options)
        return built

    return convolution


def _inception3(convolution: Callable[..., nn.Module], classes: int, dropout: float, auxiliary: bool) -> Any:
    from torchvision.models import inception  # takes a second to import, which other networks need not pay

    blocks = [getattr(inception, f"Inception{letter}") for letter in ("A", "B", "C", "D", "E", "Aux")]
    return inception.Inception3(
        classes,
        aux_logits=auxiliary,
        inception_blocks=[convolution, *(partial(block, conv_block=convolution) for block in blocks)],
        init_weights=False,
        dropout=dropout,
    )


def _network(model: Any, width: float, classes: int) -> Network:
    """Return the modules of torchvision's network as stages, with output layers of the width."""
    stages = [(name, getattr(model, theirs)) for name, theirs in STAGES.items()]
    stages += [("avgpool", model.avgpool), ("dropout", model.dropout), ("flatten", nn.Flatten())]
    stages += [("output", linear(_scaled(2048, width), classes))]
    if model.AuxLogits is None:
        return Network(stages, MEASURED)
    model.AuxLogits.fc = linear(_scaled(768, width), classes)
    return Network(stages, MEASURED, auxiliary=Auxiliary("mixed_7", model.AuxLogits, weight=0.4))
