"""Orders and mends: errors are what they cost, worked out on the activations; greedy is near the best there is."""

from itertools import combinations

import pytest
import torch
from torch import Tensor

from autoreg.moments import Moments
from autoreg.surgery.order import SURGERIES, Surgery
from autoreg.surgery.orders import cut_units, order_units
from autoreg.surgery.reading import Reading, read

SURGERY = pytest.mark.parametrize("surgery", SURGERIES)


class Site:
    """Units with known activations at each read point, and the weights of the map there."""

    def __init__(self, *points: tuple[Tensor, Tensor], is_last: bool = False) -> None:
        self.points, self.units = points, points[0][0].shape[1]
        self.readings: list[Reading] = []
        for vectors, weight in points:
            moments = Moments(vectors)
            moments.add(vectors)
            self.readings.append(read(moments, weight, is_last=is_last, reads=len(points)))

    def error(self, kept: Tensor, surgery: Surgery) -> float:
        """Mend the activations themselves, and see how much of the variance of what the maps give is lost."""
        taken = [unit for unit in range(self.units) if unit not in kept.tolist()]
        total = 0.0
        for (vectors, weight), mend in zip(self.points, cut_units(self.readings, kept, surgery).mends, strict=True):
            mended = vectors.clone()
            mended[:, taken] = vectors[:, kept] @ mend.matrix.T + mend.offset
            before, after = (torch.einsum("vu,our->vor", each, weight) for each in (vectors, mended))
            lost, spread = (before - after).square().mean(0).sum(), before.var(0, correction=0).sum()
            total += float(lost / spread) / len(self.points)
        return total


