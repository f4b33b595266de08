"""A model of one's own is measured in two lines, with the numbers that a trial of a sweep would get."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from polars.testing import assert_frame_equal
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.utils.data import DataLoader, TensorDataset

import autoreg
from autoreg.config.trial import TrialConfig
from autoreg.database.writer import Writer
from autoreg.errors import ConfigError
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.runs.folder import Runs
from autoreg.training.loop import train_trial
from tests.helpers.records import write_record

DATA = torch.randn(200, 6, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(200) % 3


def model_with_copies() -> nn.Sequential:
    """Eight units of which six are copies of two, so that each of these has three or two similar ones."""
    first = nn.Linear(6, 8, bias=False)
    with torch.no_grad():
        first.weight.zero_()
        for unit, source in enumerate([0, 0, 0, 0, 1, 1, 1, 2]):
            first.weight[unit, source] = 1.0 + unit
    return nn.Sequential(first, nn.Tanh(), nn.Linear(8, 3))


def test_copies_of_a_unit_are_repeated_units() -> None:
    measured = autoreg.measure_model(model_with_copies(), DATA)
    assert measured.by_layer()["similar_units"].to_list() == [pytest.approx((4 * 3 + 3 * 2) / 8)]
    [row] = measured.scores().to_dicts()
    assert row["similar_units"] == pytest.approx(18 / 8)
    assert row["dead_share"] == 0
    assert repr(measured).startswith("<measures as released: auc 0.")
    assert "similar_units 2.25" in repr(measured)
    assert "<td>2.25</td>" in measured._repr_html_()


def test_units_that_the_output_does_not_look_at_are_removable() -> None:
    model = model_with_copies()
    with torch.no_grad():
        model[2].weight.zero_()
    measured = autoreg.measure_model(model, DATA)
    for definition in ("released", "text"):
        assert measured.scores(definition)["auc"].to_list() == [1.0]
        assert measured.by_layer(definition)["auc"].to_list() == [1.0]
        assert set(measured.curves(definition)["unchanged"]) == {1.0}


def test_a_loader_is_as_good_as_tensors_and_without_labels_there_is_no_accuracy() -> None:
    labels = torch.arange(200) % 3
    given = autoreg.measure_model(model_with_copies(), DATA, labels)
    loaded = autoreg.measure_model(model_with_copies(), DataLoader(TensorDataset(DATA, labels), batch_size=64))
    assert given.rows["similarity"].equals(loaded.rows["similarity"])
    unlabelled = autoreg.measure_model(model_with_copies(), DATA)
    assert all(math.isnan(value) for value in unlabelled.rows["ablation"]["accuracy"])
    assert given.rows["ablation"]["accuracy"].is_between(0, 1).all()


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [
        (DATA, LABELS[:, None]),
        (DATA, LABELS.to(torch.uint8)),
        (DATA, LABELS.numpy()),
        (DATA, LABELS.tolist()),
        (DATA.numpy().astype(np.float64), LABELS.numpy()[:, None]),
        (DATA.tolist(), LABELS.tolist()),
        ([(DATA[:90], LABELS[:90, None]), (DATA[90:], LABELS[90:, None])], None),
        ([(DATA[:90].numpy(), LABELS[:90].numpy()), (DATA[90:].numpy(), LABELS[90:].numpy())], None),
    ],
)
def test_labels_and_inputs_may_be_of_any_usual_kind(inputs: Any, labels: Any) -> None:
    model = model_with_copies()
    predicted = model(DATA).argmax(1)
    measured = autoreg.measure_model(model, inputs, labels, samples=1)
    intact = measured.rows["ablation"].filter(fraction=0.0)["accuracy"].unique().to_list()
    assert intact == pytest.approx([(predicted == LABELS).double().mean().item()])
    assert measured.rows["similarity"].equals(autoreg.measure_model(model, DATA, samples=1).rows["similarity"])


def test_a_single_logit_is_refused_and_the_two_of_it_are_measured() -> None:
    class Both(nn.Module):
        def forward(self, logit: Tensor) -> Tensor:
            return torch.cat([-logit, logit], 1)

    torch.manual_seed(0)
    first, output = nn.Linear(6, 8), nn.Linear(8, 1)
    with torch.no_grad():
        output.bias -= output(first(DATA).relu()).median()
    with pytest.raises(ConfigError, match=r"a logit for each class, got one; of a logit z, give torch\.cat"):
        autoreg.measure_model(nn.Sequential(first, nn.ReLU(), output), DATA)
    model = nn.Sequential(first, nn.ReLU(), output, Both())
    positive = (output(first(DATA).relu()) > 0)[:, 0]
    measured = autoreg.measure_model(model, DATA, positive, samples=1)
    assert measured.rows["ablation"].filter(fraction=0.0)["accuracy"].unique().to_list() == [1.0]
    assert measured.scores()["auc"][0] < 1.0


def test_tokens_and_other_precisions_are_measured_as_the_model_takes_them() -> None:
    tokens = torch.randint(50, (200, 4), generator=torch.Generator().manual_seed(2))
    words = nn.Sequential(nn.Embedding(50, 3), nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
    assert autoreg.measure_model(words, tokens, samples=1).by_layer()["units"].to_list() == [8]
    single = autoreg.measure_model(model_with_copies(), DATA, samples=1)
    double = autoreg.measure_model(model_with_copies().double(), DATA.double(), samples=1)
    half = autoreg.measure_model(model_with_copies().bfloat16(), DATA.bfloat16(), samples=1)
    for other in (double, half):
        assert other.by_layer()["similar_units"].to_list() == single.by_layer()["similar_units"].to_list()


@pytest.mark.parametrize("definition", ["released", "text"])
def test_a_trials_network_has_the_scores_that_results_db_has(
    runs: Runs, tmp_path: Path, config: Callable[..., TrialConfig], sweep_record: Callable[..., dict], definition: str
) -> None:  # fmt: skip
    trial = config()
    folder = runs.trial(trial.trial_id)
    train_trial(trial, folder)
    wanted = [one for name in ("ablation", "similarity") for one in measurements_of(name, {}, ["test"])]
    measure_trial(folder, wanted)
    record = sweep_record([folder])
    record["sweep_measurements"] = [
        {"metric": one.metric, "split": one.split, "measurement_id": one.measurement_id} for one in wanted
    ]
    write_record(runs, record)
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_trial(folder)
    writer.queue_sweep(record["sweep_id"])
    assert writer.commit()
    sql = "select auc, similar_units, dead_share from trial_scores where definition = $definition"
    stored = autoreg.Results(tmp_path / "results.db").query(sql, definition=definition)

    loaded = autoreg.load_trial(trial.trial_id, runs=runs.root)
    test = loaded.dataset.test
    measured = autoreg.measure_model(loaded.network, test.inputs.float(), test.labels)
    assert measured.scores(definition).row(0) == pytest.approx(stored.row(0))


@pytest.mark.parametrize(
    ("inputs", "labels", "words"),
    [
        (DATA[:0], None, "there must be examples, and a label for each, got 0 and none"),
        (DATA, torch.zeros(3), "there must be examples, and a label for each, got 200 and 3"),
        (DATA, torch.tensor(1), "there must be examples, and a label for each, got 200 and a single number"),
        ([], None, "there must be examples, and a label for each, got 0 and none"),
        (DATA.to_sparse(), None, "inputs are dense tensors, got torch.sparse_coo: use to_dense()"),
        ([DATA], None, "a loader gives pairs of inputs and labels"),
        ([(DATA, LABELS[:150]), (DATA[:150], LABELS)], None, "there must be examples, and a label for each, got 200"),
        (
            DATA,
            nn.functional.one_hot(LABELS),
            "labels are the numbers of classes, [examples], got (200, 3): use argmax",
        ),
        (DATA, LABELS.float(), "labels are whole numbers, got torch.float32"),
        (DATA, LABELS + 1, "labels are 0 to 2, one for each logit, got 1 to 3"),
        (DATA, LABELS - 1, "labels are 0 to 2, one for each logit, got -1 to 1"),
        (DATA, ["cat"] * 200, "inputs and labels are numbers, got list"),
        (DATA.reshape(100, 12), None, "the model cannot be run on the inputs, (2, 12)"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(inputs: Tensor, labels: Tensor | None, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        autoreg.measure_model(model_with_copies(), inputs, labels)
    assert str(raised.value).startswith(words)


@pytest.mark.parametrize(
    ("model", "batch_size", "words"),
    [
        (model_with_copies().state_dict(), 250, "a model is a torch.nn.Module, got OrderedDict"),
        (model_with_copies().forward, 250, "a model is a torch.nn.Module, got method"),
        (model_with_copies(), 0, "batch_size is a whole number from 1, got 0"),
        (model_with_copies(), 2.5, "batch_size is a whole number from 1, got 2.5"),
    ],
)
def test_what_is_no_model_or_no_batch_is_said_in_one_line(model: Any, batch_size: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        autoreg.measure_model(model, DATA, batch_size=batch_size)


def test_an_option_goes_to_every_metric_that_has_it_and_an_unknown_one_is_an_error() -> None:
    measured = autoreg.measure_model(model_with_copies(), DATA, samples=2, fractions=3)
    assert {metric: rows["sample"].n_unique() for metric, rows in measured.rows.items()} == {
        "ablation": 2,
        "similarity": 2,
    }
    assert measured.rows["ablation"]["fraction"].n_unique() == 3
    with pytest.raises(ConfigError, match=r"no metric has an option 'sample'; did you mean 'samples'\?"):
        autoreg.measure_model(model_with_copies(), DATA, sample=2)
    with pytest.raises(ConfigError, match=r"option 'threshold' of metric 'similarity' should be less than 1, got 2"):
        autoreg.measure_model(model_with_copies(), DATA, threshold=2)


def test_an_unknown_definition_is_an_error() -> None:
    measured = autoreg.measure_model(model_with_copies(), DATA, samples=1)
    with pytest.raises(ConfigError, match="definition must be released or text, got 'paper'"):
        measured.scores("paper")


class Several(nn.Module):
    """Gives its logits among others."""

    def __init__(self, model: nn.Module, part: str | int | None) -> None:
        super().__init__()
        self.inside, self.part = model, part

    def forward(self, inputs: Tensor) -> Any:
        logits = self.inside(inputs)
        if self.part is None:
            return logits
        return {"logits": logits, "inputs": inputs} if isinstance(self.part, str) else (inputs, logits)


def plain() -> tuple[nn.Sequential, Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3)), torch.randn(60, 6)


@pytest.mark.parametrize("part", ["logits", 1], ids=["dict", "tuple"])
def test_logits_among_several_outputs_are_named(part: str | int) -> None:
    model, inputs = plain()
    expected = autoreg.measure_model(Several(model, None), inputs).by_layer()
    assert_frame_equal(autoreg.measure_model(Several(model, part), inputs, logits=part).by_layer(), expected)
    with pytest.raises(ConfigError, match=r"got a (dict of 'logits', 'inputs'|tuple of 2): logits=… names it"):
        autoreg.measure_model(Several(model, part), inputs)
    with pytest.raises(ConfigError, match=r"the model has no output 'prob'; it gives a (dict of|tuple of 2)"):
        autoreg.measure_model(Several(model, part), inputs, logits="prob")


def test_what_stands_around_a_model_is_taken_off() -> None:
    model, inputs = plain()
    expected = autoreg.measure_model(model, inputs).by_layer()
    for around in (nn.DataParallel(model), torch.compile(model), torch.compile(nn.DataParallel(model))):
        assert_frame_equal(autoreg.measure_model(around, inputs).by_layer(), expected)


@pytest.mark.parametrize("way", ["pruned", "weight_norm", "spectral_norm"])
def test_a_model_whose_weights_are_worked_out_of_others_has_the_scores_of_their_values(way: str) -> None:
    model, inputs = plain()
    if way == "pruned":
        prune.random_unstructured(model[0], "weight", 0.5)
    else:
        getattr(torch.nn.utils.parametrizations, way)(model[0])
    model(inputs)  # as training does, after which the weight is no parameter
    measured = autoreg.measure_model(model.eval(), inputs).by_layer()
    fixed, _ = plain()
    for at in (0, 2, 4):
        fixed[at].load_state_dict({"weight": model[at].weight, "bias": model[at].bias})
    assert_frame_equal(measured, autoreg.measure_model(fixed, inputs).by_layer())


def test_volumes_and_double_precision_are_measured() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv3d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8, 3))
    assert autoreg.measure_model(model, torch.randn(20, 1, 4, 4, 4)).by_layer()["units"].to_list() == [4]
    model, inputs = plain()
    expected = autoreg.measure_model(model, inputs).by_layer()
    assert autoreg.measure_model(model.double(), inputs.double()).by_layer()["units"].equals(expected["units"])


@pytest.mark.parametrize(
    ("watched", "patience", "is_told"), [(True, 0.0, True), (True, 60.0, False), (False, 0.0, False)]
)
def test_who_waits_for_it_at_a_terminal_is_told_how_far_it_is(
    watched: bool, patience: float, is_told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("autoreg.metrics.progress.SECONDS_BETWEEN_LINES", patience)
    monkeypatch.setattr("sys.stderr.isatty", lambda: watched)
    autoreg.measure_model(model_with_copies(), DATA, batch_size=100)
    told = capsys.readouterr()
    assert told.out == ""
    for metric in ("ablation", "similarity"):
        assert told.err.count(f"measuring {metric}: 100 of 200 examples\n") == is_told, told.err
    assert bool(told.err) == is_told


@pytest.mark.parametrize("take", [autoreg.measure_model, autoreg.compress])
@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        ("resnet18", DATA, "a model is a torch.nn.Module, got str"),
        (nn.Sequential(nn.Linear(6, 3, device="meta")), DATA, "got one on the meta device: load them first"),
        (model_with_copies(), None, "inputs are a tensor, an array, lists or a loader, got NoneType"),
    ],
)
def test_what_is_no_model_and_no_inputs_is_refused_in_one_line(
    take: Callable[..., object], model: Any, inputs: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        take(model, inputs)


@pytest.mark.parametrize("part", [0, "logits"])
def test_a_part_of_the_only_output_is_refused(part: Any) -> None:
    with pytest.raises(ConfigError, match=f"the model has no output {part!r}; it gives a Tensor"):
        autoreg.measure_model(model_with_copies(), DATA, logits=part)
