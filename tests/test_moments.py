"""Moments that are added up block by block equal NumPy's over all vectors, and none is lost to means or scales."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from autoreg import moments as module
from autoreg.moments import Moments
from tests.metrics.test_similarity import vectors

MANY = vectors(5000, 24)
LATE = (torch.arange(5000) >= 2500)[:, None]
HARD: dict[str, Callable[[], Tensor]] = {
    "as they are": lambda: MANY,
    "mean of 10,000": lambda: MANY + 1e4,
    "mean that drifts": lambda: MANY + torch.linspace(0, 1e4, 5000)[:, None],
    "mean that jumps": lambda: MANY + 1e4 * LATE,
    "scales from 1e-18 to 1e15": lambda: MANY * torch.logspace(-18, 15, 24),
    "active after a while": lambda: MANY * LATE,
    "in float64": lambda: MANY.double() + 1e6,
}


def moments_of(given: Tensor, parts: int = 7) -> Moments:
    found = Moments(given)
    for part in given.tensor_split(parts):
        found.add(part)
    return found


@pytest.mark.parametrize("rows", [3, 64, 1024])
@pytest.mark.parametrize("case", HARD)
def test_they_equal_numpys(case: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", rows)
    given = HARD[case]()
    found, exact = moments_of(given), given.double().numpy()
    assert found.count == 5000
    spread = exact.std(0)
    np.testing.assert_allclose((found.mean.numpy() - exact.mean(0)) / spread, 0, atol=1e-6)
    scale = np.outer(spread, spread) * 5000
    np.testing.assert_allclose((found.scatter.numpy() - np.cov(exact.T, bias=True) * 5000) / scale, 0, atol=3e-6)
    assert found.low.tolist() == given.amin(0).tolist()
    assert found.high.tolist() == given.amax(0).tolist()


def test_the_gram_matrix_and_the_sums_follow_from_them() -> None:
    found, exact = moments_of(MANY + 3), (MANY + 3).double().numpy()
    gram = found.scatter + found.count * torch.outer(found.mean, found.mean)
    np.testing.assert_allclose(gram.numpy(), exact.T @ exact, rtol=1e-6)
    np.testing.assert_allclose((found.count * found.mean).numpy(), exact.sum(0), rtol=1e-6)


def test_a_constant_unit_has_no_scatter_whatever_its_value() -> None:
    given = MANY.clone()
    given[:, 3], given[:, 5] = 0.1, 1e30
    found = moments_of(given)
    assert found.scatter[[3, 5]].abs().max() == 0
    assert (found.high - found.low)[[3, 5]].tolist() == [0, 0]


def test_one_vector_that_differs_is_not_lost_among_many() -> None:
    given = torch.full((100_000, 2), 0.1)
    given[77_777, 0] = 0.10001
    exact = given.double().numpy()
    found = moments_of(given)
    assert found.scatter[0, 0].item() == pytest.approx(np.var(exact[:, 0]) * 100_000, rel=1e-5)
    assert found.scatter[1, 1].item() == 0
