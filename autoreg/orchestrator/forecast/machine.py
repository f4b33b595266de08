"""What of this machine the trials of a sweep get."""

import os
from dataclasses import dataclass
from functools import cached_property

import torch

from autoreg.config.sections import Resources
from autoreg.orchestrator.forecast.subject import Where


@dataclass(frozen=True)
class Machine:
    """This machine: its cores and GPUs."""

    cores: int
    gpus: int

    @classmethod
    def here(cls) -> "Machine":
        """Return this machine as Ray will find it."""
        return cls(os.cpu_count() or 1, torch.cuda.device_count() if torch.cuda.is_available() else 0)

    def where(self, resources: Resources, width: float) -> Where:
        """Return what a trial of that width is computed on."""
        is_on_gpu = self.gpus and resources.gpu_share(width)
        return Where("cuda" if is_on_gpu else "cpu", min(resources.cpus, self.cores))

    def share(self, resources: Resources, width: float) -> float:
        """Return the share of this machine that a trial of that width occupies, in (0, 1]."""
        cores = min(resources.cpus, self.cores) / self.cores
        return min(1.0, max(cores, resources.gpu_share(width) / self.gpus if self.gpus else 0.0))

    @cached_property
    def gpu_name(self) -> str:
        """The first GPU's name, as `result.json` has it."""
        return torch.cuda.get_device_name(0)

    def device_name(self, where: Where) -> str:
        """Return a device's name as `result.json` has it."""
        return "cpu" if where.device == "cpu" else self.gpu_name
