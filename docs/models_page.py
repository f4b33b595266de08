"""Writes docs/models.md from what is found in torchvision's models: `python docs/models_page.py`."""

import re
import warnings
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn

from autoreg.errors import ConfigError, ModelWarning
from autoreg.networks.activations import ACTIVATION_MODULES
from autoreg.networks.hooked import Hooked
from autoreg.networks.wrapped import wrap

MODELS = (
    "alexnet", "vgg11", "resnet18", "resnet50", "squeezenet1_1", "densenet121", "inception_v3", "googlenet",
    "shufflenet_v2_x0_5", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "mnasnet0_5", "regnet_y_400mf",
    "convnext_tiny", "vit_b_16", "swin_t", "maxvit_t",
)  # fmt: skip
#: Pixels of models that do not take 64.
PIXELS = {"inception_v3": 75, "vit_b_16": 224, "maxvit_t": 224}
HEAD = """\
# Which models are measured

`autoreg.measure_model(model, inputs)` traces a model by `torch.fx`, cuts it where one activation is all that the rest
of it sees, and measures these activations. What it leaves out, it names. Tokens stay whole numbers; `logits=…` names
one of several outputs; what `DataParallel` or `torch.compile` put around a model is taken off.

**Elsewhere, name modules**, in a transformer, an LSTM or the inside of a block; hooks measure what they give. A model
that cannot be traced can be measured so too.

```python
import autoreg

autoreg.measure_model(model, inputs, layers=["1"])  # paths as model.named_modules() has them
```

- Units are dropped where the module gives them, and all that reads it sees that. Each set of dropped units takes a run
  of the whole model, so begin with few layers and `samples=1`.
- Name what gives an activation: of `nn.TransformerEncoderLayer` it is `dropout`, which stands behind its activation; of
  `nn.LSTM(…, batch_first=True)` it is the LSTM itself, if the model reads its first output only.
- `layer1.0.relu:1` is the second run of a module that is run more than once for an input.

`python docs/models_page.py` fills this table from torchvision's models, in minutes. Measured are
layers found by cutting; left out is what else ends a layer of weights outside of blocks; the last column has the first
activation that `layers=[…]` can name, of how many.

| model | measured | left out | by `layers=[…]` |
|---|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(f"{row(name)}\n" for name in MODELS)


def row(name: str) -> str:
    """Return what is found in a model, as a row of the table."""
    model = with_any_weights(name)
    pixels = PIXELS.get(name, 64)
    images = torch.randn(2, 3, pixels, pixels, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ModelWarning)
        try:
            measured = len(wrap(model, images).measured)
        except ConfigError:
            measured = 0
    left_out = re.match(r"\w+: (\d+) of", str(caught[0].message)).group(1) if caught else ("0" if measured else "all")
    paths = [path for path, module in model.named_modules() if isinstance(module, ACTIVATION_MODULES)]
    runs: list[str] = []
    hooks = [model.get_submodule(path).register_forward_hook(lambda *_, path=path: runs.append(path)) for path in paths]
    with torch.inference_mode():
        model(images)
    for hook in hooks:
        hook.remove()
    if not runs:
        return f"| {name} | {measured} | {left_out} | no modules of its own |"
    first = f"{runs[0]}:0" if runs.count(runs[0]) > 1 else runs[0]
    assert isinstance(wrap(model, images, layers=[first]), Hooked)
    return f"| {name} | {measured} | {left_out} | `{first}`, one of {len(runs)} |"


def with_any_weights(name: str) -> nn.Module:
    """Return a model whose weights are quickly made: only its structure is looked at."""
    options: dict[str, Any] = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    skipped = {each: getattr(nn.init, each) for each in ("kaiming_uniform_", "kaiming_normal_", "trunc_normal_")}
    try:
        for each in skipped:
            setattr(nn.init, each, lambda weight, *_, **__: nn.init.constant_(weight, 0.01))
        return torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
    finally:
        for each, function in skipped.items():
            setattr(nn.init, each, function)


if __name__ == "__main__":
    Path(__file__).with_name("models.md").write_text(page(), encoding="utf-8")
