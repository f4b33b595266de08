"""Similarity equals numpy.corrcoef; dead units have no correlation and are counted apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from autoreg.datasets import Dataset, Split
from autoreg.errors import DataError
from autoreg.metrics import similarity as module
from autoreg.metrics.similarity import correlate, similarity
from autoreg.networks import Network


def vectors(count: int = 500, units: int = 40, seed: int = 0) -> torch.Tensor:
    """Rectified activations of units that share causes, so that |r| spreads from 0 to 1."""
    generator = torch.Generator().manual_seed(seed)
    causes = torch.randn(count, 6, generator=generator)
    mixing = torch.randn(6, units, generator=generator)
    return (causes @ mixing + 0.7 * torch.randn(count, units, generator=generator)).relu()


@pytest.mark.parametrize("block", [7, 16, 512])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_it_equals_numpys_corrcoef_however_it_is_cut(
    block: int, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    given = vectors() + offset
    strength = np.abs(np.corrcoef(given.double().numpy().T))
    np.fill_diagonal(strength, -1)
    found = correlate(given, 0.5)
    assert found.similar.tolist() == (strength >= 0.5).sum(0).tolist()
    np.testing.assert_allclose(found.strongest.numpy(), strength.max(0), atol=2e-4 if offset else 1e-5)
    upper = strength[np.triu_indices(len(strength), 1)]
    expected = np.histogram(upper, bins=np.linspace(0, 1, 101))[0]
    if not offset:
        assert np.abs(found.pairs.numpy() - expected).sum() <= 2  # a value at an edge may fall on either side
    assert found.pairs.sum().item() == len(upper)


def test_similar_units_at_any_threshold_can_be_read_off_the_histogram() -> None:
    found = correlate(vectors(), 0.3)
    assert 2 * found.pairs[30:].sum().item() == found.similar.sum().item()


def test_dead_units_are_counted_apart() -> None:
    given = vectors(units=5)
    given[:, 1] = 0
    given[:, 3] = 2.5
    found = correlate(given, 0.1)
    assert found.dead.tolist() == [False, True, False, True, False]
    similar, strongest, dead, pairs = found.as_lists()
    assert [similar[1], similar[3], strongest[1], strongest[3]] == [None] * 4
    assert sum(dead) == 2
    assert sum(pairs) == 3
    alive = correlate(given[:, [0, 2, 4]], 0.1)
    assert [similar[0], similar[2], similar[4]] == alive.similar.tolist()


def test_a_layer_of_dead_units_has_no_pairs() -> None:
    found = correlate(torch.zeros(10, 4), 0.5)
    assert found.as_lists() == ([None] * 4, [None] * 4, [True] * 4, [0] * 100)


def test_opposite_units_are_similar_too() -> None:
    one = torch.linspace(0, 1, 10)
    assert correlate(torch.stack([one, 1 - one, one * one.flip(0)], 1), 0.5).similar.tolist() == [1, 1, 0]


def network_and_images(examples: int, units: int = 4) -> tuple[Network, Dataset]:
    torch.manual_seed(0)
    network = Network(
        [
            ("conv", nn.Sequential(nn.Conv2d(1, units, 3), nn.ReLU())),
            ("flatten", nn.Flatten()),
            ("full", nn.Sequential(nn.Linear(36 * units, 6), nn.ReLU())),
            ("output", nn.Linear(6, 2)),
        ],
        measured=["conv", "full"],
    ).eval()
    split = Split(torch.randn(examples, 1, 8, 8), torch.zeros(examples, dtype=torch.int64))
    return network, Dataset(split, split, split, (1, 8, 8), 2, "images")


def test_all_vectors_are_used_if_there_are_no_more_than_the_cap() -> None:
    network, dataset = network_and_images(600)
    frame = similarity(network, dataset, "test", 0, samples=2, max_vectors=600 * 36)
    assert frame.select("layer", "vectors").unique().sort("layer").rows() == [("conv", 21_600), ("full", 600)]
    with torch.inference_mode():
        conv, full = (values for _, values in network.walk(dataset.test.inputs))
    flat = conv.permute(0, 2, 3, 1).reshape(-1, 4)
    for row in frame.iter_rows(named=True):
        expected = correlate(flat if row["layer"] == "conv" else full, 0.5)
        assert row["similar"] == expected.as_lists()[0]


@pytest.mark.parametrize("cap", [100, 601, 7919])
def test_the_cap_is_met_exactly_and_evenly(cap: int) -> None:
    network, dataset = network_and_images(600)
    frame = similarity(network, dataset, "test", 0, samples=3, max_vectors=cap)
    conv = frame.filter(frame["layer"] == "conv")
    assert conv["vectors"].to_list() == [cap] * 3
    assert frame.filter(frame["layer"] == "full")["vectors"].to_list() == [min(cap, 600)] * 3
    assert conv["strongest"].n_unique() == 3
    assert similarity(network, dataset, "test", 0, samples=3, max_vectors=cap).equals(frame)


@pytest.mark.parametrize("batch", [7, 250])
def test_over_all_vectors_it_equals_numpys_corrcoef_and_counts_where_units_are_active(batch: int) -> None:
    network, dataset = network_and_images(600, units=12)
    with torch.no_grad():
        network.stages.conv[0].weight[5:7] = network.stages.conv[0].weight[4]
        network.stages.conv[0].bias[4:8] = torch.tensor([-1.3, -1.2, 0.1, -100.0])  # nearly dead, and dead
    frame = similarity(network, replace(dataset, evaluation_batch=batch), "test", 0, threshold=0.3, max_vectors=None)
    assert frame.select("layer", "sample", "vectors").rows() == [("conv", 0, 600 * 36), ("full", 0, 600)]
    with torch.inference_mode():
        activations = dict(network.walk(dataset.test.inputs))
    for row in frame.iter_rows(named=True):
        values = activations[row["layer"]].double().reshape(600, len(row["dead"]), -1).numpy()
        flat = values.transpose(0, 2, 1).reshape(-1, values.shape[1])
        dead = np.ptp(flat, axis=0) == 0
        with np.errstate(invalid="ignore"):
            strength = np.abs(np.corrcoef(flat.T))
        np.fill_diagonal(strength, np.nan)
        assert row["dead"] == dead.tolist()
        expected = [None if gone else int((strength[unit] >= 0.3).sum()) for unit, gone in enumerate(dead)]
        assert row["similar"] == expected
        live = np.flatnonzero(~dead)
        found = np.array(row["strongest"], dtype=float)[live]
        np.testing.assert_allclose(found, np.nanmax(strength[live], axis=1), atol=2e-6)
        assert sum(row["pairs"]) == len(live) * (len(live) - 1) // 2
        assert row["active_share"] == pytest.approx((flat != 0).mean(0).tolist(), abs=1e-12)
        assert row["active_inputs"] == (values != 0).any(2).sum(0).tolist()
    [conv] = frame.filter(layer="conv").to_dicts()
    assert conv["dead"][7]
    assert 0 < conv["active_share"][4] < 0.05
    assert conv["similar"][4] >= 1


def test_a_unit_whose_activity_is_lost_in_rounding_is_dead_and_none_is_not_a_number() -> None:
    given = vectors(units=4)
    given[:, 1] = 0
    given[3, 1] = 1e-24
    given[:, 2] = 0
    given[3, 2] = 1e-44
    found = correlate(given, 0.5)
    assert found.dead.tolist() == [False, False, True, False]
    assert torch.isfinite(found.strongest).all()
    assert found.pairs.sum().item() == 3


@pytest.mark.parametrize("max_vectors", [None, 50_000])
def test_one_vector_has_no_correlations(max_vectors: int | None) -> None:
    network = Network([("hidden", nn.Linear(4, 3)), ("output", nn.Linear(3, 2))], measured=["hidden"]).eval()
    one = Split(torch.randn(1, 4), torch.zeros(1, dtype=torch.long))
    with pytest.raises(DataError, match="layer hidden: a correlation takes at least 2 activation vectors, got 1"):
        similarity(network, Dataset(one, one, one, (4,), 2, "one"), "test", 0, max_vectors=max_vectors)
