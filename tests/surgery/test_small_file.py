"""The file of a small network: a fresh model becomes the narrower one, bit for bit, or an error says why not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import autoreg
from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError, DataError
from autoreg.surgery import Anatomy
from autoreg.surgery.small_file import exported, write_small
from autoreg.training import checkpoints
from tests.helpers.cuts import calibrated, dropped, random_cuts
from tests.networks.test_networks import built
from tests.surgery.test_compress import INPUTS, Branching, perceptron, planted

MakeConfig = Callable[..., TrialConfig]


@pytest.mark.parametrize("name", ["mlp", "alexnet", "resnet56"])
def test_a_fresh_network_becomes_the_narrower_one(config: MakeConfig, tmp_path: Path, name: str) -> None:
    network, inputs = built(config, name, 0.25)
    inputs = inputs.double()
    calibrated(network, inputs)
    anatomy = Anatomy(network, inputs)
    cuts = random_cuts(anatomy, seed=3)  # with offsets, for which padded convolutions read a constant unit
    narrower = anatomy.narrow(cuts)
    write_small(tmp_path / "small.pt", narrower, anatomy.layout(cuts), inputs[:1], {})
    fresh, _ = built(config, name, 0.25)
    fresh.double()
    before = {path: values.clone() for path, values in fresh.state_dict().items()}
    again = autoreg.narrow(fresh, tmp_path / "small.pt")
    with torch.inference_mode():
        assert torch.equal(again(inputs), narrower(inputs))
    assert not any(module.training for module in again.modules())
    assert all(torch.equal(values, before[path]) for path, values in fresh.state_dict().items())


@pytest.mark.parametrize("sites", [["conv1", "conv2", "fc3"], ["fc4"]], ids=["placed", "as it was"])
def test_an_exported_alexnet_computes_the_same_for_batches_of_any_size(
    config: MakeConfig, tmp_path: Path, sites: list[str]
) -> None:
    network, inputs = built(config, "alexnet", 0.25)
    anatomy = Anatomy(network.eval(), inputs)
    narrower = anatomy.narrow(dropped(anatomy, {site: [0, 2, 5] for site in sites}))
    example = 1 + inputs[:2].abs()
    (tmp_path / "small.pt2").write_bytes(exported(narrower, example))
    loaded = torch.export.load(tmp_path / "small.pt2")
    program, [[kept], _] = loaded.module(), loaded.example_inputs
    assert kept.shape == example.shape
    assert not (kept == example).any(), "an example is private"
    for count in (1, 2, 5):
        batch = torch.rand(count, *inputs.shape[1:], generator=torch.Generator().manual_seed(count))
        assert torch.equal(program(batch), narrower(batch))


def test_what_cannot_be_exported_is_said_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^Branching cannot be exported by torch\.export \([^\n]+\)$"):
        exported(Branching(), INPUTS[:2])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "small.pt"
    autoreg.compress(planted(), INPUTS, INPUTS.argmax(1) % 3).save(path)
    return path


def test_the_file_is_plain_data_that_says_where_it_comes_from(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    assert content["provenance"]["surgery"] == "rebuild"
    assert content["provenance"]["bound"] < content["provenance"]["unchanged"]
    assert content["provenance"]["autoreg"] == autoreg.__version__
    assert not any((values == INPUTS).all(1).any() for values in content["probe"]["inputs"]), "an example is private"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (perceptron(units=23), "0 is a Linear of [6, 23], in what was narrowed a Linear of [6, 24]"),
        (
            nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3), nn.Linear(3, 3)),
            'Error(s) in loading state_dict for Sequential: Missing key(s) in state_dict: "3.weight"',
        ),
        (perceptron(nn.Tanh), "with the file's weights it gives other logits"),
        (nn.Conv2d(3, 3, 3), "the layout is that of another model"),
    ],
)
def test_the_file_of_another_model_is_refused(saved: Path, model: nn.Module, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        autoreg.narrow(model, saved)
    assert str(raised.value).startswith(f"small.pt is of another model than this {type(model).__name__}: {words}")
    assert "\n" not in str(raised.value)


def test_a_damaged_file_is_refused(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    weight = torch.load(saved, weights_only=True)["network"]["0.weight"].numpy().tobytes()
    changed = content.replace(weight, bytes([weight[0] ^ 1]) + weight[1:])
    assert changed != content
    for damaged in (changed, content[:-100], content[:100], b""):
        (tmp_path / "small.pt").write_bytes(damaged)
        with pytest.raises(DataError, match=r"^small\.pt (was damaged|cannot be read)[^\n]+$"):
            autoreg.narrow(perceptron(), tmp_path / "small.pt")


def test_a_missing_file_and_another_kind_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^small\.pt is missing$"):
        autoreg.narrow(perceptron(), tmp_path / "small.pt")
    checkpoints.save(tmp_path / "checkpoint.pt", {"trial_id": "x", "network": perceptron().state_dict()})
    with pytest.raises(DataError, match=r"^checkpoint\.pt is not what autoreg\.compress writes: it has trial_id, net"):
        autoreg.narrow(perceptron(), tmp_path / "checkpoint.pt")
