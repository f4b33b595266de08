"""CIFAR-10's images as networks see them: `cropped` for the paper's AlexNets, `whole` for its ResNet56."""

import torch
from torch import Tensor
from torch.nn import functional

from autoreg.datasets.images.squares import random_crops

#: Images are 32×32; AlexNet's crops are 28×28; ResNet's are cut after adding 4 black pixels on each side.
SIZE, CROP, PADDING = 32, 28, 4


def prepare_cropped(images: Tensor) -> Tensor:
    """Return the central 28×28 of uint8 images [batch, 3, 32, 32], standardised each and resized to 32×32.

    The order is the released code's (cifar_dataset.py). Unlike its resizing, ours centres the sampling points.
    """
    margin = (SIZE - CROP) // 2
    return _resized(standardised(images[:, :, margin : margin + CROP, margin : margin + CROP].float()))


def augment_cropped(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return random 28×28 crops, flipped half of the time, with random brightness (±63 of 255) and contrast (×0.2–1.8).

    Then standardised each and resized to 32×32 (released code, cifar_dataset.py).

    Args:
        images: uint8, [batch, 3, 32, 32], on any device.
        generator: on the CPU, so that a seed gives the same images on every device.
    """
    count, device = len(images), images.device
    crops = random_crops(images, CROP, generator)
    brightness = (torch.rand(count, 1, 1, 1, generator=generator) * 2 - 1) * 63
    contrast = torch.rand(count, 1, 1, 1, generator=generator) * 1.6 + 0.2
    crops = crops + brightness.to(device)
    means = crops.mean((2, 3), keepdim=True)
    return _resized(standardised((crops - means) * contrast.to(device) + means))


def prepare_whole(images: Tensor) -> Tensor:
    """Return uint8 images [batch, 3, 32, 32], standardised each (TensorFlow's official cifar10_main.py)."""
    return standardised(images.float())


def augment_whole(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return random 32×32 crops of images in a black frame of 4 pixels, flipped half of the time, standardised each.

    He et al. 2016, section 4.2; as in TensorFlow's official cifar10_main.py, the frame counts when standardising.

    Args:
        images: uint8, [batch, 3, 32, 32], on any device.
        generator: on the CPU, so that a seed gives the same images on every device.
    """
    return standardised(random_crops(functional.pad(images, [PADDING] * 4), SIZE, generator))


def standardised(images: Tensor) -> Tensor:
    """Return float images with mean 0 and deviation 1 each; the divisor is at least 1/√numbers, as TensorFlow's."""
    deviation, mean = torch.std_mean(images, (1, 2, 3), correction=0, keepdim=True)
    floor = images[0].numel() ** -0.5
    return (images - mean) / deviation.clamp_min(floor)


def _resized(crops: Tensor) -> Tensor:
    return functional.interpolate(crops, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
