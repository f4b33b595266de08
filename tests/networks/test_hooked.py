"""Models that cannot be cut are measured where modules are named, as twins with weights of zero say."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.convnext import CNBlockConfig

import autoreg
from autoreg.errors import ConfigError, DataError
from autoreg.networks.hooked import Hooked
from autoreg.networks.wrapped import wrap

IMAGES = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TOKENS = torch.randint(20, (6, 5), generator=torch.Generator().manual_seed(0))
IN_VIT = "encoder.layers.encoder_layer_"


class OfTokens(nn.Module):
    """Looks at a sequence of tokens by what it is given, and at what that says last, or keeps of it."""

    def __init__(self, inside: nn.Module, read: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.embedding, self.inside, self.output = nn.Embedding(20, 8), inside, nn.Linear(8, 3)
        self.read = read

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.output(self.read(self.inside(self.embedding(tokens))))
        return logits


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return OfTokens(nn.TransformerEncoder(layer, 2), lambda outputs: outputs.mean(1))


def lstm(read: Callable[[Any], Tensor] = lambda outputs: outputs[0][:, -1], **options: Any) -> nn.Module:
    return OfTokens(nn.LSTM(8, 8, **{"batch_first": True, **options}), read)


def vit() -> nn.Module:
    return torchvision.models.VisionTransformer(32, 8, 2, 2, 8, 16, num_classes=3)


def swin() -> nn.Module:
    return torchvision.models.SwinTransformer([4, 4], 8, [2, 1], [2, 2], [4, 4], num_classes=3)


def convnext() -> nn.Module:
    return torchvision.models.ConvNeXt([CNBlockConfig(8, 8, 2)], layer_scale=1.0, num_classes=3)


@pytest.mark.parametrize(
    ("build", "inputs", "layers", "readers"),
    [
        (transformer, TOKENS, [f"inside.layers.{at}.dropout" for at in (0, 1)], "inside.layers.{}.linear2"),
        (lstm, TOKENS, ["inside"], "output"),
        (vit, IMAGES, [f"{IN_VIT}{at}.mlp.1" for at in (0, 1)], f"{IN_VIT}{{}}.mlp.3"),
        (swin, IMAGES, [f"features.1.{at}.mlp.1" for at in (0, 1)], "features.1.{}.mlp.3"),
        (convnext, IMAGES, [f"features.1.{at}.block.4" for at in (0, 1)], "features.1.{}.block.5"),
    ],
)  # fmt: skip
def test_dropping_units_is_as_if_the_next_layer_did_not_look_at_them(
    build: Callable[[], nn.Module], inputs: Tensor, layers: list[str], readers: str
) -> None:
    torch.manual_seed(0)
    model = build().eval()
    for parameter in model.parameters():  # as built, some of them hardly look at their inputs
        nn.init.normal_(parameter, std=0.5)
    with pytest.raises(ConfigError, match=r"name modules, layers=\[…\], or write its stages as a Network"):
        wrap(model, inputs)
    network = wrap(model, inputs, layers=layers)
    assert isinstance(network, Hooked)
    masks = {}
    for place, (layer, values) in enumerate(network.walk(inputs)):
        reader = model.get_submodule(readers.format(place))
        assert isinstance(reader, nn.Linear)
        assert values.shape[1] == reader.in_features
        masks[layer] = torch.arange(values.shape[1]).reshape(-1, *[1] * (values.ndim - 2)) % 3 > 0
        with torch.no_grad():
            reader.weight[:, ::3] = 0
    assert list(masks) == [layer.replace(".", "_") for layer in layers]
    with torch.inference_mode():
        intact = network(inputs)
        found = network.acting({layer: lambda values, mask=mask: values * mask for layer, mask in masks.items()})
        torch.testing.assert_close(found, model(inputs), rtol=1e-4, atol=1e-4)
    assert (found - intact).abs().max() > 0.1


def test_hooks_give_what_cuts_give() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(6 * 2 * 2, 10), nn.GELU(), nn.Linear(10, 3),
    )  # fmt: skip
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    images = IMAGES[..., :10, :10]
    cut, hooked = (autoreg.measure_model(model, images, samples=1, layers=layers) for layers in (None, ["1", "4", "7"]))
    assert hooked.rows["ablation"].equals(cut.rows["ablation"])
    assert hooked.rows["similarity"].equals(cut.rows["similarity"])
    assert hooked.layers == cut.layers
    assert hooked.rows["ablation"]["unchanged"].min() < 1


class Block(nn.Module):
    """A residual block with one ReLU for both of its activations, which works in place, and two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.output = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.relu, self.unused = nn.ReLU(inplace=True), nn.ReLU()

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        hidden = self.relu(self.first(inputs))
        hidden += 0.5
        return {"logits": self.output(self.relu(self.second(hidden) + inputs)), "hidden": hidden}


def test_one_module_run_twice_is_named_by_its_run_and_nothing_works_on_what_is_measured() -> None:
    torch.manual_seed(0)
    model, inputs = Block(), torch.randn(9, 4)
    first, second = dict(wrap(model, inputs, "logits", ["relu:0", "relu:1"]).walk(inputs)).values()
    assert torch.equal(first, model.first(inputs).relu())
    assert torch.equal(second, (model.second(first + 0.5) + inputs).relu())
    measured = autoreg.measure_model(model, inputs, logits="logits", layers=["relu:1", "relu:0"], samples=1)
    assert [layer.layer for layer in measured.layers] == ["relu_1", "relu_0"]


def test_what_is_not_finite_is_told_with_the_layers_name() -> None:
    model = Block()
    model.first.bias.data[0] = torch.inf
    with pytest.raises(DataError, match="got NaN or ±inf in layer relu_0 on given inputs"):
        autoreg.measure_model(model, torch.randn(9, 4), logits="logits", layers=["relu:0"], samples=1)


@pytest.mark.parametrize(
    ("model", "inputs", "layers", "words"),
    [
        (Block(), torch.ones(2, 4), "relu", "layers are paths of modules, each once, got 'relu'"),
        (Block(), torch.ones(2, 4), [], "layers are paths of modules, each once, got []"),
        (Block(), torch.ones(2, 4), ["frist"], "Block has no module 'frist' (near it: first, "),
        (Block(), torch.ones(2, 4), ["relu:last"], "Block has no module 'relu:last' (near it: relu, "),
        (Block(), torch.ones(2, 4), ["relu"], "layer 'relu' must be run once for each input, got 2 runs; path:0 is"),
        (Block(), torch.ones(2, 4), ["relu:2"], "layer 'relu_2' must be run once for each input, got 2 runs"),
        (Block(), torch.ones(2, 4), ["unused"], "layer 'unused' must be run once for each input, got 0 runs"),
        (lstm(lambda outputs: outputs[1][0][-1]), TOKENS, ["inside"], "the model reads more than the first output of"),
        (lstm(batch_first=False), TOKENS[:, :4], ["inside"], "the logits of an example must not depend on the others"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_said_in_one_line(model: nn.Module, inputs: Tensor, layers: Any, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        wrap(model, inputs, "logits" if isinstance(model, Block) else None, layers)
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)
