"""Units are taken out of a trained network for real: what belongs together, the masked reference, the narrow module."""
