"""Exports: trials handed to other programs."""

from autoreg.report.export import programs
from autoreg.report.export.exporter import Source, exporters

__all__ = ["Source", "exporters", "programs"]
