"""What `autoreg init` writes: a commented sweep, a network to change, and a JSON Schema for editors."""
