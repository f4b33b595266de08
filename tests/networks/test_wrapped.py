"""Any model is cut into stages that compute the same, and is measured where activations end a layer."""

import warnings
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from autoreg.errors import ConfigError, ModelWarning
from autoreg.networks.wrapped import wrap

SMALL = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def sequential() -> nn.Sequential:
    layers = [
        ("first", nn.Linear(4, 8)), ("relu", nn.ReLU(inplace=True)), ("drop", nn.Dropout(0.5)),
        ("second", nn.Linear(8, 5)), ("gelu", nn.GELU()), ("output", nn.Linear(5, 3)),
    ]  # fmt: skip
    return nn.Sequential(OrderedDict(layers))


class Residual(nn.Module):
    """One block with a shortcut, written with functions that work in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.output = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        before = functional.relu(self.first(inputs), inplace=True)
        inside = torch.tanh(self.second(before))
        inside += before
        after = functional.relu(inside, inplace=True)
        after *= 2.0
        logits: Tensor = self.output(after)
        return logits


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("alexnet", [*(f"features_{place}" for place in (1, 4, 7, 9, 11)), "classifier_2", "classifier_5"]),
        ("resnet18", ["relu", *(f"layer{layer}_{block}_relu" for layer in (1, 2, 3, 4) for block in (0, 1))]),
    ],
)  # fmt: skip
def test_a_torchvision_model_computes_the_same_in_stages(name: str, layers: list[str]) -> None:
    model = torchvision.models.get_model(name, weights=None).eval()
    network = wrap(model, IMAGES)
    assert network.measured == tuple(layers)
    with torch.inference_mode():
        torch.testing.assert_close(network(IMAGES), model(IMAGES), rtol=1e-3, atol=1e-4)


def test_the_activations_are_those_of_the_models_own_modules() -> None:
    model, seen = sequential().eval(), {}

    def remember(name: str) -> Any:
        return lambda module, given, output: seen.update({name: output.clone()})

    for name in ("relu", "gelu"):
        getattr(model, name).register_forward_hook(remember(name))
    network = wrap(model, SMALL)
    walked = dict(network.walk(SMALL))
    model(SMALL)
    assert list(walked) == ["relu", "gelu"]
    for name, values in walked.items():
        assert torch.equal(values, seen[name])


def test_the_model_itself_is_not_changed() -> None:
    model = sequential().train()
    before = [parameter.clone() for parameter in model.parameters()]
    network = wrap(model, SMALL)
    assert model.training
    assert not network.training
    assert model.relu.inplace  # type: ignore[union-attr]
    with torch.no_grad():
        next(network.parameters()).fill_(1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_images_may_be_viewed_as_vectors() -> None:
    class Viewed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.output = nn.Conv2d(3, 4, 3), nn.Linear(4 * 31 * 31, 3)

        def forward(self, images: Tensor) -> Tensor:
            count, _, height, breadth = images.shape
            pooled = functional.max_pool2d(torch.relu(self.first(images)), 2)
            logits: Tensor = self.output(pooled.view(count, 4 * (height // 2 - 1) * (breadth // 2 - 1)))
            return logits

    model = Viewed().eval()
    network = wrap(model, IMAGES)
    assert network.measured == ("relu",)
    torch.testing.assert_close(network(IMAGES), model(IMAGES))


def test_what_lies_within_a_branch_is_not_measured_and_nothing_works_on_what_is() -> None:
    model = Residual().eval()
    network = wrap(model, SMALL)
    assert network.measured == ("relu", "relu_1")
    walked = dict(network.walk(SMALL))
    kept = walked["relu_1"].clone()
    torch.testing.assert_close(network.after("relu_1")(walked["relu_1"]), model(SMALL))
    assert torch.equal(walked["relu_1"], kept)


def test_volumes_are_measured_too() -> None:
    model = nn.Sequential(nn.Conv3d(1, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    volumes = torch.randn(2, 1, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    [(_, values)] = wrap(model, volumes).walk(volumes)
    assert torch.equal(values, model[:2](volumes))


class Asking(nn.Module):
    """Asks its inputs something first, and uses it last."""

    def __init__(self, ask: Callable[[Tensor], Any], use: Callable[[Tensor, Any], Tensor]) -> None:
        super().__init__()
        self.ask, self.use = ask, use
        self.first, self.second, self.output = nn.Linear(4, 6), nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        answer = self.ask(inputs)
        hidden = torch.relu(self.second(torch.relu(self.first(inputs))))
        logits: Tensor = self.output(self.use(hidden, answer))
        return logits


@pytest.mark.parametrize(
    ("ask", "use"),
    [
        (lambda x: x.size(0), lambda hidden, count: hidden.view(count, -1)),
        (lambda x: x.shape[0], lambda hidden, count: hidden.view(count, -1)),
        (lambda x: x.size(1), lambda hidden, features: hidden.view(-1, features)),
        (lambda x: x.shape, lambda hidden, shape: hidden.view(shape)),
        (lambda x: x.size(0) * x.size(1), lambda hidden, size: hidden.reshape(size).reshape(-1, 4)),
        (lambda x: (x.shape[0] * 2, x.size(-1) // 2), lambda hidden, sizes: hidden.reshape(sizes).reshape(-1, 4)),
        (lambda x: x.numel() // x.shape[1], lambda hidden, count: hidden.view(count, -1)),
        (lambda x: x.size(1) ** -0.5, lambda hidden, scale: hidden * scale),
        (lambda x: x.dtype, lambda hidden, dtype: hidden.double().to(dtype)),
        (lambda x: x.device, lambda hidden, device: hidden.to(device)),
    ],
)
def test_a_model_that_asks_early_for_sizes_has_all_its_layers(
    ask: Callable[[Tensor], Any], use: Callable[[Tensor, Any], Tensor]
) -> None:
    model, more = Asking(ask, use).eval(), torch.randn(7, 4, generator=torch.Generator().manual_seed(1))
    network = wrap(model, SMALL)
    assert network.measured == ("relu", "relu_1")
    assert torch.equal(network(more), model(more))


def test_a_model_that_asks_for_what_values_say_is_not_cut_there() -> None:
    asking = Asking(lambda x: x.argmax(1, keepdim=True), lambda hidden, place: hidden * place)
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), asking)
    with pytest.warns(ModelWarning, match=r"^Sequential: 1 of 2 layers .*: 2\.argmax \(argmax, relu, mul\)$"):
        assert wrap(model, SMALL).measured == ("1",)


@pytest.mark.parametrize(
    "use", [lambda hidden, mask: torch.relu(hidden * mask), lambda hidden, mask: torch.maximum(hidden, mask)]
)
def test_layers_that_inputs_are_read_past_are_named(use: Callable[[Tensor, Any], Tensor]) -> None:
    model = Asking(lambda x: (x != 0).float(), use).eval()
    with pytest.warns(ModelWarning, match=r"^Asking: 1 of 2 layers are not measured, .*: relu \(relu\)$"):
        assert len(wrap(model, SMALL).measured) == 1


def test_a_model_may_call_what_every_module_has_a_method_of() -> None:
    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.output = nn.Linear(4, 6), nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            logits: Tensor = self.output(torch.relu(self.first(inputs.to(torch.float32))))
            return logits

    assert wrap(Cast(), SMALL).measured == ("relu",)


class Middle(nn.Module):
    """Has a given activation in the middle."""

    def __init__(self, activation: Any) -> None:
        super().__init__()
        self.activation, self.first, self.output = activation, nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.output(self.activation(self.first(inputs)))
        return logits


@pytest.mark.parametrize(
    "activation",
    [
        functional.relu_, torch.relu_, lambda x: x.relu_(), lambda x: x.clamp(min=0), lambda x: x.clamp_min(0),
        lambda x: torch.maximum(x, torch.zeros(())), lambda x: functional.threshold(x, 0, 0), functional.rrelu,
        functional.logsigmoid, nn.Softshrink(), nn.Hardshrink(), nn.Tanhshrink(), nn.LogSigmoid(),
    ],
)  # fmt: skip
def test_every_activation_of_torchs_ends_a_layer_in_any_form(activation: Any) -> None:
    assert len(wrap(Middle(activation).eval(), SMALL).measured) == 1


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        (lambda x: x * torch.sigmoid(x), r"sigmoid \(sigmoid, mul\)"),
        (lambda x: x * x, r"mul \(mul\)"),
        (lambda x: torch.cat([x.relu(), x.tanh()], 1)[:, :6], r"relu \(relu, tanh\)"),
        (torch.sin, r"sin \(sin\)"),
        (lambda x: x.exp(), r"exp \(exp\)"),
        (nn.Softmax(1), r"activation \(Softmax\)"),
        (nn.Softmin(1), r"activation \(Softmin\)"),
    ],
)  # fmt: skip
def test_what_stands_between_two_layers_and_is_not_measured_is_named(activation: Any, named: str) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), Middle(activation))
    with pytest.warns(ModelWarning, match=rf"^Sequential: 1 of 2 layers are not measured, since .*: 2\.{named}$"):
        assert wrap(model, SMALL).measured == ("1",)


@pytest.mark.parametrize("ends", [[nn.Sigmoid(), nn.Flatten()], [nn.Tanh(), nn.Softmax(1)]])
def test_nothing_behind_the_last_map_is_measured(ends: list[nn.Module]) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), *ends)
    assert wrap(model, SMALL).measured == ("1",)


@pytest.mark.parametrize("start", [nn.Hardtanh(), nn.Tanh(), nn.Sequential(nn.Hardtanh(), nn.Sigmoid())])
def test_what_acts_on_inputs_before_the_first_weights_is_no_layer(start: nn.Module) -> None:
    model = nn.Sequential(start, nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 62 * 62, 3))
    assert wrap(model, IMAGES).measured == ("2",)


def test_a_layer_with_two_activation_functions_is_measured_once_at_the_last_one() -> None:
    model = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Hardtanh(0, 6), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)
    )
    assert wrap(model, SMALL).measured == ("3", "5")


class Prototypes(nn.Module):
    """Compares its inputs with a vector for each class."""

    def __init__(self, compare: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.vectors, self.compare = nn.Parameter(torch.randn(3, 6)), compare

    def forward(self, inputs: Tensor) -> Tensor:
        return self.compare(inputs, self.vectors)


@pytest.mark.parametrize(
    "compare",
    [
        torch.cdist,
        lambda inputs, vectors: (inputs[:, None] * vectors).sum(2),
        lambda inputs, vectors: functional.cosine_similarity(inputs[:, None], functional.normalize(vectors)[None], 2),
    ],
)
def test_the_layer_before_an_output_that_is_no_matrix_product_is_measured(compare: Any) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), Prototypes(compare))
    assert wrap(model, SMALL).measured == ("1", "3")


def test_layers_between_quantized_weights_are_not_dropped_in_silence() -> None:
    model = nn.Sequential(nn.Conv1d(1, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = torch.ao.quantization.quantize_dynamic(model, {nn.Linear})  # type: ignore[no-untyped-call]
    with pytest.raises(ConfigError, match="layer '4': which dimension of its activations"):
        wrap(quantized, SMALL[:, None])


def locked() -> nn.Sequential:
    """A model that holds what Python cannot copy."""
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    model.lock = Lock()  # type: ignore[assignment]
    return model


class Branching(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu(inputs) if inputs.sum() > 0 else inputs


class Pairs(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu(inputs).sum(1)


@pytest.mark.parametrize(
    ("model", "example", "words"),
    [
        (Branching(), SMALL, "Branching cannot be traced by torch.fx; name modules, layers=[…], or write its stages"),
        (locked(), SMALL, "Sequential cannot be copied: cannot pickle '_thread.lock' object"),
        (nn.Sequential(nn.ReLU(), nn.Flatten()), SMALL, "Sequential has no hidden activation"),
        (nn.Linear(4, 3), SMALL, "Linear has no hidden activation"),
        (nn.Sequential(nn.Linear(4, 3), nn.ReLU()), SMALL, "Sequential has no hidden activation"),
        (sequential(), IMAGES, "the model cannot be run on the inputs, (2, 3, 64, 64)"),
        (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3), Pairs()), SMALL, "a model must give logits"),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_said_in_one_line(model: nn.Module, example: Tensor, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        wrap(model, example)
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)
