"""Units are the features of the module that made them, wherever they stand, or the layer is refused."""

import pytest
import torch
from torch import Tensor, nn

import autoreg
from autoreg.datasets import Dataset, Split
from autoreg.errors import ConfigError
from autoreg.metrics import metrics
from autoreg.networks import Network

TOKENS = torch.randn(60, 5, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(60) % 3


class Swap(nn.Module):
    """Puts the last dimension first, or back."""

    def forward(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2)


class First(nn.Module):
    """The first of what a module gives."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *values: Tensor) -> Tensor:
        return self.module(*values)[0]


class Attention(nn.MultiheadAttention):
    """Attention of tokens to each other."""

    def __init__(self) -> None:
        super().__init__(8, 2, batch_first=True)

    def forward(self, values: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(values, values, values)[0]


class Examples(nn.Module):
    """Puts the examples second."""

    def forward(self, values: Tensor) -> Tensor:
        return values.transpose(0, 1)


class Functional(nn.Module):
    """Maps by functions, with parameters of its own."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.kernel = kind, nn.Parameter(torch.randn(7, 8, 1))

    def forward(self, values: Tensor) -> Tensor:
        if self.kind == "conv":
            return nn.functional.conv1d(values.mT, self.kernel)
        if self.kind == "linear":
            return nn.functional.linear(values, self.kernel[:, :, 0])
        return values @ self.kernel[:, :, 0].T


class Gelu(nn.Module):
    """An activation that torch does not know."""

    def forward(self, values: Tensor) -> Tensor:
        return nn.functional.gelu(values)


class Reduced(nn.Module):
    """What a module gives, reduced over dimensions."""

    def __init__(self, module: nn.Module, *dimensions: int) -> None:
        super().__init__()
        self.module, self.dimensions = module, dimensions

    def forward(self, values: Tensor) -> Tensor:
        return self.module(values).mean(self.dimensions)


class Gated(nn.Module):
    """Kernels times a gate by a Linear of their means (squeeze and excitation)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.gate = nn.Conv2d(3, 8, 1), nn.Linear(8, 8)

    def forward(self, images: Tensor) -> Tensor:
        kernels = self.convolution(images)
        return kernels * torch.sigmoid(self.gate(kernels.mean((2, 3))))[:, :, None, None]


class Heads(nn.Module):
    """Two Linears, joined by a function of torch's."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.join, self.first, self.second = getattr(torch, name), nn.Linear(8, 6), nn.Linear(8, 6)

    def forward(self, values: Tensor) -> Tensor:
        return self.join([self.first(values), self.second(values)], 1)


class Turned(nn.Module):
    """Turns the last two dimensions by a right angle."""

    def forward(self, values: Tensor) -> Tensor:
        return values.rot90(1, (1, 2))


def token_network() -> Network:
    """Two layers of units at five positions; the first has a copy of a unit."""
    torch.manual_seed(0)
    first, second = nn.Linear(8, 16), nn.Linear(16, 12)
    with torch.no_grad():
        first.weight[7] = 2 * first.weight[3]
        first.bias[7] = 2 * first.bias[3]
    stages = [
        ("first", nn.Sequential(first, nn.ReLU())), ("second", nn.Sequential(second, nn.ReLU())),
        ("flatten", nn.Flatten()), ("output", nn.Linear(60, 3)),
    ]  # fmt: skip
    return Network(stages, measured=["first", "second"]).eval()


def convolutional_twin(of: Network) -> Network:
    """The same numbers by convolutions of one position, whose units are dimension 1."""

    def convolution(linear: nn.Linear) -> nn.Conv1d:
        made = nn.Conv1d(linear.in_features, linear.out_features, 1)
        with torch.no_grad():
            made.weight.copy_(linear.weight[:, :, None])
            made.bias.copy_(linear.bias)
        return made

    first, second, _, output = of.stages
    stages = [
        ("swap", Swap()), ("first", nn.Sequential(convolution(first[0]), nn.ReLU())),
        ("second", nn.Sequential(convolution(second[0]), nn.ReLU())), ("back", Swap()), ("flatten", nn.Flatten()),
        ("output", output),
    ]  # fmt: skip
    return Network(stages, measured=["first", "second"]).eval()


@torch.inference_mode()
@pytest.mark.parametrize("metric", ["ablation", "similarity"])
def test_units_of_linear_layers_at_positions_are_measured_as_those_of_convolutions(metric: str) -> None:
    split = Split(TOKENS, LABELS)
    dataset = Dataset(split, split, split, (5, 8), 3, "tokens", evaluation_batch=25)
    tokens = token_network()
    found, expected = (metrics[metric](each, dataset, "test", 0) for each in (tokens, convolutional_twin(tokens)))
    assert found.drop("strongest", strict=False).equals(expected.drop("strongest", strict=False))
    if metric == "similarity":
        assert found.filter(layer="first", sample=0)["similar"].item().len() == 16


@torch.inference_mode()
def test_the_rest_of_a_network_takes_what_the_walk_gives() -> None:
    network = token_network()
    walked = dict(network.walk(TOKENS))
    assert {layer: tuple(values.shape) for layer, values in walked.items()} == {
        "first": (60, 16, 5), "second": (60, 12, 5),
    }  # fmt: skip
    for layer, values in walked.items():
        assert torch.equal(network.after(layer)(values), network(TOKENS))
    assert torch.equal(network.between("first", "second")(walked["first"]), walked["second"])


def test_measure_model_finds_the_units_and_the_copy() -> None:
    stages = token_network().stages
    measured = autoreg.measure_model(nn.Sequential(*stages), TOKENS, LABELS, threshold=0.9999)
    assert measured.by_layer()["units"].to_list() == [16, 12]
    assert [layer.positions for layer in measured.layers] == [5, 5]
    assert measured.by_layer()["similar_units"][0] == pytest.approx(2 / 16)


@pytest.mark.parametrize(
    ("stage", "shape", "units"),
    [
        (nn.Sequential(nn.Conv2d(3, 7, 3), nn.ReLU()), (3, 6, 6), 7),
        (nn.Sequential(nn.Conv1d(3, 7, 3), nn.BatchNorm1d(7), Gelu()), (3, 9), 7),
        (nn.Sequential(nn.Conv2d(3, 6, 3), nn.GroupNorm(2, 6), nn.MaxPool2d(2)), (3, 6, 6), 6),
        (nn.Sequential(nn.ConvTranspose2d(3, 7, 3), nn.Dropout(), nn.SiLU()), (3, 6, 6), 7),
        (nn.Sequential(nn.Linear(8, 7), nn.LayerNorm(7), Gelu()), (5, 8), 7),
        (nn.Sequential(nn.Linear(8, 7), nn.ReLU()), (4, 5, 8), 7),
        (nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.ReLU()), (5, 8), 8),
        (nn.Sequential(Swap(), nn.LayerNorm(5), nn.ReLU()), (5, 8), 5),
        (nn.Sequential(Attention(), nn.ReLU()), (5, 8), 8),
        (nn.Sequential(First(nn.LSTM(8, 6, batch_first=True)), nn.ReLU()), (5, 8), 6),
        (nn.Sequential(Functional("conv"), nn.ReLU()), (5, 8), 7),
        (nn.Sequential(nn.Conv1d(5, 5, 1), Functional("linear"), nn.ReLU()), (5, 8), 7),
        (nn.Sequential(nn.Conv2d(3, 8, 3), nn.LayerNorm([8, 6, 6]), nn.ReLU()), (3, 8, 8), 8),
        (nn.Sequential(nn.Conv2d(3, 8, 3), nn.RMSNorm([6, 5]), nn.ReLU()), (3, 8, 7), 8),
        (nn.Sequential(nn.Conv1d(3, 7, 3), nn.LayerNorm(6), nn.ReLU()), (3, 8), 7),
        (nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(5), nn.ReLU()), (5, 8), 16),
        (nn.Sequential(nn.Linear(8, 16), nn.GroupNorm(1, 5), nn.ReLU()), (5, 8), 16),
        (nn.Sequential(nn.Linear(8, 16), nn.InstanceNorm1d(5, affine=True), nn.ReLU()), (5, 8), 16),
        (nn.Sequential(Gated(), nn.ReLU()), (3, 8, 7), 8),
        (nn.Sequential(Heads("cat"), nn.ReLU()), (8,), 12),
        (nn.Sequential(Reduced(nn.Conv2d(3, 7, 3), 2, 3), nn.ReLU()), (3, 8, 8), 7),
        (nn.Sequential(Reduced(nn.Linear(8, 7), 1), nn.ReLU()), (5, 8), 7),
        (nn.Sequential(nn.Conv2d(3, 7, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.ReLU()), (3, 8, 8), 7),
    ],
)
def test_the_module_that_made_an_activation_says_where_its_units_are(
    stage: nn.Module, shape: tuple[int, ...], units: int
) -> None:
    network = Network([("layer", stage), ("flatten", nn.Flatten()), ("output", nn.Identity())], measured=["layer"])
    [(_, values)] = network.eval().walk(torch.randn(2, *shape))
    assert values.shape[1] == units


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (
            nn.Sequential(nn.Linear(8, 16), Swap(), nn.ReLU()),
            r"\(2, 16, 5\), is the units is not known: transpose gave",
        ),
        (nn.Sequential(nn.Conv1d(5, 8, 1), Swap(), nn.ReLU()), r"\(2, 8, 8\), is the units is not known: transpose"),
        (nn.Sequential(Functional("product"), nn.ReLU()), r"\(2, 5, 7\), is the units is not known: matmul gave"),
        (
            nn.Sequential(nn.Linear(8, 4), nn.Unflatten(2, (2, 2)), nn.ReLU()),
            r"\(2, 5, 2, 2\), .*: linear gave \(2, 5, 4",
        ),
        (nn.Sequential(nn.Conv1d(5, 7, 3), nn.Flatten(), nn.ReLU()), r"\(2, 42\), is .*: conv1d gave \(2, 7, 6\)"),
        (nn.Sequential(nn.Linear(8, 7), nn.Flatten(), nn.ReLU()), r"\(2, 35\), is .*: linear gave \(2, 5, 7\)"),
        (nn.Sequential(Reduced(nn.Linear(8, 7), -1), nn.ReLU()), r"\(2, 5\), is .*: linear gave \(2, 5, 7\)"),
        (nn.Sequential(Heads("stack"), nn.Flatten(2), nn.ReLU()), r"\(2, 2, 30\), is .*: stack gave \(2, 2, 5, 6\)"),
        (nn.Sequential(nn.Linear(8, 5), Turned(), nn.ReLU()), r"\(2, 5, 5\), is .*: rot90 gave \(2, 5, 5\)"),
        (
            nn.Sequential(Reduced(nn.Conv1d(5, 6, 3), 1), nn.ReLU()),
            r"\(2, 6\), is the units is not known: conv1d gave \(2, 6, 6\)",
        ),
        (nn.Sequential(nn.ReLU()), r"\(2, 5, 8\), is the units is not known: no operation of torch's made them"),
    ],
)
def test_a_layer_whose_units_are_not_known_is_refused_by_name(stage: nn.Module, words: str) -> None:
    network = Network([("odd", stage), ("flatten", nn.Flatten()), ("output", nn.Identity())], measured=["odd"])
    with pytest.raises(ConfigError, match=f"layer 'odd': which dimension of its activations, {words}") as raised:
        list(network.walk(TOKENS[:2]))
    assert "\n" not in str(raised.value)


def test_a_layer_whose_first_dimension_is_not_the_examples_is_refused_by_name() -> None:
    sequence_first = nn.Sequential(First(nn.LSTM(8, 6)), nn.ReLU())
    stages = [("swap", Examples()), ("rnn", sequence_first), ("output", nn.Identity())]
    network = Network(stages, measured=["rnn"])
    with pytest.raises(ConfigError, match=r"layer 'rnn': dimension 0 of activations is the examples, got \(5, 3, 6\)"):
        list(network.walk(TOKENS[:3]))
