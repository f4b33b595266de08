"""How long a sweep will take, before it runs."""
