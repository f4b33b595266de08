"""Everything that knows Ray or the processes that it starts."""
