"""Means over replicates are tested: are they other than 0, and below what matters? `verdicts` says how and why."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import special

#: Largest probability of a false "grows" or "shrinks", and of a false "does not grow", among all claims of a report.
ALPHA = 0.05
#: Probability with which the replicates that are said to be needed decide a claim.
POWER = 0.8
#: Fewer than two replicates have no spread to plan from; the paper has this many.
FEWEST_REPLICATES = 3
#: More replicates than this are not counted: `replicates_needed` is then one more.
MOST_REPLICATES = 100
#: Standard errors below this are rounding: the slopes are equal.
RESOLUTION = 1e-12
#: A sweep is one experiment, so a verdict does not change when others come into the database. Definition, threshold and
#: split are chosen before one looks: claims under another choice are another report's.
REPORT = ["sweep_id", "definition", "threshold", "split"]


def judge(claims: pl.DataFrame) -> pl.DataFrame:
    """Return the claims, each with `mean`, `deviation`, `replicates` and `bound`, and with what is said of it.

    Those of one `REPORT` are corrected together. `state`: grows, does not grow, shrinks or undecided.
    """
    return pl.concat(map(_judge, claims.partition_by(REPORT, maintain_order=True)))


def _judge(report: pl.DataFrame) -> pl.DataFrame:
    """Return the claims of one report with intervals, p-values, states and the replicates that they need."""
    sample, bound = Sample(report), _numbers(report, "bound")
    mean, changes, stays = sample.mean, sample.p_other_than_0(), sample.p_below(bound)
    state = np.select(
        [(changes < ALPHA) & (mean < 0), stays < ALPHA, (changes < ALPHA) & (mean > 0)],
        ["shrinks", "does not grow", "grows"],
        "undecided",
    )
    needed = [
        replicates_needed(int(n), m, d, b, int(sample.counted.sum())) if s == "undecided" and n else None
        for n, m, d, b, s in zip(sample.count, mean, sample.deviation, bound, state, strict=True)
    ]
    return report.with_columns(
        low=sample.low,
        high=sample.high,
        p=sample.shown(changes),
        no_growth_p=sample.shown(stays),
        state=pl.Series(state.tolist(), dtype=pl.String),
        needed=pl.Series(needed, dtype=pl.Int64),
    )


class Sample:
    """The claims of one report, tested by Student's t, each as a plain sample of replicates.

    Every p-value is corrected over all claims by Holm's method. A claim that has a slope but cannot be tested yet, of
    one replicate, counts with p = 1, so that its test takes back no other verdict.

    Args:
        claims: have `mean`, `deviation` and `replicates`.
    """

    def __init__(self, claims: pl.DataFrame) -> None:
        self.mean, self.deviation = _numbers(claims, "mean"), _numbers(claims, "deviation")
        self.count = claims["replicates"].to_numpy().astype(float)
        self.counted, self._tested = self.count >= 1, self.count >= 2
        error = self.deviation / np.sqrt(np.maximum(self.count, 1))
        self._freedom, self._unit = np.maximum(self.count - 1, 1), np.maximum(error, RESOLUTION)
        half = special.stdtrit(self._freedom, 0.975) * error
        #: Ends of the 95 % interval, which is not corrected.
        self.low, self.high = (pl.Series(end, nan_to_null=True) for end in (self.mean - half, self.mean + half))

    def p_other_than_0(self) -> NDArray[np.float64]:
        """Return for each claim the p-value of a mean of 0, against any other."""
        return self._corrected(2 * special.stdtr(self._freedom, -np.abs(self.mean / self._unit)))

    def p_below(self, bound: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each claim the p-value of a mean of at least a bound, against a smaller one."""
        return self._corrected(special.stdtr(self._freedom, (self.mean - bound) / self._unit))

    def p_above(self, bound: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for each claim the p-value of a mean of at most a bound, against a larger one."""
        return self._corrected(special.stdtr(self._freedom, (bound - self.mean) / self._unit))

    def shown(self, p_values: NDArray[np.float64]) -> pl.Expr:
        """Return p-values, null with fewer than two replicates."""
        return pl.when(pl.lit(pl.Series(self._tested))).then(pl.lit(pl.Series(p_values)))

    def _corrected(self, p_values: NDArray[np.float64]) -> NDArray[np.float64]:
        p_values = np.where(self._tested, p_values, 1.0)
        p_values[self.counted] = holm(p_values[self.counted])
        return p_values


def _numbers(claims: pl.DataFrame, name: str) -> NDArray[np.float64]:
    return claims[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values corrected over all of them by Holm's step-down method (1979), in the order given."""
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected


def replicates_needed(replicates: int, mean: float, deviation: float, bound: float, claims: int) -> int:
    """Return the smallest total number of replicates at which an undecided claim is decided with a power of 80 %.

    The mean and deviation seen so far are taken for the true ones, so with few replicates this is a rough guess. The
    level of the tests is Holm's first step, ALPHA / claims, which is the strictest; power is that of the better test,
    from the noncentral t distribution.

    Args:
        replicates: how many there are.
        mean: of their slopes.
        deviation: standard deviation of their slopes.
        bound: smallest slope that matters.
        claims: how many the report makes; at least 1.

    Returns:
        At least `replicates` + 1; 3 if there are fewer than two, which have no spread; 101 if 100 are not enough.
    """
    if replicates < 2:
        return FEWEST_REPLICATES
    level = ALPHA / claims

    def power(total: int) -> float:
        freedom, scale = total - 1, np.sqrt(total) / max(deviation, RESOLUTION)
        changes = special.nctdtr(freedom, abs(mean) * scale, special.stdtrit(freedom, 1 - level / 2))
        stays = special.nctdtr(freedom, max(bound - mean, 0) * scale, special.stdtrit(freedom, 1 - level))
        return float(1 - min(changes, stays))

    totals = range(replicates + 1, MOST_REPLICATES + 1)
    return next((total for total in totals if power(total) >= POWER), MOST_REPLICATES + 1)
