"""A model as a program of PyTorch's own operations."""

import io

import torch
from torch import Tensor, nn

from autoreg.errors import ConfigError, first_line
from autoreg.networks.given_model import copied
from autoreg.surgery.probe import probe


def exported(model: nn.Module, like: Tensor) -> bytes:
    """Return a `.pt2` file of a model in evaluation mode, for batches of any size.

    Args:
        model: of one input and one output.
        like: two of its inputs; the file holds random ones in their place.

    Raises:
        ConfigError: `torch.export` cannot export it.
    """
    batch = torch.export.Dim("batch", min=1)
    try:
        plain = copied(model).to(memory_format=torch.contiguous_format)  # others are saved with a warning
        program = torch.export.export(plain, (probe(like),), dynamic_shapes=({0: batch},))
        file = io.BytesIO()
        torch.export.save(program, file)
    except Exception as error:  # it knows many ways to fail, and the model is the user's: anything may go wrong in it
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ConfigError(f"{type(model).__name__} cannot be exported by torch.export ({reason})") from error
    return file.getvalue()
