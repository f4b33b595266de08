"""One trial: its loop, its state, its checkpoints."""
