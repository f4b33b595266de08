"""Gives one of our networks and torchvision's the same weights, to compare what they compute."""

import torch
from torch import nn

from autoreg.networks import Network


def copy_random_weights(theirs: nn.Module, ours: Network) -> None:
    """Draw torchvision's kernels, scales and batch statistics at random, and copy all its values into ours, in order.

    As torchvision builds it, Inception's logits hardly depend on the image.
    """
    torch.manual_seed(0)
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
