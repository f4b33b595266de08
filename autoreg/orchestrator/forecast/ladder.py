"""How long much of something takes, from how long a little of it does."""

from collections.abc import Callable
from typing import NamedTuple

#: Each rung of a ladder has so many times the examples of the one below.
STEP = 4
#: Fewer examples tell little of a batch; so many are timed if they take no longer than so many seconds.
ENOUGH, PATIENCE = 16, 1.5


class Rung(NamedTuple):
    """So many examples took so many seconds."""

    examples: int
    seconds: float


def climb(run: Callable[[int], float], batch: int, whole: int, limit: float, patience: float = 0.0) -> list[Rung]:
    """Time more and more examples, until they are all or the next would take longer than the limit.

    Each is timed twice and the shorter time counts, since the first of a shape allocates and prepares.

    Args:
        run: handles so many examples, in batches, and returns the seconds that it took.
        batch: examples of a batch, all of which one step of the ladder below takes at most.
        whole: all examples.
        limit: seconds.
        patience: seconds that a rung of about `ENOUGH` examples may take all the same. With it the first rung has two,
            without which batch normalisation cannot be trained, and the second is climbed whatever it takes.
    """
    rungs: list[Rung] = []
    examples = min(2 if patience else 1, batch, whole)
    while True:
        rungs.append(Rung(examples, min(run(examples), run(examples))))
        most = max(limit, patience) if examples < ENOUGH else limit
        is_enough = rungs[-1].seconds * STEP > most and (len(rungs) > 1 or not patience)
        if examples == whole or is_enough:
            return rungs
        below = examples < batch
        examples = min(examples * STEP, batch if below else whole, whole)


def extrapolate(rungs: list[Rung], batch: int, whole: int) -> float:
    """Return the seconds that all examples take in batches.

    From a rung of whole batches it is in proportion. Below that, the last two rungs tell what a batch costs whatever
    its size, and what each of its examples adds.
    """
    last = rungs[-1]
    if last.examples >= min(batch, whole) or len(rungs) == 1:
        return last.seconds * whole / last.examples
    before = rungs[-2]
    slope = max(0.0, last.seconds - before.seconds) / (last.examples - before.examples)
    fixed = max(0.0, last.seconds - slope * last.examples)
    return -(-whole // batch) * fixed + whole * slope
