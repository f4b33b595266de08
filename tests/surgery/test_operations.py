"""Units pass through what acts on each alone; where something else is met, they stay whole, and it is named."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from autoreg.surgery import Anatomy
from tests.helpers.cuts import dropped, off, random_cuts

IMAGES = torch.randn(3, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Middle(nn.Module):
    """Two convolutions with something between them, then a mean over positions and logits."""

    def __init__(self, between: Callable[[Tensor], Tensor], inputs: int = 8) -> None:
        super().__init__()
        self.between = between  # a module's parameters are the model's
        self.first, self.second, self.output = nn.Conv2d(2, 8, 3), nn.Conv2d(inputs, 6, 3, padding=1), nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu(self.second(self.between(self.first(inputs))))
        logits: Tensor = self.output(hidden.mean((2, 3)))
        return logits


def gated(values: Tensor) -> Tensor:
    return values * torch.sigmoid(values.mean((2, 3), keepdim=True))


def viewed(values: Tensor) -> Tensor:
    count, units = values.shape[0], values.shape[1]
    return values * functional.adaptive_avg_pool2d(values, 1).view(count, units, 1, 1).expand_as(values)


def norm(**options: bool) -> nn.BatchNorm2d:
    made = nn.BatchNorm2d(8, **options)
    if made.affine:
        nn.init.uniform_(made.weight, 0.5, 2)
        nn.init.normal_(made.bias)
    return made


PASSING = [
    torch.tanh, nn.GELU(), nn.PReLU(), nn.PReLU(8), norm(), norm(affine=False), nn.Dropout2d(), gated, viewed,
    nn.AvgPool2d(3, 1, 1), nn.MaxPool2d(2, ceil_mode=True), nn.LPPool2d(2, 2), nn.ReflectionPad2d(1), nn.Identity(),
    nn.LocalResponseNorm(3, alpha=0.5), nn.Conv2d(8, 8, 3, groups=8), lambda x: functional.max_pool2d(x.relu_(), 2),
    lambda x: x + x, lambda x: torch.add(x, torch.sin(torch.ones(()))), lambda x: 2 - x.clone() / 3,
    lambda x: x.to(torch.float64).contiguous(), lambda x: functional.dropout(x, training=False),
    lambda x: torch.maximum(x, x * 0.5), lambda x: torch.unsqueeze(input=x, dim=4).squeeze(-1),
    lambda x: x.amax(3, keepdim=True) + x.mean([2], keepdim=True),
]  # fmt: skip


@pytest.mark.parametrize("between", PASSING)
def test_units_pass_through_what_acts_on_each_alone(between: Callable[[Tensor], Tensor]) -> None:
    model = Middle(between).double().eval()
    anatomy = Anatomy(model, IMAGES)
    assert {site.name: site.whole for site in anatomy.sites} == {"first": None, "second": None}
    for seed in range(3):
        cuts = random_cuts(anatomy, seed)
        narrower = anatomy.narrow(cuts)
        assert off(anatomy.masked(cuts), narrower, IMAGES) < 1e-12
        assert narrower.get_submodule("first").weight.shape[0] == len(cuts[0].kept)  # type: ignore[union-attr]


class Shift(nn.Module):
    """Adds a parameter of each unit."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.randn(1, 8, 1, 1))

    def forward(self, values: Tensor) -> Tensor:
        return values + self.shift


