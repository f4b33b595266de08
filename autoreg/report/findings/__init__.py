"""What a sweep found and what to beware of, in sentences with numbers: for the report's start page and the terminal."""

from autoreg.report.findings.beware import cautions
from autoreg.report.findings.found import findings

__all__ = ["cautions", "findings"]
