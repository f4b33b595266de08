"""The files of a narrower network: by which a fresh model becomes it, or a program of PyTorch's own operations.

The first has its weights, how it was narrowed, and a probe by which a fresh model is known again. It holds tensors,
numbers and texts with their checksum (`autoreg.training.checkpoints`), and no code.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autoreg.errors import ConfigError, DataError, with_kind
from autoreg.networks.given_model import copied
from autoreg.surgery.narrow import Layout, narrow_like
from autoreg.training import checkpoints
from autoreg.training.precision import precision_of

_KEYS = {"layout", "network", "probe", "provenance"}
#: Logits may differ by this share of the largest: another device rounds differently.
NEAR = 1e-3


def write_small(path: Path, model: nn.Module, layout: Layout, like: Tensor, provenance: Mapping[str, Any]) -> None:
    """Write a narrower model, atomically.

    Args:
        path: the file.
        model: in evaluation mode.
        layout: how it was narrowed.
        like: one of its inputs, [1, …]; the probe is random numbers of its shape, and no example.
        provenance: plain data for people.
    """
    inputs = probe(like)
    content = {
        "layout": layout,
        "network": dict(model.state_dict()),
        "probe": {"inputs": inputs.cpu(), "logits": _logits(model, inputs)},
        "provenance": dict(provenance),
    }
    checkpoints.save(path, content)


def narrow(model: nn.Module, path: str | Path) -> nn.Module:
    """Return a copy of a fresh model, brought to the narrower one that `Small.save` or `autoreg compress` wrote.

        small = autoreg.narrow(MyModel(), "small.pt")

    Args:
        model: of the class and the sizes that the narrower one had before, with any weights; it is not changed.
        path: the file. Nothing in it is executed.

    Returns:
        The narrower model in evaluation mode, on the device of the fresh one.

    Raises:
        DataError: the file is missing, damaged, or something else.
        ConfigError: it is of another model.
    """
    path = Path(path)
    content = checkpoints.load(path)
    if content.keys() != _KEYS:
        raise DataError(f"{path.name} is not what autoreg.compress writes: it has {', '.join(map(str, content))}")
    other = f"{path.name} is of another model than this {type(model).__name__}"
    try:
        narrower = narrow_like(model, content["layout"])
        narrower.load_state_dict(content["network"])
        device = next((each.device for each in narrower.parameters()), torch.device("cpu"))
        found, logits = _logits(narrower, content["probe"]["inputs"].to(device)), content["probe"]["logits"]
        near = NEAR * float(logits.nan_to_num(0, 0, 0).abs().max())
        is_same = torch.allclose(found, logits, rtol=0, atol=near, equal_nan=True)
    except Exception as error:  # the model is the user's: anything may go wrong in it
        raise ConfigError(f"{other}: {' '.join(str(error).split())[:200]}") from error
    if not is_same:
        raise ConfigError(f"{other}: with the file's weights it gives other logits")
    return narrower


@torch.inference_mode()
def _logits(model: nn.Module, inputs: Tensor) -> Tensor:
    with precision_of("float32", inputs.device):
        logits: Tensor = model(inputs)
    return logits.cpu().clone()


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
        raise ConfigError(f"{type(model).__name__} cannot be exported by torch.export ({with_kind(error)})") from error
    return file.getvalue()


def probe(like: Tensor) -> Tensor:
    """Return random inputs of the shape and type of some, on their device, nobody's examples; integers are 0 and 1."""
    draw: Callable[..., Tensor] = torch.randn if like.is_floating_point() else partial(torch.randint, 2)
    return draw(like.shape, generator=torch.Generator().manual_seed(0)).to(like)
