"""autoreg: sweeps over width that measure removable and repeated units of neural networks."""

__version__ = "0.1.0"