class Twice(nn.Module):
    """Uses the same weights twice."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(8, 8, 1)

    def forward(self, values: Tensor) -> Tensor:
        return self.map(torch.relu(self.map(values)))  # type: ignore[no-any-return]


MIXING = [
    (nn.GroupNorm(2, 8), "GroupNorm is not known to act on each unit alone"), (nn.ChannelShuffle(2), "ChannelShuffle"),
    (nn.InstanceNorm2d(8), "InstanceNorm2d is"), (nn.Softmax(1), "Softmax is"), (nn.LayerNorm([8, 6, 6]), "LayerNorm"),
    (nn.AvgPool3d(3, 1, 1), "AvgPool3d is"), (lambda x: functional.softmax(x, 1), "softmax is"),
    (lambda x: x - x.mean(1, keepdim=True), "mean is"), (lambda x: x / x.norm(dim=1, keepdim=True), "norm is"),
    (lambda x: x / x.shape[1], "truediv is"), (lambda x: x.flip(1), "flip is"), (lambda x: x[:, :8], "getitem is"),
    (lambda x: x.view(-1, 8, 6, 6), "view is"), (lambda x: x.permute(0, 1, 3, 2), "permute is"),
    (lambda x: torch.cat(x.chunk(2, 1), 1), "chunk is"), (lambda x: torch.cumsum(x, 1), "cumsum is"),
    (lambda x: functional.conv2d(x, torch.ones(8, 8, 1, 1, dtype=torch.float64)), "conv2d is"),
    (lambda x: torch.flatten(input=x, start_dim=0).view(x.shape), "flatten is"),
    (lambda x: functional.max_pool2d(x, 1, return_indices=True)[0], "max_pool2d"),
    (nn.Conv2d(8, 8, 1, groups=2), "between works in 2 groups"), (Shift(), "add is"),
    (Twice(), "between.map is used more than once"), (lambda x: x * x[:, :1], "getitem is"),
]  # fmt: skip


@pytest.mark.parametrize(("between", "reason"), MIXING)
def test_units_stay_whole_before_what_is_not_known_and_it_is_named(
    between: Callable[[Tensor], Tensor], reason: str
) -> None:
    model = Middle(between).double().eval()
    anatomy = Anatomy(model, IMAGES)
    whole = {site.name: site.whole for site in anatomy.sites}
    assert whole.pop("second") is None
    assert str(whole["first"]).startswith(reason)
    assert all(whole.values())
    cuts = random_cuts(anatomy, seed=0, kept=2)
    narrower = anatomy.narrow(cuts)
    assert off(anatomy.masked(cuts), narrower, IMAGES) < 1e-12
    assert narrower.get_submodule("output").weight.shape == (3, 2)


def test_what_is_read_twice_by_one_map_is_mended_twice() -> None:
    model = Middle(lambda x: torch.cat([x, torch.tanh(x)], 1), inputs=16).double().eval()
    anatomy = Anatomy(model, IMAGES)
    assert [(read.module, read.places) for read in anatomy.sites[0].reads] == [
        ("second", tuple(range(8))), ("second", tuple(range(8, 16))),
    ]  # fmt: skip
    cuts = random_cuts(anatomy, seed=0)
    assert off(anatomy.masked(cuts), anatomy.narrow(cuts), IMAGES) < 1e-12


class Branches(nn.Module):
    """Concatenates what two convolutions make of the inputs, one with normalisation, and the inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.norm, self.right = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Conv2d(2, 4, 1)
        self.output = nn.Linear(9 * 4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        joined = torch.cat([self.norm(self.left(inputs)), inputs, self.right(inputs)], 1)
        logits: Tensor = self.output(functional.adaptive_avg_pool2d(torch.relu(joined), 2).flatten(1))
        return logits


def test_a_concatenation_is_one_site_of_which_a_branch_may_lose_all_its_units() -> None:
    model = Branches().double().eval()
    anatomy = Anatomy(model, IMAGES)
    [site] = anatomy.sites
    assert (site.units, site.reads[0].positions) == (7, 4)
    assert site.reads[0].places == (0, 4, 8, 20, 24, 28, 32)  # the inputs are no units
    narrower = anatomy.narrow(cuts := dropped(anatomy, {"left": [0, 1, 2, 4]}))
    assert off(anatomy.masked(cuts), narrower, IMAGES) < 1e-12
    assert narrower.left.out_channels == 1  # PyTorch has no convolution of none; its weights behind are 0
    assert not narrower.output.weight[:, :4].any()  # type: ignore[index, operator]


def test_a_unit_that_must_stay_is_not_read() -> None:
    model = Branches().double().eval()
    model.left, model.norm, model.right = nn.Conv2d(2, 1, 1), nn.BatchNorm2d(1), nn.Conv2d(2, 1, 1)
    model.output = nn.Linear(4 * 4, 3)
    anatomy = Anatomy(model.double().eval(), IMAGES)
    cuts = random_cuts(anatomy, seed=0, kept=1)
    assert off(anatomy.masked(cuts), anatomy.narrow(cuts), IMAGES) < 1e-12


def test_units_are_found_along_the_last_dimension_of_sequences_and_not_where_they_are_pooled() -> None:
    maps = [
        nn.Linear(4, 6),
        nn.ReLU(),
        nn.Linear(6, 6),
        nn.Tanh(),
        nn.AvgPool1d(3, 1, 1),
        nn.Flatten(),
        nn.Linear(30, 3),
    ]
    model = nn.Sequential(*maps).double().eval()
    sequences = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    anatomy = Anatomy(model, sequences)
    assert [(site.name, site.whole) for site in anatomy.sites] == [
        ("0", None), ("2", "AvgPool1d is not known to act on each unit alone")
    ]  # fmt: skip
    cuts = random_cuts(anatomy, seed=0)
    assert off(anatomy.masked(cuts), anatomy.narrow(cuts), sequences) < 1e-12


def test_parametrized_weights_become_plain_ones() -> None:
    model = nn.Sequential(weight_norm(nn.Linear(4, 6)), nn.ReLU(), weight_norm(nn.Linear(6, 3))).double().eval()
    anatomy = Anatomy(model, inputs := torch.ones(2, 4, dtype=torch.float64))
    narrower = anatomy.narrow(cuts := random_cuts(anatomy, seed=0))
    assert list(narrower.state_dict()) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    assert off(anatomy.masked(cuts), narrower, inputs) < 1e-12


def test_a_module_with_a_hook_may_do_anything() -> None:
    model = Middle(nn.Identity()).double().eval()
    model.second.register_forward_hook(lambda module, given, output: output - output.mean(1, keepdim=True))
    whole = {site.name: site.whole for site in Anatomy(model, IMAGES).sites}
    assert whole == {"first": "Conv2d is not known to act on each unit alone"}


def test_a_volume_and_a_signal_have_units_too() -> None:
    for convolution, norm, shape in (
        (nn.Conv1d, nn.BatchNorm1d, (2, 2, 7)), (nn.Conv3d, nn.BatchNorm3d, (2, 2, 4, 4, 4))
    ):  # fmt: skip
        inputs = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        maps = [convolution(2, 6, 3, padding=1), norm(6), nn.ReLU(), convolution(6, 5, 3, padding="same"), nn.Flatten()]
        size = 5 * inputs[0, 0].numel()
        model = nn.Sequential(*maps, nn.BatchNorm1d(size), nn.Linear(size, 3)).double().eval()
        anatomy = Anatomy(model, inputs)
        cuts = random_cuts(anatomy, seed=0)
        assert len(cuts) == 2
        assert off(anatomy.masked(cuts), anatomy.narrow(cuts), inputs) < 1e-12
