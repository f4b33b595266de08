"""The run folder: what a trial leaves behind, whole or not there."""

from autoreg.runs.folder import Runs, TrialFolder

__all__ = ["Runs", "TrialFolder"]
