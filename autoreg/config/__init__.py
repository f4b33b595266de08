"""A sweep file becomes groups and trials, each with its id."""

from autoreg.config.trial import Choice, TrialConfig

__all__ = ["Choice", "TrialConfig"]
