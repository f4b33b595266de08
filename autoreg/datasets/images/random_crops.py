"""Random parts of the images of a batch, on the device that they are on."""

import torch
from torch import Tensor


def random_crops(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Return a random side×side part of each image as floats, flipped half of the time."""
    count, device, offsets = len(images), images.device, images.shape[-1] - side + 1
    top = torch.randint(offsets, (count, 1), generator=generator)
    left = torch.randint(offsets, (count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    steps = torch.arange(side)
    rows = (top + steps).to(device)
    columns = (left + torch.where(flipped, steps.flip(0), steps)).to(device)
    index = torch.arange(count, device=device)[:, None, None]
    return images.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).float()
