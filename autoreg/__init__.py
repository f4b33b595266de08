"""autoreg: sweeps over width that measure removable and repeated units of neural networks.

In Python, as in a notebook:

- `load_sweep`, `plan` and `run`: a sweep, as `autoreg sweep` runs it.
- `Results`: results.db as frames and figures.
- `load_trial`: a trained network and its data.
- `measure_model`: the removable and repeated units of any PyTorch model.
- `compress`: any model without the units that its labels do not need, as a `Small` one; `narrow`: from its file again.

From a sweep to a figure, and to the network of one of its trials:

    autoreg.run(autoreg.load_sweep("quickstart", "training.epochs=20"))
    results = autoreg.Results("results.db")
    results.figure("B5")
    trial = autoreg.load_trial(results.table("final_trials")["trial_id"][0])
"""

import importlib
from typing import Any

__version__ = "0.1.0"

__all__ = [
    "Measures", "Results", "Small", "Trial", "compress", "load_sweep", "load_trial", "measure_model", "narrow", "plan",
    "run",
]  # fmt: skip

#: Torch and Ray take seconds to import, so each name is looked up where it lives when it is asked for.
_HOMES = {
    "Measures": "database.scores", "Results": "report.results", "Small": "surgery.small",
    "narrow": "surgery.small_file",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'autoreg' has no attribute {name!r}")
    return getattr(importlib.import_module(f"autoreg.{_HOMES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
