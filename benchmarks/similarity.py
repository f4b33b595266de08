"""Correlations of a layer's units: ours, and NumPy's.

python -m benchmarks.similarity [VECTORS UNITS]
"""

import resource
import sys

import numpy as np
import torch

from autoreg.metrics.similarity import BINS, BLOCK, Correlations, correlate
from benchmarks.rows import Row, alternate, ratio


def by_numpy(vectors: torch.Tensor, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return similar units and dead ones, [units], and pairs by |r| in bins."""
    given = vectors.numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = np.abs(np.corrcoef(given, rowvar=False))
    dead = np.isnan(np.diagonal(strength))
    np.fill_diagonal(strength, np.nan)
    pairs = np.histogram(strength[~np.isnan(strength)], BINS, (0, 1))[0] // 2  # each pair stands there twice
    return (strength >= threshold).sum(0), dead, pairs


def peak() -> float:
    """Return the largest resident set so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def compare(count: int, units: int) -> Row:
    """Return the row."""
    generator = torch.Generator().manual_seed(0)
    causes = torch.randn(count, 64, generator=generator) @ torch.randn(64, units, generator=generator)
    vectors = causes.add_(torch.randn(count, units, generator=generator), alpha=4).relu_()
    vectors[:, ::97] = 0.25
    working = vectors.clone()
    found: list[Correlations] = []
    before = peak()
    correlate(working, 0.5)
    extra = peak() - before

    def ours() -> None:
        found.append(correlate(working, 0.5))

    def product() -> None:
        torch.mm(working.T, working)

    def half_product() -> None:
        np.matmul(vectors.numpy().T, vectors.numpy())  # by OpenBLAS's SSYRK, which multiplies each pair once

    expected = []
    seconds: list[list[float]] = [[], [], [], []]
    for _ in range(3):
        working.copy_(vectors)  # ours overwrites them
        times = alternate(1, ours, lambda: expected.append(by_numpy(vectors, 0.5)), product, half_product)
        for column, measured in zip(seconds, times, strict=True):
            column += measured.seconds
    our_times, other_times, sgemm, ssyrk = (type(times[0])(column) for column in seconds)
    similar, dead, pairs = expected[0]
    assert (found[0].dead.numpy() == dead).all()
    # A pair at the very threshold, or at the edge of a bin, may fall on either side.
    assert np.abs(found[0].similar.numpy() - similar).sum() <= 8
    assert np.abs(found[0].pairs.numpy() - pairs).sum() <= 1e-4 * pairs.sum()
    typical, text = ratio(our_times, other_times)
    rate = sgemm.typical / our_times.typical
    return Row(
        what=f"similarity of {count:,} × {units:,} activations",
        against="numpy.corrcoef, threshold and histogram",
        ours=str(our_times),
        other=str(other_times),
        ratio=text,
        reach="≥4×; ≥60% of the SGEMM rate",
        reached=typical >= 4 and rate >= 0.6,
        limit=f"the full product takes {sgemm} by SGEMM: {rate:.0%} of its rate, symmetry counted; "
        f"the half of it alone, by SSYRK, takes {ssyrk}, so nothing in float32 is more than "
        f"{other_times.typical / ssyrk.typical:.2g}× as fast as NumPy here; "
        f"{extra:.0f} MB beside the activations (a block of {BLOCK} units is {count * BLOCK * 4 / 1e6:.0f} MB)",
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    compare(*(map(int, sys.argv[1:]) if len(sys.argv) == 3 else (50_000, 1_536))).emit()
