"""`python -m tests.faults.simulation SEED` replays a seed and prints what happened; `FIRST LAST` tries a range of them.

Of a range, seeds of which something does not hold are printed, each with what that is.
"""

import sys
import time

from tests.faults.simulation.sweep import Simulation


def main(first: int, last: int | None = None) -> int:
    if last is None:
        simulation = Simulation(first)
        try:
            simulation.run()
        finally:
            print("\n".join(simulation.world.log))
        return 0
    began, failed = time.perf_counter(), 0
    for seed in range(first, last):
        try:
            Simulation(seed).run()
        except Exception as error:  # whatever it is, the next seed is tried
            failed += 1
            print(
                f"seed {seed}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", flush=True
            )
    print(f"{last - first} seeds, {failed} failed, {time.perf_counter() - began:.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
