"""Ours against the alternatives, one short program a row; `make bench` runs them all."""
