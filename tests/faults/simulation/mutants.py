"""Drivers of which one line is wrong, each in its own way: what the simulation is there to notice."""

from pathlib import Path
from types import ModuleType

from autoreg.orchestrator import driver

#: What is wrong, the line as it stands, and what takes its place.
MUTANTS = {
    "a trial that is to be tried again stays in flight": (
        "                self.schedule.try_again(trial_id, alone=False)", "                pass",
    ),
    "a trial that ran out of memory stays in flight": (
        "                self.schedule.try_again(trial_id, alone=True)", "                pass",
    ),
    "a trial that is given up is not written down": (
        "                self._orders.append(ev.GiveUp(blamed, failure.at_last()))", "                pass",
    ),
    "the trials that waited behind a failed one stay in flight": (
        "            self.schedule.put_back(config.trial_id)", "            pass",
    ),
    "a failed try is not counted": (
        "        for config in left if self.is_stopping and not failure else left[1:]:", "        for config in left:",
    ),
    "a trial that no proposal could join is lost": (
        "                self.schedule.put_back(job.trial_id)", "                pass",
    ),
    "what is measured counts as being measured still": ("        self.measuring.end(trial_id)", "        pass"),
    "a trial with damaged weights is not opened again": (
        "            self.schedule.reopen(trial_id)", "            pass",
    ),
    "final trials are not measured": ("            self.measuring.add(config.trial_id)", "            pass"),
    "rows of a trained trial are not written": (
        "        self._orders.append(ev.WriteRows(event.trial_id))", "        pass",
    ),
    "rows of a measured trial are not written": (
        "                self._orders.append(ev.WriteRows(trial_id))", "                pass",
    ),
    "workers are not told to stop": ("            self._orders.append(ev.StopWorkers())", "            pass"),
    "a bundle that has ended counts as running": ("        self.running.remove(name)", "        pass"),
}  # fmt: skip


def mutant(what: str) -> type[driver.Driver]:
    """Return the driver with a line broken."""
    line, broken = MUTANTS[what]
    source = Path(driver.__file__).read_text(encoding="utf-8")
    assert source.count(f"{line}\n") == 1, f"the driver has not one line {line!r}"
    module = ModuleType(driver.__name__)
    exec(compile(source.replace(f"{line}\n", f"{broken}\n"), driver.__file__, "exec"), module.__dict__)
    made: type[driver.Driver] = module.Driver
    return made
