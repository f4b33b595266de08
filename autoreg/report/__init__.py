"""From results.db to figures, tables, tests of hypotheses, one HTML page, and exports."""
