"""What reads see, what is refused, and that the model itself stays as it is."""

from collections import defaultdict
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from autoreg.errors import ConfigError
from autoreg.networks import networks
from autoreg.surgery import Anatomy, Cut, Mend
from tests.helpers.cuts import calibrated, dropped, random_cuts

INPUTS = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double().eval()


def inception() -> tuple[nn.Module, Tensor]:
    images = torch.randn(2, 3, 75, 75, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    return calibrated(networks["inception_v3"](0.125, (3, 75, 75), 10, 0.0, auxiliary=False), images), images


def alexnet() -> tuple[nn.Module, Tensor]:
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    return networks["alexnet"](0.25, (3, 16, 16), 10, 0.0).double().eval(), images


@pytest.mark.parametrize("make", [inception, alexnet])
def test_weights_times_vectors_are_what_a_map_gives(make: Callable[[], tuple[nn.Module, Tensor]]) -> None:
    model, images = make()
    anatomy = Anatomy(model, images)
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros(()))
    outputs: dict[str, Tensor] = {}

    def take(site: int, read: int, vectors: Tensor) -> None:
        path, weight = anatomy.sites[site].reads[read].module, anatomy.weight(site, read)
        positions = anatomy.sites[site].reads[read].positions
        assert vectors.shape == (len(vectors), anatomy.sites[site].units)
        if weight.shape[2] == positions:  # a kernel of one place
            values = vectors.reshape(-1, positions, vectors.shape[1])
            sums[path] = sums[path] + torch.einsum("oup,npu->no", weight, values)

    for path, module in model.named_modules():
        module.register_forward_hook(lambda _, given, output, path=path: outputs.update({path: output}))
    anatomy.read_vectors(images, take)
    assert len(sums) > 2
    for path, values in sums.items():
        bias = model.get_submodule(path).bias
        expected = outputs[path].movedim(1, -1).flatten(0, -2)
        torch.testing.assert_close(values + (0 if bias is None else bias), expected)


def test_the_model_and_the_random_numbers_stay_as_they_are() -> None:
    model, images = alexnet()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    expected, state = model(images), torch.random.get_rng_state()
    anatomy = Anatomy(model, images)
    anatomy.read_vectors(images, lambda site, read, vectors: vectors.zero_())
    anatomy.narrow(random_cuts(anatomy, seed=0))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())
    assert torch.equal(model(images), expected)
    assert not any(module._forward_pre_hooks for module in model.modules())


class Branching(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu(inputs) if inputs.sum() > 0 else inputs


def broken() -> nn.Module:
    model = small()
    with torch.no_grad():
        model[0].weight[0, 0] = torch.nan  # type: ignore[index, operator]
    return model


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (small().train(), INPUTS, "Sequential is in training mode"),
        (Branching().eval(), INPUTS, "Branching cannot be traced by torch.fx (TraceError: "),
        (small(), INPUTS[:, :3], "Sequential cannot be run on the inputs, (3, 3): "),
        (broken(), INPUTS, "Sequential gives logits that are not finite"),
        (small()[:2].eval(), INPUTS[None], "a model must give logits, [examples, classes], got (1, 3, 6)"),
        (small().to(torch.bfloat16), INPUTS.bfloat16(), "a model must give logits of 32 or 64 bits, got torch."),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_said_in_one_line(model: nn.Module, inputs: Tensor, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Anatomy(model, inputs)
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kept", [[], [1, 0], [0, 0], [0, 6], [-1, 2]])
def test_kept_units_are_some_of_the_site_in_order(kept: list[int]) -> None:
    anatomy = Anatomy(small(), INPUTS)
    cut = Cut(torch.tensor(kept), (Mend(torch.zeros(4, 2).double(), torch.zeros(4).double()),))
    for make in (anatomy.narrow, anatomy.masked, anatomy.layout):
        with pytest.raises(ValueError, match=r"site 0: kept units are one or more of 6, ascending, got \["):
            make({0: cut})


def test_a_site_that_stays_whole_cannot_be_cut() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 3)).double().eval()
    anatomy = Anatomy(model, INPUTS)
    with pytest.raises(ValueError, match="site 0 stays whole: LayerNorm is not known to act on each unit alone"):
        anatomy.narrow(dropped(anatomy, {"0": [1]}))


class Fixed(nn.Module):
    """Depends on its width in a way that tracing cannot see."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.output = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.output(torch.relu(self.first(inputs)) / self.first.out_features)
        return logits


def test_a_narrower_model_with_other_logits_is_refused() -> None:
    anatomy = Anatomy(Fixed().double().eval(), INPUTS)
    with pytest.raises(ConfigError, match="the narrower Fixed gives other logits than the masked one, off by "):
        anatomy.narrow(dropped(anatomy, {"first": [1, 2]}))


def test_the_masked_model_sees_what_stands_for_the_removed_units() -> None:
    model = small()
    anatomy = Anatomy(model, INPUTS)
    cut = random_cuts(anatomy, seed=3, kept=2)[0]
    kept, removed, mend = cut.kept.numpy(), cut.removed(6).numpy(), cut.mends[0]
    (first, bias), (second, last) = ((each.weight.detach().numpy(), each.bias.detach().numpy()) for each in model[::2])
    hidden = (INPUTS.numpy() @ first.T + bias).clip(min=0)
    seen = hidden.copy()
    seen[:, removed] = hidden[:, kept] @ mend.matrix.numpy().T + mend.offset.numpy()
    expected = torch.from_numpy(seen @ second.T + last)
    torch.testing.assert_close(anatomy.masked({0: cut})(INPUTS), expected)
