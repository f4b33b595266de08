"""What comes before the first unit that is taken out is computed once; logits are those of the whole network."""

from collections.abc import Callable, Iterable, Iterator

import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import TrialConfig
from autoreg.networks import Network
from autoreg.networks.build import build_network
from autoreg.surgery import Anatomy, halfway
from autoreg.surgery.anatomy import Cuts
from autoreg.surgery.halfway import Judge
from autoreg.surgery.labelled import Labelled
from tests.helpers.cuts import random_cuts
from tests.surgery.test_registered import ready

MakeConfig = Callable[..., TrialConfig]


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


class Logits(Labelled):
    """Keeps the logits that labels would be told by."""

    seen: Tensor

    def compare(self, network: nn.Module, values: Iterable[Tensor] | None = None) -> tuple[float, float]:
        given = [inputs for inputs, *_ in self.batches] if values is None else list(values)
        object.__setattr__(self, "seen", torch.cat([network(value) for value in given]))
        return super().compare(network, given)


def runs_and_error(network: Network, inputs: Tensor, cuts: Cuts, anatomy: Anatomy) -> tuple[int, float]:
    """Return how often the narrower network's first stage ran in a comparison, and how far its logits were off."""
    labels = torch.zeros(len(inputs), dtype=torch.int64)
    examples = Logits.of(network, zip(inputs.split(3), labels.split(3), strict=True))
    narrower = anatomy.narrow(cuts)
    expected, runs = narrower(inputs), []
    next(iter(narrower.stages)).register_forward_hook(lambda *_: runs.append(1))  # type: ignore[arg-type, union-attr]
    Judge(anatomy, examples).compare(narrower, cuts)
    return len(runs), float((examples.seen - expected).abs().max() / expected.abs().max())


def test_a_network_may_be_costliest_at_its_end(config: MakeConfig) -> None:
    network = build_network(config(width=0.25), (4,), 40).double().eval()
    inputs = torch.randn(5, 4, dtype=torch.float64)
    anatomy = Anatomy(network, inputs)
    assert runs_and_error(network, inputs, random_cuts(anatomy, 1), anatomy)[1] < 1e-12


@pytest.mark.parametrize(
    ("name", "whole"),
    [("mlp", ()), ("alexnet", ("conv1",)), ("alexnet", ("conv1", "conv2")), ("alexnet", ("conv1", "conv2", "fc3"))],
)
def test_a_network_goes_on_from_its_costliest_stage(config: MakeConfig, name: str, whole: tuple[str, ...]) -> None:
    network, inputs = ready(config, name, 0.25)
    anatomy = Anatomy(network, inputs)
    cuts = {site: cut for site, cut in random_cuts(anatomy, 1).items() if anatomy.sites[site].name not in whole}
    runs, error = runs_and_error(network, inputs, cuts, anatomy)
    assert (runs, error < 1e-12) == (0, True)


@pytest.mark.parametrize("name", ["alexnet", "resnet56"])
def test_a_network_that_changes_before_is_run_whole(config: MakeConfig, name: str) -> None:
    network, inputs = ready(config, name, 0.25)
    anatomy = Anatomy(network, inputs)
    cuts = {0: random_cuts(anatomy, 1)[0]}
    runs, error = runs_and_error(network, inputs, cuts, anatomy)
    assert (runs > 0, error < 1e-12) == (True, True)


def test_neighbours_that_are_taken_out_change_a_normalisation(config: MakeConfig) -> None:
    network, inputs = ready(config, "alexnet", 0.25)
    anatomy = Anatomy(network, inputs)
    [conv2] = [site for site, each in enumerate(anatomy.sites) if each.name == "conv2"]
    cuts = {conv2: random_cuts(anatomy, 1)[conv2]}
    assert anatomy.kept_after(["conv1", "pool1", "norm1", "conv2", "pool2"], cuts) is not None
    assert anatomy.kept_after(["conv1", "pool1", "norm1", "conv2", "pool2", "norm2"], cuts) is None


def test_no_more_is_kept_than_there_is_room_for(config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halfway, "ROOM", 100)
    network, inputs = ready(config, "alexnet", 0.25)
    anatomy = Anatomy(network, inputs)
    cuts = {3: random_cuts(anatomy, 1)[3]}
    runs, error = runs_and_error(network, inputs, cuts, anatomy)
    assert (runs > 0, error < 1e-12) == (True, True)
