"""Units are taken out of a trained network for real: what belongs together, the masked reference, the narrow module."""

from autoreg.surgery.anatomy import Anatomy, Cuts
from autoreg.surgery.narrow import Layout, narrow_like
from autoreg.surgery.sites import Cut, Mend, Read, Site

__all__ = ["Anatomy", "Cut", "Cuts", "Layout", "Mend", "Read", "Site", "narrow_like"]
