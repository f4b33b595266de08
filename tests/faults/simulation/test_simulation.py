"""Whatever befalls a sweep, it ends, and no trial is lost, trained twice or missing in results.db."""

import pytest

from autoreg.orchestrator.driver import Driver
from tests.faults.simulation.mutants import MUTANTS, mutant
from tests.faults.simulation.sweep import Simulation
from tests.helpers.promises import Promise


def failures(seeds: range, driver: type[Driver] = Driver) -> list[str]:
    """Return how each seed is replayed of which something does not hold, and what that is."""
    found = []
    for seed in seeds:
        try:
            Simulation(seed, driver).run()
        except Exception as error:  # of whatever kind: it is told with its seed
            found.append(f"python -m tests.faults.simulation {seed}  # {type(error).__name__}: {error}")
    return found


def test_a_hundred_sweeps_to_which_anything_happens_end_as_they_should() -> None:
    assert failures(range(100)) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_thousand_sweeps_to_which_anything_happens_end_as_they_should(promise: Promise) -> None:
    found = failures(range(100, 2100))
    promise(
        "Whatever befalls driver, workers and messages, a sweep ends, and no trial is lost or trained twice",
        "0 of 2,000 simulated sweeps of 12 trials",
        f"{len(found)} of 2,000",
    )
    assert found == []


@pytest.mark.parametrize("what", MUTANTS)
def test_a_driver_with_a_broken_line_is_noticed(what: str) -> None:
    broken = mutant(what)
    assert any(failures(range(seed, seed + 1), broken) for seed in range(60))


def test_a_seed_says_all_that_happens() -> None:
    logs = []
    for _ in range(2):
        simulation = Simulation(4)
        simulation.run()
        logs.append(simulation.world.log)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 20