def alike(units: int, seed: int = 0, outputs: int = 5, rest: int = 1) -> tuple[Tensor, Tensor]:
    """ReLU units of which many are correlated, one is dead, one constant, and one read with weights of 0."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(400, 4, generator=generator, dtype=torch.float64)
    vectors = (inputs @ torch.randn(4, units, generator=generator, dtype=torch.float64) + 0.3).relu()
    weight = torch.randn(outputs, units, rest, generator=generator, dtype=torch.float64)
    vectors[:, 1], vectors[:, 2], weight[:, 3] = 0.0, 0.7, 0.0
    return vectors, weight


@SURGERY
@pytest.mark.parametrize("reads", [1, 2])
def test_an_order_s_errors_are_what_its_mends_lose(surgery: Surgery, reads: int) -> None:
    vectors, weight = alike(12)
    points = [(vectors, weight), (vectors.square(), alike(12, 1, rest=4)[1])]
    site = Site(*points[:reads])
    order = order_units(site.readings, surgery)
    assert len(order.units) >= 3
    assert (order.errors > 1e-6).any()
    for count, error in enumerate(order.errors.tolist(), 1):
        assert error == pytest.approx(site.error(order.kept(count, 12), surgery), rel=1e-5, abs=1e-10)


def test_what_all_logits_share_counts_for_nothing() -> None:
    vectors, weight = alike(8)
    weight[:, 0] = 3.0
    [reading] = Site((vectors, weight), is_last=True).readings
    assert reading.gram[0].abs().max() < 1e-12
    assert order_units([reading], "drop").units[:3].tolist() == [0, 1, 3]


@pytest.mark.parametrize("surgery", ["drop", "rebuild"])
def test_greedy_is_near_the_best_of_all_choices(surgery: Surgery) -> None:
    gaps = []
    for seed in range(5):
        site = Site(alike(9, seed))
        order = order_units(site.readings, surgery)
        for taken in (3, 5, 7):
            best = min(site.error(torch.tensor(kept), surgery) for kept in combinations(range(9), 9 - taken))
            gaps.append((float(order.errors[taken - 1]) + 1e-9) / (best + 1e-9))
    assert min(gaps) >= 1 - 1e-6  # nothing is better than the best
    assert sum(gap < 1.001 for gap in gaps) > len(gaps) / 2
    assert max(gaps) < 3


def test_of_the_same_kept_units_more_freedom_loses_less() -> None:
    for seed in range(5):
        site = Site(alike(10, seed))
        kept = order_units(site.readings, "merge").kept(3, 10)
        losses = [site.error(kept, surgery) for surgery in ("rebuild", "either", "merge")]
        assert losses == sorted(losses)
        assert losses[0] < site.error(kept, "drop")


@SURGERY
def test_a_smaller_error_keeps_more_units(surgery: Surgery) -> None:
    order = order_units(Site(alike(30)).readings, surgery)
    counts = [order.count(10**exponent) for exponent in torch.linspace(-9, 0, 40).tolist()]
    assert counts == sorted(counts)
    assert len(set(counts)) > 3


@pytest.mark.parametrize("strength", [1.0, 20.0])
def test_copies_are_rebuilt_and_merged_for_nothing_however_large_the_weights_that_cancel(
    strength: float,
) -> None:
    vectors, weight = alike(12)
    vectors = torch.cat([vectors, 1.5 * vectors], 1)
    change = strength * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)).double()
    site = Site((vectors, torch.cat([weight / 2 + change, (weight / 2 - change) / 1.5], 1)))
    for surgery in ("merge", "rebuild"):
        order = order_units(site.readings, surgery)
        assert order.errors[11] < 1e-9
        assert site.error(order.kept(12, 24), surgery) < 1e-18
    for count, error in enumerate(order.errors[12:].tolist(), 13):
        assert error == pytest.approx(site.error(order.kept(count, 24), "rebuild"), rel=1e-6, abs=1e-9)


def test_errors_of_units_that_are_nearly_copies_are_right_to_the_last() -> None:
    vectors, _ = alike(40)
    generator = torch.Generator().manual_seed(1)
    noise, weight = (torch.randn(*shape, generator=generator).double() for shape in ((400, 40), (5, 80, 1)))
    site = Site((torch.cat([vectors, vectors + 1e-3 * noise], 1), weight))
    order = order_units(site.readings, "rebuild")
    assert (order.errors.diff() > -1e-9).all()
    for count in (5, 20, 40, 60, 70, 79):
        lost = site.error(order.kept(count, 80), "rebuild")
        assert float(order.errors[count - 1]) == pytest.approx(lost, rel=1e-4, abs=1e-8)


def test_units_below_the_threshold_are_not_merged() -> None:
    vectors, weight = alike(12)
    [reading] = Site((vectors, weight)).readings
    strength = torch.corrcoef(vectors.T).abs().nan_to_num(0).fill_diagonal_(0)
    for threshold in (0.3, 0.8):
        order = order_units([reading], "merge", threshold)
        kept = order.kept(len(order.units), 12)
        assert strength[kept][:, kept].max() < threshold
        for unit in set(range(12)) - set(kept.tolist()) - {1, 2}:  # those are constant
            assert strength[unit, kept].max() >= threshold


@SURGERY
def test_rounding_decides_no_order(surgery: Surgery) -> None:
    vectors, weight = alike(12)
    vectors, weight = torch.cat([vectors, vectors], 1), torch.cat([weight, weight], 1)
    order = order_units(Site((vectors, weight)).readings, surgery)
    mixed = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    assert order.units.tolist() == order_units(Site((vectors[mixed], weight)).readings, surgery).units.tolist()


@SURGERY
def test_units_that_are_all_dead_or_a_single_one_leave_one(surgery: Surgery) -> None:
    for units, weight in ((6, 1.0), (6, 0.0), (1, 1.0)):
        site = Site((torch.zeros(50, units).double(), torch.full((3, units, 1), weight).double()))
        order = order_units(site.readings, surgery)
        assert order.units.tolist() == list(range(units - 1))
        assert order.errors.tolist() == [0.0] * (units - 1)
        assert order.kept(units - 1, units).tolist() == [units - 1]
