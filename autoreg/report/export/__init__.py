"""Exporters: what hands trials to another program; dropping a file with a decorated function here adds one.

The command line imports all of them for its help, so they import what they need inside their functions.
"""

import importlib
import pkgutil

from autoreg.report.export.exporter import Exporter, Source, exporters

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Exporter", "Source", "exporters"]
