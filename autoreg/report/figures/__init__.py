"""Drawings of figures, and where a figure comes from."""
